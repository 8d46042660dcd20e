import type { ImageSource } from './source';
import { type Extent, type View, visiblePart } from './view';

/** Makes the canvas as fine as the screen; the context then takes CSS px. */
export function prepare(canvas: HTMLCanvasElement, box: Extent): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio;
  const width = Math.round(box.width * ratio);
  const height = Math.round(box.height * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, box.width, box.height);
  return context;
}

/**
 * Draws an image that lies at `view` if it had the size `shown`; the part in full resolution where the preview is
 * too coarse and the part is there, which is asked for otherwise.
 */
export function drawSource(
  context: CanvasRenderingContext2D,
  source: ImageSource,
  { view, box, shown, isSmooth }: { view: View; box: Extent; shown: Extent; isSmooth: boolean },
  onReady: () => void,
): void {
  const { preview, size } = source;
  const scale = (view.scale * shown.width) / size.width;
  const scaleY = (view.scale * shown.height) / size.height;
  context.imageSmoothingEnabled = isSmooth || scale < 1;
  context.imageSmoothingQuality = 'high';
  context.drawImage(preview, view.x, view.y, size.width * scale, size.height * scaleY);
  const previewScale = preview.width / size.width;
  if (scale * window.devicePixelRatio <= previewScale) return;
  const area = visiblePart({ ...view, scale }, box, size);
  if (area.width === 0 || area.height === 0) return;
  const part = source.part(area);
  if (!part) {
    source.request(area, onReady);
    return;
  }
  if (part.bitmap === preview) return;
  const { x, y, width, height } = part.area;
  context.drawImage(part.bitmap, view.x + x * scale, view.y + y * scaleY, width * scale, height * scaleY);
}
