/** How much of a film is finished, by its playlist (RFC 8216). */
export function finishedSeconds(playlist: string): number {
  let seconds = 0;
  for (const [, length] of playlist.matchAll(/^#EXTINF:([\d.]+)/gm)) seconds += Number(length);
  return seconds;
}
