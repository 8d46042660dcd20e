import { expect, test } from 'vitest';
import { readEvents } from '../../src/api/events';

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
      { event: 'state', id: '5-1', data: '{"a":"ü"}' },
      { event: 'item', id: undefined, data: '1\n2' },
    ]);
  }
});
