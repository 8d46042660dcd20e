import { useCallback, useEffect, useMemo, useRef, useState, type RefObject } from 'react';
import { isSameSize, type Point, type Size } from '../../imaging/geometry';
import { centred, clampView, fitView, pan, type View, zoomAt } from './view';

const WHEEL_STEP = 1.0015;
const KEY_PAN_PX = 60;
export const ZOOM_STEP = 1.4;

export interface Viewport {
  view: View;
  box: Size;
  fit: () => void;
  actual: () => void;
  zoom: (factor: number) => void;
  /** The canvas's handlers: one pointer pans, two zoom. */
  handlers: {
    onPointerDown: (event: React.PointerEvent<HTMLElement>) => void;
    onPointerMove: (event: React.PointerEvent<HTMLElement>) => void;
    onPointerUp: (event: React.PointerEvent<HTMLElement>) => void;
    onPointerCancel: (event: React.PointerEvent<HTMLElement>) => void;
    onDoubleClick: (event: React.MouseEvent<HTMLElement>) => void;
    onKeyDown: (event: React.KeyboardEvent<HTMLElement>) => void;
  };
}

/** Size, zoom and position of an image in an element. `pans` says whether a single pointer may move it now. */
export function useViewport(
  element: RefObject<HTMLElement | null>,
  image: Size | null,
  pans: (event: React.PointerEvent<HTMLElement>) => boolean = always,
): Viewport {
  const [box, setBox] = useState<Size>({ widthPx: 0, heightPx: 0 });
  const [chosen, setChosen] = useState<{ view: View; image: Size } | null>(null);
  const pointers = useRef(new Map<number, Point>());

  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const observer = new ResizeObserver(() =>
      setBox({ widthPx: target.clientWidth, heightPx: target.clientHeight }),
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);

  const view = useMemo(() => {
    if (!image || box.widthPx === 0) return { scale: 1, x: 0, y: 0 };
    return chosen && isSameSize(chosen.image, image)
      ? clampView(chosen.view, box, image)
      : fitView(box, image);
  }, [image, box, chosen]);

  const change = useCallback(
    (next: (view: View) => View) => {
      if (!image) return;
      setChosen((before) => {
        const now =
          before && isSameSize(before.image, image)
            ? clampView(before.view, box, image)
            : fitView(box, image);
        return { view: next(now), image };
      });
    },
    [image, box],
  );

  // React's wheel listeners are passive, so the page would scroll as well.
  useEffect(() => {
    const target = element.current;
    if (!target || !image) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const at = pointIn(target, event);
      change((now) => zoomAt(now, at, WHEEL_STEP ** -event.deltaY, box, image));
    };
    target.addEventListener('wheel', onWheel, { passive: false });
    return () => target.removeEventListener('wheel', onWheel);
  }, [element, image, box, change]);

  const middle = { x: box.widthPx / 2, y: box.heightPx / 2 };
  const fit = () => setChosen(null);
  const actual = () => image && setChosen({ view: centred(box, image, 1 / window.devicePixelRatio), image });
  const zoom = (factor: number) => image && change((now) => zoomAt(now, middle, factor, box, image));

  const onPointerDown = (event: React.PointerEvent<HTMLElement>) => {
    if (event.pointerType === 'touch' || pans(event)) {
      event.currentTarget.setPointerCapture(event.pointerId);
      pointers.current.set(event.pointerId, pointIn(event.currentTarget, event));
    }
  };
  const onPointerMove = (event: React.PointerEvent<HTMLElement>) => {
    const before = pointers.current.get(event.pointerId);
    if (!before || !image) return;
    const at = pointIn(event.currentTarget, event);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, at);
    if (!other) {
      if (pans(event)) change((now) => pan(now, at.x - before.x, at.y - before.y, box, image));
      return;
    }
    const centre = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    const factor = distance(at, other) / Math.max(1, distance(before, other));
    change((now) => {
      const moved = pan(now, (at.x - before.x) / 2, (at.y - before.y) / 2, box, image);
      return zoomAt(moved, centre, factor, box, image);
    });
  };
  const onPointerUp = (event: React.PointerEvent<HTMLElement>) => {
    pointers.current.delete(event.pointerId);
  };
  const onDoubleClick = (event: React.MouseEvent<HTMLElement>) => {
    if (!image) return;
    const at = pointIn(event.currentTarget, event);
    const isFitted = Math.abs(view.scale - fitView(box, image).scale) < 1e-6;
    if (isFitted) change((now) => zoomAt(now, at, Math.max(2, 1 / now.scale), box, image));
    else fit();
  };
  const onKeyDown = (event: React.KeyboardEvent<HTMLElement>) => {
    if (event.target !== event.currentTarget || !image || event.ctrlKey || event.altKey || event.metaKey)
      return;
    const move = (dx: number, dy: number) => change((now) => pan(now, dx, dy, box, image));
    const acts: Record<string, () => void> = {
      ArrowLeft: () => move(KEY_PAN_PX, 0),
      ArrowRight: () => move(-KEY_PAN_PX, 0),
      ArrowUp: () => move(0, KEY_PAN_PX),
      ArrowDown: () => move(0, -KEY_PAN_PX),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  return {
    view,
    box,
    fit,
    actual,
    zoom,
    handlers: {
      onPointerDown,
      onPointerMove,
      onPointerUp,
      onPointerCancel: onPointerUp,
      onDoubleClick,
      onKeyDown,
    },
  };
}

export function pointIn(element: Element, event: { clientX: number; clientY: number }): Point {
  const box = element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function always(): boolean {
  return true;
}
