/**
 * A name that nothing else has: 32 hexadecimal digits. Browsers have `crypto.randomUUID` only for pages that come by
 * HTTPS or from this machine.
 */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
