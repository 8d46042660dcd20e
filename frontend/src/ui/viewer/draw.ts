import { isEmptyRect, lengthOf, type Size } from '../../imaging/geometry';
import type { ImageSource } from './source';
import { type View, visiblePart } from './view';

/** Makes the canvas as fine as the screen. The context then takes CSS px. */
export function prepare(canvas: HTMLCanvasElement, box: Size): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio;
  const width = Math.round(box.widthPx * ratio);
  const height = Math.round(box.heightPx * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, box.widthPx, box.heightPx);
  return context;
}

export interface Placement {
  view: View;
  box: Size;
  /** The size that the image is drawn as if it had. */
  shown: Size;
  isSmooth: boolean;
}

/**
 * Draws the preview, and over it the visible part in full resolution if the preview is too coarse. A part that is not
 * decoded yet is requested, and `onReady` is called once it is there.
 */
export function drawSource(
  context: CanvasRenderingContext2D,
  source: ImageSource,
  { view, box, shown, isSmooth }: Placement,
  onReady: () => void,
): void {
  const { preview, size } = source;
  const scale = (view.scale * shown.widthPx) / size.widthPx;
  const scaleY = (view.scale * shown.heightPx) / size.heightPx;
  context.imageSmoothingEnabled = isSmooth || scale < 1;
  context.imageSmoothingQuality = 'high';
  context.drawImage(preview, view.x, view.y, size.widthPx * scale, size.heightPx * scaleY);
  const previewScale = preview.width / size.widthPx;
  if (scale * window.devicePixelRatio <= previewScale) return;
  const area = visiblePart({ ...view, scale }, box, size);
  if (isEmptyRect(area)) return;
  const part = source.part(area);
  if (!part) {
    source.request(area, onReady);
    return;
  }
  if (part.bitmap === preview) return;
  const { x, y } = part.area;
  context.drawImage(
    part.bitmap,
    view.x + x.start * scale,
    view.y + y.start * scaleY,
    lengthOf(x) * scale,
    lengthOf(y) * scaleY,
  );
}
