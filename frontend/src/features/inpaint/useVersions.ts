import { useCallback, useMemo, useState } from 'react';
import type { Size } from '../../imaging/geometry';
import type { ProcessResult } from '../../processing/processor';
import { MaskEditor } from './mask/editor';

/** The user's image, or a result that is inpainted again. */
interface Version {
  file: Blob;
  widthPx: number | null;
  heightPx: number | null;
  result: ProcessResult | null;
  /** Filled when the size of the image is known. */
  editors: Map<string, MaskEditor>;
}

/** Each version holds a mask of the size of its image. */
const MAX_VERSIONS = 6;

export interface Versions {
  current: Version;
  first: Blob;
  count: number;
  push: (result: ProcessResult) => void;
  back: () => void;
  editorFor: (size: Size) => MaskEditor;
}

/** The image and the results that were made from it, one after another. */
export function useVersions(file: Blob): Versions {
  const [list, setList] = useState<Version[]>(() => [
    { file, widthPx: null, heightPx: null, result: null, editors: new Map() },
  ]);
  const current = list.at(-1) as Version;
  const push = useCallback((result: ProcessResult) => {
    const { blob, width, height } = result;
    const next: Version = { file: blob, widthPx: width, heightPx: height, result, editors: new Map() };
    // The first version stays, since it is compared with the result.
    setList((now) => [...now.slice(0, 1), ...now.slice(1).slice(-(MAX_VERSIONS - 2)), next]);
  }, []);
  const back = useCallback(() => setList((now) => (now.length > 1 ? now.slice(0, -1) : now)), []);
  const editorFor = useMemo(
    () => (size: Size) => {
      const key = `${size.widthPx}x${size.heightPx}`;
      const editor = current.editors.get(key) ?? new MaskEditor(size);
      current.editors.set(key, editor);
      return editor;
    },
    [current],
  );
  return { current, first: (list[0] as Version).file, count: list.length, push, back, editorFor };
}
