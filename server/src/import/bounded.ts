/** Maps that do not grow without end. */

/** Keeps what was set last. */
export class Recent<K, V> {
  private readonly map = new Map<K, V>();

  constructor(private readonly most: number) {}

  get(key: K): V | undefined {
    return this.map.get(key);
  }

  set(key: K, value: V): void {
    this.map.delete(key);
    this.map.set(key, value);
    if (this.map.size > this.most) this.map.delete(this.map.keys().next().value!);
  }

  take(key: K): V | undefined {
    const value = this.map.get(key);
    if (value !== undefined) this.map.delete(key);
    return value;
  }

  delete(key: K): void {
    this.map.delete(key);
  }
}

export interface Counted {
  count: number;
  /** Where first. */
  readonly line: number;
}

/**
 * Counts of many keys, of which the most frequent are wanted: once there are too many, the rare ones are let go (lossy counting by Manku and
 * Motwani). Counts are too small by at most {@link error}.
 */
export class Frequent<K, V extends Counted> {
  private readonly map = new Map<K, V>();
  error = 0;

  constructor(private readonly most: number) {}

  add(key: K, make: () => V): V {
    let value = this.map.get(key);
    if (value) value.count++;
    else {
      if (this.map.size >= this.most) this.prune();
      value = make();
      this.map.set(key, value);
    }
    return value;
  }

  /** The most frequent first. */
  top(count: number): [K, V][] {
    return [...this.map].sort(([, a], [, b]) => b.count - a.count || a.line - b.line).slice(0, count);
  }

  get size(): number {
    return this.map.size;
  }

  private prune(): void {
    while (this.map.size > this.most / 2) {
      this.error++;
      for (const [key, { count }] of this.map) if (count <= this.error) this.map.delete(key);
    }
  }
}
