import { viewOf } from '../bytes';
import type { ImageHeader } from './imageHeader';

export function readBmpHeader(bytes: Uint8Array): ImageHeader {
  const view = viewOf(bytes);
  return {
    format: 'bmp',
    widthPx: Math.abs(view.getInt32(18, true)),
    heightPx: Math.abs(view.getInt32(22, true)),
    isAnimated: false,
    isComplete: view.byteLength >= view.getUint32(10, true),
  };
}
