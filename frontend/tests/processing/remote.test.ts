import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Api } from '../../src/api/client';
import { upscaleTask } from '../../src/features/upscale/task';
import type { ProcessError } from '../../src/lib/errors';
import type { ProcessInput, ProcessProgress } from '../../src/processing/processor';
import { createRemoteProcessor } from '../../src/processing/remote';
import { OPTIONS } from '../options';
import { FakeService, job, json, problem, sse, type Handler } from './fakeService';

// Node has no XMLHttpRequest, which uploads use, so the jobs here were begun by an earlier page. The tests in a
// browser upload.
const INPUT: ProcessInput = { file: new Blob(['in']), fileName: 'a.png', resumeJobId: 'j1' };
const JOB = 'GET /api/jobs/j1';
const EVENTS = 'GET /api/jobs/j1/events';
const RESULT = 'GET /api/jobs/j1/result';

let service: FakeService;
let url: string;
let reported: ProcessProgress[];

beforeEach(async () => {
  service = new FakeService({ [JOB]: json(job('running')), [RESULT]: result });
  url = await service.start();
  reported = [];
});
afterEach(() => service.stop());

function run(signal = new AbortController().signal) {
  const processor = createRemoteProcessor(
    new Api({ baseUrl: url, apiKey: () => 'key' }),
    [upscaleTask],
    [1, 1, 1],
  );
  return processor.process(INPUT, OPTIONS, (progress) => reported.push(progress), signal);
}

const result: Handler = (_, response) => {
  response.writeHead(200, {
    'Content-Type': 'image/png',
    'X-Pixelmend-Model': 'pixelmend-x4',
    'X-Pixelmend-Device': 'cpu; Test',
    'X-Pixelmend-Not-Kept': 'exif',
    'X-Pixelmend-Notes': 'one; two',
    'Server-Timing': 'decode;dur=1.5, device;dur=20.0, encode;dur=3.0',
  });
  response.end('image');
};

function events(text: string, ends: boolean | 'broken' = true): Handler {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(text);
    if (ends === 'broken') setImmediate(() => response.destroy());
    else if (ends) response.end();
  };
}

/** One handler after another. The last one stays. */
function inTurn(...handlers: Handler[]): Handler {
  let n = 0;
  return (request, response) => handlers[Math.min(n++, handlers.length - 1)]?.(request, response);
}

function at(fraction: number) {
  return job('running', { progress: { done_tiles: fraction * 10, total_tiles: 10, fraction } });
}

describe('a job', () => {
  test('is followed to its end, and its result is fetched with what is known of it', async () => {
    service.handlers[EVENTS] = events(
      sse(['state', job('queued', { place: 2 })], ['progress', at(0.5)], ['state', job('done')]),
    );
    const found = await run();
    expect(await found.blob.text()).toBe('image');
    expect(found).toMatchObject({ width: 8, height: 6, mode: 'server', model: 'pixelmend-x4', jobId: 'j1' });
    expect(found.notes.map((note) => note.text)).toEqual(['Not kept: exif', 'one', 'two']);
    expect(found.timing).toMatchObject({ decodeMs: 1.5, computeMs: 20, encodeMs: 3 });
    expect(reported.map((progress) => progress.stage)).toEqual([
      'computing',
      'queued',
      'computing',
      'downloading',
    ]);
    expect(reported[1]).toMatchObject({ place: 2, jobId: 'j1' });
    const fractions = reported.map((progress) => progress.fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });

  test('that is done already is only fetched', async () => {
    service.handlers[JOB] = json(job('done'));
    await run();
    expect(service.asked).toEqual([JOB, RESULT]);
  });

  test('goes on after its connection broke, from the last event that came', async () => {
    let lastId: string | undefined;
    service.handlers[EVENTS] = inTurn(events(sse(['progress', at(0.2)]), 'broken'), (request, response) => {
      lastId = request.headers['last-event-id'] as string;
      expect(request.headers.authorization).toBe('Bearer key');
      events(sse(['state', job('done')]))(request, response);
    });
    await run();
    expect(lastId).toBe('e-0');
  });

  test('is given up as unreachable once the service stays away', async () => {
    service.handlers[EVENTS] = inTurn(events(sse(['progress', at(0.4)]), 'broken'), (_, response) => {
      response.destroy();
    });
    const error = await run().catch((failure: ProcessError) => failure);
    expect(error).toMatchObject({ code: 'unreachable', retryable: true });
    expect(reported.at(-1)?.fraction).toBeCloseTo(0.42);
    expect(service.asked.filter((name) => name === EVENTS).length).toBeGreaterThan(2);
  });

  test('of a service that shuts down is given up as not ready', async () => {
    service.handlers[EVENTS] = events(sse(['progress', at(0.4)], ['drain', at(0.4)]));
    await expect(run()).rejects.toMatchObject({ code: 'not-ready' });
  });

  test('that failed tells its problem', async () => {
    const detail = {
      type: 'urn:pixelmend:problem:corrupt-image',
      title: 't',
      detail: 'd',
      status: 422,
      retryable: false,
    };
    service.handlers[EVENTS] = events(sse(['state', job('failed', { problem: detail })]));
    await expect(run()).rejects.toMatchObject({
      code: 'refused',
      problem: { type: detail.type },
      retryable: false,
    });
  });

  test('whose result ends too early is no result', async () => {
    service.handlers[JOB] = json(job('done'));
    service.handlers[RESULT] = (_, response) => response.end('ima');
    await expect(run()).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('is cancelled at the service when it is cancelled here', async () => {
    const controller = new AbortController();
    const cancelled = new Promise<void>((resolve) => {
      service.handlers['DELETE /api/jobs/j1'] = (request, response) => {
        resolve();
        json(job('cancelled'))(request, response);
      };
    });
    service.handlers[EVENTS] = (request, response) => {
      events(sse(['progress', at(0.1)]), false)(request, response);
      controller.abort(new DOMException('enough', 'AbortError'));
    };
    await expect(run(controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
    await cancelled;
  });
});

describe('a refusal', () => {
  const api = () => new Api({ baseUrl: url, apiKey: () => '' });

  test.each([
    [503, 'queue-full', 'busy'],
    [429, 'quota-exceeded', 'busy'],
    [503, 'draining', 'not-ready'],
    [503, 'no-worker', 'not-ready'],
    [404, 'unknown-job', 'job-lost'],
    [410, 'result-expired', 'job-lost'],
    [422, 'corrupt-image', 'refused'],
    [401, 'key-missing', 'refused'],
  ])('%i %s is %s', async (status, code, kind) => {
    service.handlers[JOB] = problem(status, code, 7);
    await expect(api().job('j1')).rejects.toMatchObject({ code: kind, retryAfterS: 7 });
  });

  test('a gateway without its service is no answer', async () => {
    service.handlers[JOB] = (_, response) => response.writeHead(502).end('<html>');
    await expect(api().job('j1')).rejects.toMatchObject({ code: 'unreachable' });
    service.handlers['GET /readyz'] = (_, response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>');
    await expect(api().readiness()).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('not being ready is an answer, with its reasons', async () => {
    service.handlers['GET /readyz'] = json({ ready: false, reasons: ['no heartbeat'] }, 503);
    expect(await api().readiness()).toEqual({ ready: false, reasons: ['no heartbeat'] });
  });
});
