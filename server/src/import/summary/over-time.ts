/** Numbers by name over a time whose length is not known before: intervals are joined as it grows. */

const MOST_INTERVALS = 32;

export class OverTime {
  private start: number | null = null;
  private width = 1000;
  private intervals: Map<string, number>[] = [];

  add(name: string, time: number): void {
    this.start ??= time;
    // A clock that goes back counts with the beginning.
    const since = Math.max(0, time - this.start);
    while (since >= this.width * MOST_INTERVALS) this.join();
    const index = Math.floor(since / this.width);
    while (this.intervals.length <= index) this.intervals.push(new Map());
    const interval = this.intervals[index];
    interval.set(name, (interval.get(name) ?? 0) + 1);
  }

  /** How often in each interval, and how long one is. */
  of(name: string): readonly number[] {
    return this.intervals.map((interval) => interval.get(name) ?? 0);
  }

  get interval(): number {
    return this.width;
  }

  private join(): void {
    this.width *= 2;
    const joined: Map<string, number>[] = [];
    this.intervals.forEach((interval, i) => {
      if (i % 2 === 0) joined.push(interval);
      else for (const [name, count] of interval) joined[i >> 1].set(name, (joined[i >> 1].get(name) ?? 0) + count);
    });
    this.intervals = joined;
  }
}
