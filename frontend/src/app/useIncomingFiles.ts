import { useEffect } from 'react';
import { pickFile, pickFiles } from '../files/pick';
import { useServices } from '../state/services';
import { useShortcuts } from '../ui/useShortcuts';
import { takerOf } from './features';
import { goTo, useTab } from './useTab';

/** Takes files that are dropped anywhere, pasted or picked, for the section that is shown. */
export function useIncomingFiles(): void {
  const services = useServices();
  const taker = takerOf(useTab());
  useEffect(() => {
    const take = (list: FileList | undefined | null): boolean => {
      const files = [...(list ?? [])];
      if (files.length === 0) return false;
      taker.take(services, files);
      goTo(taker);
      return true;
    };
    const onDrop = (event: DragEvent) => {
      event.preventDefault();
      take(event.dataTransfer?.files);
    };
    const onDragOver = (event: DragEvent) => event.preventDefault();
    const onPaste = (event: ClipboardEvent) => {
      if (take(event.clipboardData?.files)) event.preventDefault();
    };
    window.addEventListener('drop', onDrop);
    window.addEventListener('dragover', onDragOver);
    window.addEventListener('paste', onPaste);
    return () => {
      window.removeEventListener('drop', onDrop);
      window.removeEventListener('dragover', onDragOver);
      window.removeEventListener('paste', onPaste);
    };
  }, [services, taker]);
  useShortcuts({
    o: () =>
      taker.pick
        ? taker.pick(services)
        : taker.takesMany
          ? pickFiles((files) => files.length > 0 && taker.take(services, files))
          : pickFile((file) => taker.take(services, [file])),
  });
}
