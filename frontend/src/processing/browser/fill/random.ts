/** Random numbers that depend on the seed alone. */
export class Random {
  private state: number;

  constructor(...seed: readonly number[]) {
    this.state = seed.reduce((state, part) => scrambled(state ^ (part | 0)), 0x9e3779b9);
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** Normally distributed: mean 0, deviation 1. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** `count` different ones of `values`, or all of them. */
  sample(values: Int32Array, count: number): Int32Array {
    const pool = values.slice();
    const size = Math.min(count, pool.length);
    for (let i = 0; i < size; i += 1) {
      const other = this.integer(i, pool.length - 1);
      const kept = pool[i] as number;
      pool[i] = pool[other] as number;
      pool[other] = kept;
    }
    return pool.slice(0, size);
  }

  /** In [0, 1): the next value of a counter (Weyl sequence), scrambled. */
  private next(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    return (scrambled(this.state) >>> 0) / 4294967296;
  }
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain): each bit of the input moves half of them. */
function scrambled(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
