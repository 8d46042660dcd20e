import { useCallback, useMemo, useState } from 'react';
import { MaskEditor } from '../../mask/editor';
import type { ProcessResult } from '../../processing/processor';
import type { Extent } from '../viewer/view';

/** An image that is erased in: the user's, or what an erasing made of it. */
interface Version {
  file: Blob;
  width: number | null;
  height: number | null;
  result: ProcessResult | null;
  /** Filled once the image's size is known. */
  editors: Map<string, MaskEditor>;
}

/** Each holds a mask of the image's size. */
const MOST_VERSIONS = 6;

export interface Versions {
  current: Version;
  first: Blob;
  count: number;
  push: (result: ProcessResult) => void;
  back: () => void;
  editorFor: (size: Extent) => MaskEditor;
}

/** The image and its results, one upon the other. */
export function useVersions(file: Blob): Versions {
  const [list, setList] = useState<Version[]>(() => [
    { file, width: null, height: null, result: null, editors: new Map() },
  ]);
  const current = list.at(-1) as Version;
  const push = useCallback((result: ProcessResult) => {
    const { blob, width, height } = result;
    const next = { file: blob, width, height, result, editors: new Map<string, MaskEditor>() };
    // The first one stays: it is what is held up against the result.
    setList((now) => [...now.slice(0, 1), ...now.slice(1).slice(-(MOST_VERSIONS - 2)), next]);
  }, []);
  const back = useCallback(() => setList((now) => (now.length > 1 ? now.slice(0, -1) : now)), []);
  const editorFor = useMemo(
    () => (size: Extent) => {
      const key = `${size.width}x${size.height}`;
      const editor = current.editors.get(key) ?? new MaskEditor(size.width, size.height);
      current.editors.set(key, editor);
      return editor;
    },
    [current],
  );
  return { current, first: (list[0] as Version).file, count: list.length, push, back, editorFor };
}
