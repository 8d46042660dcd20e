import { expect, test } from 'vitest';
import { looksOf } from '../../../src/features/upscale/looks';
import type { ProcessorModel } from '../../../src/processing/processor';

const model = (id: string, dials: ProcessorModel['dials'] = []): ProcessorModel => ({
  id,
  title: id,
  task: 'upscale',
  scale: 4,
  dials,
});
const MODELS = [model('faithful', ['denoise', 'detail']), model('crisp'), model('general', ['denoise'])];

const shown = (...given: Parameters<typeof looksOf>) =>
  looksOf(...given).map(({ kind, model, dials }) => [model, kind, dials.denoise, dials.detail]);

test('the mixtures of the model that is set come after it', () => {
  expect(shown(MODELS, 'faithful', { denoise: 0.4, detail: 0.2 })).toEqual([
    ['faithful', 'model', 0, 0],
    ['faithful', 'between', 1, 0.5],
    ['faithful', 'set', 0.4, 0.2],
    ['crisp', 'model', null, null],
    ['general', 'model', 0, null],
  ]);
});

test('nothing is shown twice', () => {
  const kinds = (set: string | null, denoise: number, detail: number) =>
    looksOf(MODELS, set, { denoise, detail }).map(({ kind }) => kind);
  expect(kinds('faithful', 0, 0)).toEqual(['model', 'between', 'model', 'model']);
  expect(kinds('faithful', 1, 0.5)).toEqual(['model', 'between', 'model', 'model']);
  // A dial that the model does not have makes no difference.
  expect(kinds('general', 0, 0.7)).toEqual(['model', 'model', 'model']);
  expect(kinds('general', 0.3, 0.7)).toEqual(['model', 'model', 'model', 'set']);
  expect(kinds('crisp', 1, 1)).toEqual(['model', 'model', 'model']);
  expect(kinds(null, 1, 1)).toEqual(['model', 'model', 'model']);
});
