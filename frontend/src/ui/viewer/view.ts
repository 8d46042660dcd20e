/** Where an image lies on the screen: `screen = image * scale + (x, y)`, in CSS px. A box is a part of the screen. */

import { clamped, type Point, type Rect, type Size } from '../../imaging/geometry';

export interface View {
  scale: number;
  x: number;
  y: number;
}

export const MAX_SCALE = 32;

/** The whole image in the middle of the box. Small images are scaled by no more than `most`. */
export function fitView(box: Size, image: Size, most = 4): View {
  const scale = Math.min(box.widthPx / image.widthPx, box.heightPx / image.heightPx, most);
  return centred(box, image, scale);
}

export function centred(box: Size, image: Size, scale: number): View {
  return {
    scale,
    x: (box.widthPx - image.widthPx * scale) / 2,
    y: (box.heightPx - image.heightPx * scale) / 2,
  };
}

/** The point of the image under `at` stays where it is. */
export function zoomAt(view: View, at: Point, factor: number, box: Size, image: Size): View {
  const least = Math.min(fitView(box, image).scale, 1) / 2;
  const scale = clamped(view.scale * factor, least, MAX_SCALE);
  const ratio = scale / view.scale;
  return clampView(
    { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio },
    box,
    image,
  );
}

export function pan(view: View, dx: number, dy: number, box: Size, image: Size): View {
  return clampView({ ...view, x: view.x + dx, y: view.y + dy }, box, image);
}

/** An image that is smaller than the box stays in its middle, a larger one covers it. */
export function clampView(view: View, box: Size, image: Size): View {
  return {
    scale: view.scale,
    x: clampAxis(view.x, image.widthPx * view.scale, box.widthPx),
    y: clampAxis(view.y, image.heightPx * view.scale, box.heightPx),
  };
}

function clampAxis(offset: number, length: number, box: number): number {
  return length <= box ? (box - length) / 2 : clamped(offset, box - length, 0);
}

export function toImage(view: View, at: Point): Point {
  return { x: (at.x - view.x) / view.scale, y: (at.y - view.y) / view.scale };
}

/** The part of the image that is seen, in whole pixels of the image. */
export function visiblePart(view: View, box: Size, image: Size): Rect {
  const start = toImage(view, { x: 0, y: 0 });
  const end = toImage(view, { x: box.widthPx, y: box.heightPx });
  return {
    x: wholePixels(start.x, end.x, image.widthPx),
    y: wholePixels(start.y, end.y, image.heightPx),
  };
}

function wholePixels(from: number, to: number, lengthPx: number): { start: number; stop: number } {
  const start = Math.max(0, Math.floor(from));
  return { start, stop: Math.max(start, Math.min(lengthPx, Math.ceil(to))) };
}
