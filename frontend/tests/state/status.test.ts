import { expect, test } from 'vitest';
import { ProcessError } from '../../src/lib/errors';
import { modeOf, reduceStatus } from '../../src/state/status';

test('the mode follows the service, unless the user chose', () => {
  const able = { available: true } as Parameters<typeof modeOf>[2];
  const unable = { available: false } as Parameters<typeof modeOf>[2];
  const down = reduceStatus({ state: 'ready' }, { type: 'failed', error: new ProcessError('busy', 'full') });
  expect(down).toEqual({ state: 'busy', detail: 'full' });
  expect(modeOf('auto', { state: 'ready' }, able)).toBe('server');
  expect(modeOf('auto', down, able)).toBe('browser');
  expect(modeOf('auto', down, unable)).toBe('none');
  expect(modeOf('server', down, able)).toBe('none');
  expect(modeOf('browser', { state: 'ready' }, able)).toBe('browser');
  expect(modeOf('auto', reduceStatus(down, { type: 'ready' }), able)).toBe('server');
});
