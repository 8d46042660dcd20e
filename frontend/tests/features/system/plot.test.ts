import { expect, test } from 'vitest';
import { linePath, niceMost } from '../../../src/features/system/plot';

test('a plot has a gap where samples are missing', () => {
  const frame = { width: 100, height: 10, fromS: 0, toS: 10, most: 10 };
  const samples = [0, 1, 2, 9, 10].map((timeS) => ({ timeS, value: timeS }));
  const path = linePath([...samples, { timeS: 10, value: null }], frame, 2);
  expect(path).toBe('M0.0 10.0L10.0 9.0L20.0 8.0M90.0 1.0L100.0 0.0');
  expect([0, 0.9, 1, 22.7, 26, 1000].map(niceMost)).toEqual([1, 1, 1, 25, 30, 1000]);
});
