import { useEffect, useState } from 'react';
import { type ImageSource, openSource } from './source';
import type { Extent } from './view';

export type Opened =
  { state: 'none' | 'opening' | 'failed'; source: null } | { state: 'open'; source: ImageSource };

/** The image of a file, decoded for the screen; closed once it is another file's turn. */
export function useSource(file: Blob | null, width: number | null, height: number | null): Opened {
  const [found, setFound] = useState<{ file: Blob | null; opened: Opened }>({
    file: null,
    opened: { state: 'none', source: null },
  });
  useEffect(() => {
    if (!file) return;
    let isCurrent = true;
    let source: ImageSource | null = null;
    const size: Extent | null = width && height ? { width, height } : null;
    openSource(file, size).then(
      (opened) => {
        if (!isCurrent) return opened.close();
        source = opened;
        setFound({ file, opened: { state: 'open', source } });
      },
      () => isCurrent && setFound({ file, opened: { state: 'failed', source: null } }),
    );
    return () => {
      isCurrent = false;
      setFound({ file: null, opened: { state: 'none', source: null } });
      source?.close();
    };
  }, [file, width, height]);
  if (!file) return { state: 'none', source: null };
  return found.file === file ? found.opened : { state: 'opening', source: null };
}
