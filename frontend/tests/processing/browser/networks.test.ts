import { expect, test } from 'vitest';
import { choose, MODELS, NETWORKS, type NetworkEntry } from '../../../src/processing/browser/manifest';
import { fromFloat16, mixedWeights, toFloat16 } from '../../../src/processing/browser/worker/float16';
import { failureOf } from '../../../src/processing/browser/worker/workerApi';
import { type Dials, UNTURNED, type Upscaling } from '../../../src/processing/options';

function entry(id: string, changes: Partial<NetworkEntry> = {}): NetworkEntry {
  return {
    id,
    title: id,
    scale: 4,
    file: `${id}.onnx`,
    bytes: 1,
    sha256: '',
    receptiveFieldPx: 18,
    denoisePartner: null,
    ownDenoise: 1,
    detailPartner: null,
    twice: null,
    halves: null,
    ...changes,
  };
}

const FAMILY = [
  entry('plain', { denoisePartner: 'clean', ownDenoise: 0, detailPartner: 'vivid', twice: 'twofold' }),
  entry('clean'),
  entry('vivid'),
  entry('other way', { denoisePartner: 'clean' }),
  entry('twofold', { scale: 2 }),
];

function wanted(changes: Partial<Upscaling> = {}): Upscaling {
  return { model: null, target: { kind: 'scale', factor: 4 }, ...UNTURNED, ...changes };
}

test('what was exported is offered, and the filling', () => {
  expect(NETWORKS.length).toBeGreaterThan(0);
  expect(MODELS.map((model) => model.id)).toEqual([
    ...NETWORKS.map((network) => network.id),
    'pixelmend-fill',
  ]);
});

test('without a named network the first is chosen, or its sibling for at most twice the size', () => {
  const id = (changes: Partial<Upscaling>) => choose(wanted(changes), FAMILY).entry.id;
  expect(id({})).toBe('plain');
  expect(id({ target: { kind: 'scale', factor: 2 } })).toBe('twofold');
  expect(id({ target: { kind: 'scale', factor: 2 }, denoise: 0 })).toBe('plain');
  expect(id({ target: { kind: 'scale', factor: 2 }, detail: 0 })).toBe('plain');
  expect(id({ target: { kind: 'size', widthPx: 10, heightPx: null } })).toBe('plain');
  expect(id({ model: 'clean' })).toBe('clean');
  expect(() => id({ model: 'other' })).toThrow('no model other');
});

test('dials mix a network with its partners, one after the other; at its ends a mixture is one of them', () => {
  const chosen = (dials: Partial<Dials>, model: string | null = null) => {
    const { entry: own, mixedIn } = choose(wanted({ model, ...dials }), FAMILY);
    return [own.id, ...mixedIn.flatMap((part) => [part.entry.id, part.share])];
  };
  expect(chosen({ denoise: 0 })).toEqual(['plain']);
  expect(chosen({ denoise: 1 })).toEqual(['clean']);
  expect(chosen({ denoise: 0.25 })).toEqual(['plain', 'clean', 0.25]);
  expect(chosen({ denoise: 0.25, detail: 0.5 })).toEqual(['plain', 'clean', 0.25, 'vivid', 0.5]);
  expect(chosen({ denoise: 1, detail: 0.5 })).toEqual(['clean', 'vivid', 0.5]);
  expect(chosen({ denoise: 0.25, detail: 1 })).toEqual(['vivid']);
  expect(chosen({ denoise: 0.25 }, 'other way')).toEqual(['other way', 'clean', 0.75]);
  expect(() => chosen({ denoise: 0.5 }, 'clean')).toThrow('denoise=0.5 is not offered');
  expect(() => chosen({ detail: 0.5 }, 'other way')).toThrow('detail=0.5 is not offered');
  expect(() => chosen({ detail: 1.5 })).toThrow('detail=1.5');
});

test('half precision goes there and back, rounded to the nearest', () => {
  for (let bits = 0; bits < 0x10000; bits += 1) {
    const value = fromFloat16(bits);
    if (!Number.isNaN(value)) expect(toFloat16(value)).toBe(bits);
  }
  expect(toFloat16(1 + 2 ** -11)).toBe(toFloat16(1));
  expect(toFloat16(1 + 3 * 2 ** -11)).toBe(toFloat16(1 + 2 ** -9));
  expect(toFloat16(2 - 2 ** -12)).toBe(toFloat16(2));
  expect(toFloat16(70000)).toBe(0x7c00);
});

test('weights are mixed where they lie, and nothing else is touched', () => {
  const file = (values: number[]) => {
    const view = new DataView(new ArrayBuffer(9));
    values.forEach((value, i) => view.setUint16(3 + 2 * i, toFloat16(value), true));
    view.setUint8(0, 77);
    return new Uint8Array(view.buffer);
  };
  const mixed = mixedWeights(file([1, -2, 8]), file([3, 2, 9]), [[3, 2]], 0.25);
  expect(mixed).toEqual(file([1.5, -1, 8]));
});

test('memory that ran out is recognised by the message of the error', () => {
  expect(failureOf(new RangeError('Array buffer allocation failed')).code).toBe('out-of-memory');
  expect(failureOf(new Error('std::bad_alloc'))).toMatchObject({ code: 'out-of-memory', retryable: true });
  expect(failureOf(new TypeError('x is no function'))).toMatchObject({ code: 'failed', retryable: false });
});
