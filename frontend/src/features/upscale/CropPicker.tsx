import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { lengthOf, type Point, type Rect } from '../../imaging/geometry';
import type { ImageSource } from '../../ui/viewer/source';
import { pointIn } from '../../ui/viewer/useViewport';
import { centreOf } from './crop';

const BOX = { widthPx: 300, heightPx: 240 };

/** The whole image, small, with the crop as a frame that a click, a drag or the arrow keys move. */
export function CropPicker(props: { source: ImageSource; crop: Rect; onCentre: (centre: Point) => void }) {
  const { source, crop, onCentre } = props;
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = Math.min(BOX.widthPx / source.size.widthPx, BOX.heightPx / source.size.heightPx);
  const width = Math.round(source.size.widthPx * scale);
  const height = Math.round(source.size.heightPx * scale);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(source.preview, 0, 0, width, height);
    const { x, y } = crop;
    const frame = [x.start * scale, y.start * scale, lengthOf(x) * scale, lengthOf(y) * scale] as const;
    context.lineWidth = 4;
    context.strokeStyle = 'rgb(0 0 0 / 60%)';
    context.strokeRect(...frame);
    context.lineWidth = 2;
    context.strokeStyle = '#ffd27a';
    context.strokeRect(...frame);
  }, [source, crop, scale, width, height]);
  const centre = centreOf(crop);
  const follow = (event: React.PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons === 0) return;
    const at = pointIn(event.currentTarget, event);
    onCentre({ x: at.x / scale, y: at.y / scale });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = lengthOf(crop.x) / 4;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    onCentre({ x: centre.x + move[0], y: centre.y + move[1] });
  };
  return (
    <canvas
      ref={canvas}
      width={width}
      height={height}
      tabIndex={0}
      role="img"
      aria-label={t('trial.place')}
      title={t('trial.place')}
      style={{ cursor: 'crosshair', touchAction: 'none', borderRadius: 6, display: 'block' }}
      onPointerDown={follow}
      onPointerMove={follow}
      onKeyDown={onKeyDown}
    />
  );
}
