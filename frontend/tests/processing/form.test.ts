import { expect, test } from 'vitest';
import { parseEvent, readEvents } from '../../src/api/events';
import { jobFields, targetSize } from '../../src/processing/form';
import type { InpaintOptions, UpscaleOptions } from '../../src/processing/processor';

const UPSCALE: UpscaleOptions = {
  task: 'upscale',
  model: 'm',
  target: { kind: 'size', widthPx: 100, heightPx: null },
  denoise: 0.3,
  format: 'webp',
  quality: 80,
  firstFrame: true,
};

test('an enlargement as the service wants it', () => {
  expect(jobFields(UPSCALE)).toEqual({
    task: 'upscale',
    model: 'm',
    width: 100,
    denoise: 0.3,
    format: 'webp',
    quality: 80,
    first_frame: true,
  });
  // The service refuses a quality for a format that has none.
  const lossless = jobFields({ ...UPSCALE, format: 'png', model: null, denoise: null, firstFrame: false });
  expect(lossless).toEqual({ task: 'upscale', width: 100, format: 'png' });
});

test('an erasing, and an enlargement after it', () => {
  const erase: InpaintOptions = {
    task: 'inpaint',
    model: null,
    maskGrowPx: 4,
    maskFeatherPx: 2,
    thenUpscale: null,
    format: 'png',
    quality: null,
    firstFrame: false,
  };
  const alone = { task: 'inpaint', mask_grow: 4, mask_feather: 2, format: 'png' };
  expect(jobFields(erase)).toEqual(alone);
  const thenUpscale = { model: 'up', target: { kind: 'scale', factor: 2 } as const, denoise: null };
  expect(jobFields({ ...erase, thenUpscale })).toEqual({
    ...alone,
    then: 'upscale',
    upscale_model: 'up',
    scale: 2,
  });
});

test('a side that follows is rounded as the service rounds it, halves to the even', () => {
  const size = { widthPx: 5, heightPx: 3 };
  expect(targetSize(size, { kind: 'scale', factor: 1.5 })).toEqual({ widthPx: 8, heightPx: 4 });
  expect(targetSize(size, { kind: 'size', widthPx: null, heightPx: 9 })).toEqual({
    widthPx: 15,
    heightPx: 9,
  });
  expect(targetSize(size, { kind: 'size', widthPx: 7, heightPx: 20 })).toEqual({ widthPx: 7, heightPx: 20 });
});

test('events, whatever pieces they arrive in', async () => {
  const text =
    'retry: 2000\n\n: ping\n\nevent: state\nid: 5-1\ndata: {"a":"ü"}\n\nevent: item\r\ndata: 1\r\ndata: 2\r\n\r\ndata: cut';
  const bytes = new TextEncoder().encode(text);
  for (const step of [1, 2, 3, 7, 1000]) {
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (let at = 0; at < bytes.length; at += step) controller.enqueue(bytes.slice(at, at + step));
        controller.close();
      },
    });
    const events = [];
    for await (const event of readEvents(stream)) events.push(event);
    expect(events).toEqual([
      { name: 'state', id: '5-1', data: '{"a":"ü"}' },
      { name: 'item', id: null, data: '1\n2' },
    ]);
  }
  expect(parseEvent(': only a comment')).toBeNull();
});
