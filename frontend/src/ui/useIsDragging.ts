import { useEffect, useState } from 'react';

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
