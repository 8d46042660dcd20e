import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/api/constants';
import { checkFile, refusalOf } from '../../src/files/check';
import { readHeader } from '../../src/imaging/headers';

const PYTHON = process.env.PYTHON ?? '../.venv/bin/python';

// Another library wrote the files, so that an error of ours cannot be on both sides.
const SCRIPT = `
import base64, io, json
from PIL import Image
out = {}
def put(name, image, fmt, **more):
    data = io.BytesIO(); image.save(data, fmt, **more); out[name] = base64.b64encode(data.getvalue()).decode()
colour = Image.radial_gradient("L").resize((40, 30)).convert("RGB")
other = colour.point(lambda value: 255 - value)
for fmt in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "AVIF"):
    put(fmt.lower(), colour, fmt)
put("webp lossy", colour, "WEBP"); put("webp lossless", colour, "WEBP", lossless=True)
put("webp alpha", colour.convert("RGBA"), "WEBP", exif=b"Exif\\0\\0II*\\0\\x08\\0\\0\\0\\0\\0")
exif = Image.Exif(); exif[0x0112] = 6
put("jpeg turned", colour, "JPEG", exif=exif); put("jpeg progressive", colour, "JPEG", progressive=True)
for fmt in ("PNG", "GIF", "WEBP"):
    put(f"{fmt.lower()} animated", colour, fmt, save_all=True, append_images=[other])
print(json.dumps(out))
`;

const samples = existsSync(PYTHON)
  ? (JSON.parse(execFileSync(PYTHON, ['-c', SCRIPT], { encoding: 'utf8' })) as Record<string, string>)
  : null;
const bytesOf = (name: string) => new Uint8Array(Buffer.from(samples?.[name] ?? '', 'base64'));

describe.skipIf(samples === null)('files written by Pillow', () => {
  test.each([
    ['png', 'png', 40, 30],
    ['jpeg', 'jpeg', 40, 30],
    ['jpeg progressive', 'jpeg', 40, 30],
    ['jpeg turned', 'jpeg', 30, 40],
    ['gif', 'gif', 40, 30],
    ['bmp', 'bmp', 40, 30],
    ['webp lossy', 'webp', 40, 30],
    ['webp lossless', 'webp', 40, 30],
    ['webp alpha', 'webp', 40, 30],
    ['tiff', 'tiff', null, null],
    ['avif', 'avif', null, null],
  ])('%s', (name, format, widthPx, heightPx) => {
    const found = readHeader(bytesOf(name));
    expect(found).toEqual({ format, widthPx, heightPx, isAnimated: false, isComplete: true });
    if (found) expect(refusalOf(found, DEFAULT_LIMITS, false)).toBeNull();
  });

  test.each(['png animated', 'gif animated', 'webp animated'])(
    '%s is refused unless its first frame will do',
    (name) => {
      const found = readHeader(bytesOf(name));
      if (!found) throw new Error('not known');
      expect(refusalOf(found, DEFAULT_LIMITS, false)?.key).toBe('refusals.animated');
      expect(refusalOf(found, DEFAULT_LIMITS, true)).toBeNull();
    },
  );

  test.each(['png', 'jpeg', 'gif', 'webp lossy'])(
    '%s that was cut off is refused, wherever it was cut',
    (name) => {
      const whole = bytesOf(name);
      for (let length = 16; length < whole.length - 1; length += 7) {
        const found = readHeader(whole.slice(0, length));
        expect(found?.isComplete, `${length} of ${whole.length}`).toBe(false);
        if (found) expect(refusalOf(found, DEFAULT_LIMITS, false)?.key).toMatch(/truncated|damaged/);
      }
    },
  );
});

describe('before an upload', () => {
  const thumbnail = new Blob(['t']);
  const check = (file: Blob, decodes = true, measured = { widthPx: 30, heightPx: 20 }) =>
    checkFile(file, { ...DEFAULT_LIMITS, max_upload_bytes: 100 }, false, {
      thumbnail: () => Promise.resolve(decodes ? thumbnail : null),
      measure: () => Promise.resolve(measured),
    });
  const header = (width: number, height: number) => {
    const view = new DataView(new ArrayBuffer(45));
    [0x89504e47, 0x0d0a1a0a, 13, 0x49484452, width, height].forEach((word, n) => view.setUint32(n * 4, word));
    [0, 0x49454e44].forEach((word, n) => view.setUint32(33 + n * 4, word));
    return view.buffer;
  };

  test.each([
    ['nothing in it', new Blob([]), 'empty'],
    ['no image', new Blob(['hello, world']), 'unsupported'],
    ['a film by its name', new File(['hello, world'], 'Ferien.MKV'), 'film'],
    ['a film by its type', new File(['hello, world'], 'clip', { type: 'video/mp4' }), 'film'],
    ['a film of too many bytes', new File(['x'.repeat(101)], 'clip.mp4'), 'film'],
    ['an image that is named as a film', new File([header(0, 10)], 'clip.mp4'), 'damaged'],
    ['too many bytes', new Blob(['x'.repeat(101)]), 'tooManyBytes'],
    ['a side too long', new Blob([header(20_000, 10)]), 'tooLong'],
    ['too many pixels', new Blob([header(10_000, 10_000)]), 'tooManyPixels'],
    ['no width', new Blob([header(0, 10)]), 'damaged'],
  ])('%s', async (_, file, key) => {
    expect((await check(file)).refusal?.key).toBe(`refusals.${key}`);
  });

  test('the limit is part of the refusal', async () => {
    const { refusal } = await check(new Blob([header(10_000, 10_000)]));
    expect(refusal?.values).toEqual({ megapixels: 100, limit: 50 });
  });

  test('what this browser cannot decode although all can is damaged', async () => {
    const file = new Blob([header(10, 10)]);
    expect((await check(file, false)).refusal?.key).toBe('refusals.damaged');
    expect(await check(file)).toMatchObject({ refusal: null, thumbnail, probe: { widthPx: 10 } });
  });

  test('a size that the header does not tell cheaply is measured if the browser can decode it', async () => {
    const file = new Blob(['\0\0\0\x1cftypavif\0\0\0\0']);
    expect(await check(file)).toMatchObject({ refusal: null, probe: { widthPx: 30, heightPx: 20 } });
    expect(await check(file, false)).toMatchObject({ refusal: null, probe: { widthPx: null } });
    const tooLong = await check(file, true, { widthPx: 20_000, heightPx: 10 });
    expect(tooLong.refusal?.key).toBe('refusals.tooLong');
  });
});
