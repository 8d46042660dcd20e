import { useEffect, useState } from 'react';
import { type ImageSource, openSource } from './source';

export type Opened =
  { state: 'none' | 'opening' | 'failed'; source: null } | { state: 'open'; source: ImageSource };

/** The image of a file, decoded for the screen. It is closed when the file changes. */
export function useSource(file: Blob | null, widthPx: number | null, heightPx: number | null): Opened {
  const [found, setFound] = useState<{ file: Blob | null; opened: Opened }>({
    file: null,
    opened: { state: 'none', source: null },
  });
  useEffect(() => {
    if (!file) return;
    let isCurrent = true;
    let source: ImageSource | null = null;
    openSource(file, widthPx && heightPx ? { widthPx, heightPx } : null).then(
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
  }, [file, widthPx, heightPx]);
  if (!file) return { state: 'none', source: null };
  return found.file === file ? found.opened : { state: 'opening', source: null };
}
