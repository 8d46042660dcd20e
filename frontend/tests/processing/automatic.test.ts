import { describe, expect, test } from 'vitest';
import { createAutomaticProcessor, type ModePreference } from '../../src/processing/automatic';
import { upscaleTask } from '../../src/features/upscale/task';
import { ProcessError, type ProcessErrorCode } from '../../src/lib/errors';
import type { UpscaleOptions } from '../../src/processing/options';
import type {
  Capabilities,
  ProcessInput,
  Processor,
  ProcessProgress,
  ProcessResult,
} from '../../src/processing/processor';
import { OPTIONS } from '../options';

const INPUT: ProcessInput = { file: new Blob(['in']), fileName: 'a.png' };
const ABLE: Capabilities = {
  available: true,
  reason: null,
  reasonKey: null,
  models: [{ id: 'pixelmend-x4', title: '', task: 'upscale', scale: 4, dials: [] }],
  formats: ['png'],
  maxInputPixels: null,
  maxOutputPixels: null,
};

interface Scene {
  preference?: ModePreference;
  notReady?: ProcessErrorCode;
  /** The service fails with this code, at the fraction `failsAt`. */
  failure?: ProcessErrorCode;
  failsAt?: number;
  browser?: Partial<Capabilities>;
  options?: Partial<UpscaleOptions>;
}

async function play({ preference = 'auto', notReady, failure, failsAt = 0, browser, options }: Scene) {
  const ran: string[] = [];
  const reported: ProcessProgress[] = [];
  const states: (string | null)[] = [];
  const processor = (mode: 'server' | 'browser'): Processor => ({
    capabilities: () => Promise.resolve({ ...ABLE, ...(mode === 'browser' ? browser : {}) }),
    process: (_input, _options, onProgress) => {
      ran.push(mode);
      onProgress({
        stage: 'computing',
        done: 1,
        total: 2,
        fraction: mode === 'server' ? failsAt : 0.5,
        mode,
      });
      if (mode === 'server' && failure) return Promise.reject(new ProcessError(failure, 'it failed'));
      return Promise.resolve({ mode, notes: [{ key: null, text: 'own' }] } as unknown as ProcessResult);
    },
  });
  const automatic = createAutomaticProcessor({
    remote: processor('server'),
    browser: processor('browser'),
    tasks: [upscaleTask],
    preference: () => preference,
    requireReady: () =>
      notReady ? Promise.reject(new ProcessError(notReady, 'not now')) : Promise.resolve(),
    onService: (error) => states.push(error?.code ?? null),
  });
  const signal = new AbortController().signal;
  const outcome = await automatic
    .process(INPUT, { ...OPTIONS, ...options }, (progress) => reported.push(progress), signal)
    .catch((error: ProcessError) => error);
  return { ran, reported, states, outcome };
}

describe('automatically', () => {
  test('the service does it while it can', async () => {
    const { ran, outcome, states } = await play({});
    expect(ran).toEqual(['server']);
    expect(outcome).toMatchObject({ mode: 'server', notes: [{ text: 'own' }] });
    expect(states).toEqual([null]);
  });

  test.each(['unreachable', 'not-ready', 'busy'] as const)(
    'the browser does it while the service is %s, and says so',
    async (code) => {
      const { ran, outcome, reported, states } = await play({ notReady: code });
      expect(ran).toEqual(['browser']);
      expect(outcome).toMatchObject({
        mode: 'browser',
        notes: [{ key: `fallback.${code}` }, { text: 'own' }],
      });
      expect(reported[0]?.note?.key).toBe(`fallback.${code}`);
      expect(states).toEqual([code]);
    },
  );

  test('the browser takes over in the middle of a job, and says where', async () => {
    const { ran, outcome } = await play({ failure: 'unreachable', failsAt: 0.42 });
    expect(ran).toEqual(['server', 'browser']);
    expect(outcome).toMatchObject({
      notes: [{ key: 'fallbackMidway.unreachable', values: { percent: 42 } }, {}],
    });
  });

  test('a lost job is done in the browser, without a word against the service', async () => {
    const { ran, states } = await play({ failure: 'job-lost', failsAt: 0.2 });
    expect(ran).toEqual(['server', 'browser']);
    expect(states).toEqual([]);
  });

  test('what the service refuses for its own sake is not tried elsewhere', async () => {
    const { ran, outcome } = await play({ failure: 'refused' });
    expect(ran).toEqual(['server']);
    expect(outcome).toMatchObject({ code: 'refused' });
  });

  test.each([
    ['no engine', { browser: { available: false, reason: 'no engine here' } }, 'no engine here'],
    ['another model', { options: { model: 'other' } }, 'It has no model other.'],
    ['another format', { options: { format: 'tiff' as const } }, 'It cannot write tiff.'],
  ])('neither can: %s', async (_, scene, reason) => {
    const { ran, outcome } = await play({ ...scene, notReady: 'busy' });
    expect(ran).toEqual([]);
    expect(outcome).toMatchObject({ code: 'busy', retryable: true, values: { browser: reason } });
  });
});

describe('by choice', () => {
  test('only the browser: the service is not asked', async () => {
    const { ran, states } = await play({ preference: 'browser', notReady: 'busy' });
    expect(ran).toEqual(['browser']);
    expect(states).toEqual([]);
  });

  test('only the service: its failure is the answer', async () => {
    const { ran, outcome } = await play({ preference: 'server', failure: 'busy' });
    expect(ran).toEqual(['server']);
    expect(outcome).toMatchObject({ code: 'busy' });
  });
});

test('a cancelled job is not run a second time', async () => {
  const controller = new AbortController();
  const remote: Processor = {
    capabilities: () => Promise.resolve(ABLE),
    process: () => {
      controller.abort(new DOMException('enough', 'AbortError'));
      return Promise.reject(new ProcessError('unreachable', 'gone'));
    },
  };
  const browser: Processor = { ...remote, process: () => Promise.reject(new Error('ran')) };
  const automatic = createAutomaticProcessor({
    remote,
    browser,
    tasks: [upscaleTask],
    preference: () => 'auto',
    requireReady: () => Promise.resolve(),
  });
  await expect(automatic.process(INPUT, OPTIONS, () => undefined, controller.signal)).rejects.toMatchObject({
    name: 'AbortError',
  });
});
