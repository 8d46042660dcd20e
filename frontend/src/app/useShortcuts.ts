import { useEffect, useRef } from 'react';

export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

/** By names as `Ctrl+Shift+z`, `Alt+1`, `[`, `?`. Ctrl is Command on a Mac. Not while somebody types. */
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
  // With Alt, some layouts give another character for a digit.
  const key = event.altKey && digit ? (digit[1] as string) : event.key;
  const isLetter = /^[a-z]$/i.test(key);
  const name = isLetter ? key.toLowerCase() : key;
  const held = [
    event.ctrlKey || event.metaKey ? 'Ctrl+' : '',
    event.altKey ? 'Alt+' : '',
    // Of other keys, Shift is what makes the character.
    event.shiftKey && (isLetter || key.length > 1) ? 'Shift+' : '',
  ];
  return held.join('') + name;
}

const KEYS_OF_THEIR_OWN = 'input, textarea, select, [contenteditable="true"], [role="combobox"]';

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  const field = target.closest(KEYS_OF_THEIR_OWN);
  // Boxes and buttons take only a few keys.
  return (
    field !== null && !['checkbox', 'radio', 'button', 'file'].includes((field as HTMLInputElement).type)
  );
}
