import { useEffect, useRef } from 'react';

export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

/**
 * Acts by names of keys, for example `Ctrl+Shift+z`, `Alt+1`, `[`, `?`. Command on a Mac counts as Ctrl. Shortcuts are
 * off while the user types, and while a dialog is open.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isTyping(event.target) || document.querySelector('[aria-modal="true"]'))
        return;
      const act = latest.current[shortcutName(event)];
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

export function shortcutName(
  event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>,
): string {
  const digit = /^Digit(\d)$/.exec(event.code);
  // With Alt, some layouts make another character of a digit.
  const key = event.altKey && digit ? (digit[1] as string) : event.key;
  const isLetter = /^[a-z]$/i.test(key);
  const name = isLetter ? key.toLowerCase() : key;
  const held = [
    event.ctrlKey || event.metaKey ? 'Ctrl+' : '',
    event.altKey ? 'Alt+' : '',
    // With other keys, Shift is a part of the character.
    event.shiftKey && (isLetter || key.length > 1) ? 'Shift+' : '',
  ];
  return held.join('') + name;
}

/** Elements that use keys themselves. */
const USING_KEYS = 'input, textarea, select, [contenteditable="true"], [role="combobox"]';

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  const field = target.closest(USING_KEYS);
  // Boxes and buttons use only a few keys.
  return (
    field !== null && !['checkbox', 'radio', 'button', 'file'].includes((field as HTMLInputElement).type)
  );
}
