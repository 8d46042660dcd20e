/** What a file is, from its own bytes: enough to refuse in words, before an upload, what cannot work. */

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'heic' | 'tiff' | 'bmp' | 'gif';

export interface Probe {
  format: ImageFormat;
  /** As it is seen, its orientation applied; null where the header does not tell cheaply. */
  widthPx: number | null;
  heightPx: number | null;
  isAnimated: boolean;
  /** The end of the file is where the format says that it is. */
  isComplete: boolean;
}

/** null: no image of a format that is known here. `bytes` is the whole file. */
export function probe(bytes: Uint8Array): Probe | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return probePng(view);
    if (startsWith(bytes, [0xff, 0xd8, 0xff])) return probeJpeg(view);
    if (ascii(view, 0, 4) === 'RIFF' && ascii(view, 8, 4) === 'WEBP') return probeWebp(view);
    if (ascii(view, 0, 6) === 'GIF87a' || ascii(view, 0, 6) === 'GIF89a') return probeGif(view);
    if (ascii(view, 0, 2) === 'BM' && bytes.length >= 26) return probeBmp(view);
    if (ascii(view, 0, 4) === 'II*\0' || ascii(view, 0, 4) === 'MM\0*') return plain('tiff');
    if (ascii(view, 4, 4) === 'ftyp') return probeHeif(ascii(view, 8, 4));
  } catch (error) {
    // A header that ends in the middle: its format is known from the first bytes, the rest is not.
    if (!(error instanceof RangeError)) throw error;
    return truncated(bytes);
  }
  return null;
}

function plain(format: ImageFormat): Probe {
  return { format, widthPx: null, heightPx: null, isAnimated: false, isComplete: true };
}

function truncated(bytes: Uint8Array): Probe | null {
  const formats: [number, ImageFormat][] = [
    [0x89, 'png'],
    [0xff, 'jpeg'],
    [0x52, 'webp'],
    [0x47, 'gif'],
    [0x42, 'bmp'],
  ];
  const format = formats.find(([first]) => first === bytes[0])?.[1];
  return format ? { ...plain(format), isComplete: false } : null;
}

function probePng(view: DataView): Probe {
  const widthPx = view.getUint32(16);
  const heightPx = view.getUint32(20);
  let isAnimated = false;
  let isComplete = false;
  for (let at = 8; at + 8 <= view.byteLength; at += 12 + view.getUint32(at)) {
    const kind = ascii(view, at + 4, 4);
    if (kind === 'acTL') isAnimated = view.getUint32(at + 8) > 1;
    if (kind === 'IEND') {
      isComplete = true;
      break;
    }
  }
  return { format: 'png', widthPx, heightPx, isAnimated, isComplete };
}

function probeJpeg(view: DataView): Probe {
  let orientation = 1;
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) throw new RangeError('no marker');
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = view.getUint16(at + 2);
    if (marker === 0xe1 && ascii(view, at + 4, 4) === 'Exif') orientation = exifOrientation(view, at + 10);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      const sides = [view.getUint16(at + 7), view.getUint16(at + 5)] as const;
      const [widthPx, heightPx] = orientation >= 5 ? [sides[1], sides[0]] : sides;
      return { format: 'jpeg', widthPx, heightPx, isAnimated: false, isComplete: endsAsJpeg(view) };
    }
    if (marker === 0xda || length < 2) throw new RangeError('no frame');
    at += 2 + length;
  }
}

/** Cameras put bytes after the end marker, so it is looked for rather than expected. */
function endsAsJpeg(view: DataView): boolean {
  for (let at = view.byteLength - 2; at >= 2; at -= 1) {
    if (view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xd9) return true;
  }
  return false;
}

function exifOrientation(view: DataView, start: number): number {
  const little = ascii(view, start, 2) === 'II';
  const directory = start + view.getUint32(start + 4, little);
  if (directory + 2 > view.byteLength) return 1;
  const entries = view.getUint16(directory, little);
  for (let n = 0; n < entries; n += 1) {
    const entry = directory + 2 + 12 * n;
    if (entry + 12 > view.byteLength) return 1;
    if (view.getUint16(entry, little) === 0x0112) {
      const value = view.getUint16(entry + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  }
  return 1;
}

function probeWebp(view: DataView): Probe {
  const kind = ascii(view, 12, 4);
  const isComplete = view.byteLength >= view.getUint32(4, true) + 8;
  const of = (widthPx: number, heightPx: number, isAnimated = false): Probe => ({
    format: 'webp',
    widthPx,
    heightPx,
    isAnimated,
    isComplete,
  });
  const uint24 = (at: number) => view.getUint16(at, true) + 65536 * view.getUint8(at + 2);
  if (kind === 'VP8X') return of(uint24(24) + 1, uint24(27) + 1, (view.getUint8(20) & 2) !== 0);
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true);
    return of((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
  }
  return of(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
}

function probeGif(view: DataView): Probe {
  const widthPx = view.getUint16(6, true);
  const heightPx = view.getUint16(8, true);
  let frames = 0;
  let isComplete = false;
  const skipBlocks = (from: number) => {
    let at = from;
    while (view.getUint8(at) !== 0) at += 1 + view.getUint8(at);
    return at + 1;
  };
  let at = 13 + tableBytes(view.getUint8(10));
  try {
    while (frames < 2) {
      const kind = view.getUint8(at);
      if (kind === 0x3b) {
        isComplete = true;
        break;
      }
      if (kind === 0x21) at = skipBlocks(at + 2);
      else if (kind === 0x2c) {
        at = skipBlocks(at + 11 + tableBytes(view.getUint8(at + 9)));
        frames += 1;
      } else break;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return { format: 'gif', widthPx, heightPx, isAnimated: frames > 1, isComplete: isComplete || frames > 1 };
}

function tableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function probeBmp(view: DataView): Probe {
  return {
    format: 'bmp',
    widthPx: Math.abs(view.getInt32(18, true)),
    heightPx: Math.abs(view.getInt32(22, true)),
    isAnimated: false,
    isComplete: view.byteLength >= view.getUint32(10, true),
  };
}

function probeHeif(brand: string): Probe | null {
  if (brand === 'avif') return plain('avif');
  if (brand === 'avis') return { ...plain('avif'), isAnimated: true };
  return ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'].includes(brand)
    ? plain('heic')
    : null;
}

function startsWith(bytes: Uint8Array, wanted: readonly number[]): boolean {
  return wanted.every((byte, at) => bytes[at] === byte);
}

function ascii(view: DataView, at: number, length: number): string {
  if (at + length > view.byteLength) return '';
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length));
}
