import { useEffect, useState } from 'react';
import { goTo, useTab } from '../../app/hooks';
import { type Services, useServices } from '../../app/services';
import { useShortcuts } from '../../app/useShortcuts';

export function addFiles({ queue }: Services, files: readonly File[]): void {
  const addedMs = Date.now();
  queue.dispatch({
    type: 'added',
    items: files.map((file, n) => ({
      id: crypto.randomUUID(),
      file,
      fileName: file.name || 'image.png',
      addedMs: addedMs + n / 1000,
    })),
  });
}

/** Opens the system's file dialog. */
export function pickFiles(
  onPicked: (files: File[]) => void,
  isMultiple = true,
  accept = 'image/*,.heic,.heif',
): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = isMultiple;
  input.accept = accept;
  input.onchange = () => onPicked([...(input.files ?? [])]);
  input.click();
}

/** Takes files that are dropped anywhere or pasted, for the tab that is shown. */
export function useAddFiles(): void {
  const services = useServices();
  const [tab] = useTab();
  useEffect(() => {
    const take = (list: FileList | undefined | null) => {
      const files = [...(list ?? [])];
      const first = files[0];
      if (!first) return false;
      if (tab === 'erase') services.erasing.dispatch({ file: first, fileName: first.name || 'image.png' });
      else {
        addFiles(services, files);
        goTo('upscale');
      }
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
  }, [services, tab]);
  useShortcuts({
    o: () =>
      tab === 'erase'
        ? pickFiles(([file]) => file && services.erasing.dispatch({ file, fileName: file.name }), false)
        : pickFiles((files) => addFiles(services, files)),
  });
}

/** Whether files are being dragged over the page. */
export function useIsDragging(): boolean {
  const [depth, setDepth] = useState(0);
  useEffect(() => {
    const onEnter = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) setDepth((now) => now + 1);
    };
    const onLeave = () => setDepth((now) => Math.max(0, now - 1));
    const onDrop = () => setDepth(0);
    window.addEventListener('dragenter', onEnter);
    window.addEventListener('dragleave', onLeave);
    window.addEventListener('drop', onDrop);
    return () => {
      window.removeEventListener('dragenter', onEnter);
      window.removeEventListener('dragleave', onLeave);
      window.removeEventListener('drop', onDrop);
    };
  }, []);
  return depth > 0;
}
