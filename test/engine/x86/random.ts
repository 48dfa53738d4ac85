/** Random numbers from a seed, for building tables faster than an arbitrary can. */
export class Random {
  constructor(private seed: number) {}

  /** A number below 2^32 (mulberry32). */
  next(): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }

  bit(percent: number, bit: number): bigint {
    return this.chance(percent) ? 1n << BigInt(bit) : 0n;
  }
}
