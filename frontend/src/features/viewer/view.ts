/** How an image lies on the screen: `screen = image * scale + (x, y)`, all in CSS px. */

export interface View {
  scale: number;
  x: number;
  y: number;
}

export interface Extent {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

export const MAX_SCALE = 32;

/** The whole image, in the middle; small images are not blown up beyond their own size times `most`. */
export function fitView(box: Extent, image: Extent, most = 4): View {
  const scale = Math.min(box.width / image.width, box.height / image.height, most);
  return centred(box, image, scale);
}

export function centred(box: Extent, image: Extent, scale: number): View {
  return { scale, x: (box.width - image.width * scale) / 2, y: (box.height - image.height * scale) / 2 };
}

/** The point of the image under `at` stays where it is. */
export function zoomAt(view: View, at: Point, factor: number, box: Extent, image: Extent): View {
  const least = Math.min(fitView(box, image).scale, 1) / 2;
  const scale = Math.min(Math.max(view.scale * factor, least), MAX_SCALE);
  const ratio = scale / view.scale;
  return clampView(
    { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio },
    box,
    image,
  );
}

export function pan(view: View, dx: number, dy: number, box: Extent, image: Extent): View {
  return clampView({ ...view, x: view.x + dx, y: view.y + dy }, box, image);
}

/** An image that is smaller than the box stays in its middle, a larger one covers it. */
export function clampView(view: View, box: Extent, image: Extent): View {
  return {
    scale: view.scale,
    x: clampAxis(view.x, image.width * view.scale, box.width),
    y: clampAxis(view.y, image.height * view.scale, box.height),
  };
}

function clampAxis(offset: number, length: number, box: number): number {
  if (length <= box) return (box - length) / 2;
  return Math.min(0, Math.max(box - length, offset));
}

export function toImage(view: View, at: Point): Point {
  return { x: (at.x - view.x) / view.scale, y: (at.y - view.y) / view.scale };
}

/** The part of the image that is seen, in its own px, within it. */
export function visiblePart(
  view: View,
  box: Extent,
  image: Extent,
): { x: number; y: number; width: number; height: number } {
  const start = toImage(view, { x: 0, y: 0 });
  const end = toImage(view, { x: box.width, y: box.height });
  const x = Math.max(0, Math.floor(start.x));
  const y = Math.max(0, Math.floor(start.y));
  return {
    x,
    y,
    width: Math.max(0, Math.min(image.width, Math.ceil(end.x)) - x),
    height: Math.max(0, Math.min(image.height, Math.ceil(end.y)) - y),
  };
}
