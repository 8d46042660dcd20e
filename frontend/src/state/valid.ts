/** Tests for stored values, which another version may have written. */

type Test = (value: unknown) => boolean;

export function isNumber({ min, max }: { min: number; max: number }): Test {
  return (value) => typeof value === 'number' && value >= min && value <= max;
}

export function isNullOr(test: Test): Test {
  return (value) => value === null || test(value);
}

export function isOneOf(...allowed: unknown[]): Test {
  return (value) => allowed.includes(value);
}

export const isText: Test = (value) => typeof value === 'string' && value.length <= 500;
