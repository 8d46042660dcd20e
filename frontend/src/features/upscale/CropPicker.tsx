import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { ImageSource } from '../viewer/source';
import { pointIn } from '../viewer/useViewport';
import type { Point } from '../viewer/view';
import type { Crop } from './crop';

const BOX = { width: 300, height: 240 };

/** The whole image, small, with the crop as a frame that a click, a drag or the arrow keys move. */
export function CropPicker(props: { source: ImageSource; crop: Crop; onCentre: (centre: Point) => void }) {
  const { source, crop, onCentre } = props;
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = Math.min(BOX.width / source.size.width, BOX.height / source.size.height);
  const width = Math.round(source.size.width * scale);
  const height = Math.round(source.size.height * scale);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(source.preview, 0, 0, width, height);
    const frame = [crop.x * scale, crop.y * scale, crop.width * scale, crop.height * scale] as const;
    context.lineWidth = 4;
    context.strokeStyle = 'rgb(0 0 0 / 60%)';
    context.strokeRect(...frame);
    context.lineWidth = 2;
    context.strokeStyle = '#ffd27a';
    context.strokeRect(...frame);
  }, [source, crop, scale, width, height]);
  const centre = { x: crop.x + crop.width / 2, y: crop.y + crop.height / 2 };
  const follow = (event: React.PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons === 0) return;
    const at = pointIn(event.currentTarget, event);
    onCentre({ x: at.x / scale, y: at.y / scale });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = crop.width / 4;
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
