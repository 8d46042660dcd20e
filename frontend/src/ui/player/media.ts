/** What a player shows. */

export type Media =
  /** A film. */
  | { kind: 'film'; src: string }
  /** A playlist that grows. `headers` go with each of its requests. */
  | { kind: 'playlist'; src: string; headers: () => Record<string, string> }
  /** An animated image. */
  | { kind: 'picture'; src: string };

/** Shows a medium in an element, until the function that comes back is called. */
export function attach(video: HTMLVideoElement, media: Media): () => void {
  // Browsers with MediaSource play the playlist by hls.js, which sends the headers. The others play it themselves.
  const hasMediaSource = 'MediaSource' in window || 'ManagedMediaSource' in window;
  if (media.kind === 'playlist' && hasMediaSource) return attachPlaylist(video, media.src, media.headers);
  video.src = media.src;
  return () => {
    video.removeAttribute('src');
    video.load();
  };
}

function attachPlaylist(
  video: HTMLVideoElement,
  src: string,
  headers: () => Record<string, string>,
): () => void {
  let isEnded = false;
  let stop = () => {};
  void import('hls.js/light').then(({ default: Hls }) => {
    if (isEnded) return;
    const player = new Hls({
      // From the beginning, and never ahead to what was finished last.
      startPosition: 0,
      liveSyncDurationCount: 3,
      liveMaxLatencyDurationCount: Infinity,
      // Its worker would be code that the page's policy does not allow, and it has nothing to convert.
      enableWorker: false,
      xhrSetup: (request) => {
        for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
      },
    });
    player.loadSource(src);
    player.attachMedia(video);
    stop = () => player.destroy();
  });
  return () => {
    isEnded = true;
    stop();
  };
}
