/** Rows by position, asked for in chunks when they are looked at; only the chunks looked at last are kept. */
import type { StepRow } from '../../../server/src/protocol/messages';

/** Rows asked for together. */
export const CHUNK = 128;
/** Chunks kept. */
const KEPT = 48;
/** Questions under way at most; while a scroll bar is dragged, what has been passed is not asked for. */
const AT_ONCE = 2;

export class RowCache {
  /** In the order of use, the oldest first. */
  private readonly chunks = new Map<number, readonly StepRow[]>();
  private readonly asked = new Set<number>();
  private wanted: readonly number[] = [];

  constructor(private readonly need: (from: number, count: number) => void) {}

  clear(): void {
    this.chunks.clear();
    this.asked.clear();
    this.wanted = [];
  }

  get(position: number): StepRow | undefined {
    return this.chunks.get(Math.floor(position / CHUNK))?.[position % CHUNK];
  }

  /** Rows [from, to) are looked at: what is missing of them is asked for. */
  want(from: number, to: number): void {
    const chunks: number[] = [];
    for (let chunk = Math.floor(from / CHUNK); chunk * CHUNK < to; chunk++) {
      const rows = this.chunks.get(chunk);
      if (!rows) chunks.push(chunk);
      else {
        this.chunks.delete(chunk);
        this.chunks.set(chunk, rows);
      }
    }
    this.wanted = chunks;
    this.ask();
  }

  /** Rows that were asked for have come; `from` is where they were asked from. */
  put(from: number, rows: readonly StepRow[]): void {
    const chunk = Math.floor(from / CHUNK);
    this.asked.delete(chunk);
    this.chunks.delete(chunk);
    this.chunks.set(chunk, rows);
    for (const oldest of this.chunks.keys()) {
      if (this.chunks.size <= KEPT) break;
      this.chunks.delete(oldest);
    }
    this.wanted = this.wanted.filter((each) => each !== chunk);
    this.ask();
  }

  private ask(): void {
    for (const chunk of this.wanted) {
      if (this.asked.size >= AT_ONCE) return;
      if (this.asked.has(chunk)) continue;
      this.asked.add(chunk);
      this.need(chunk * CHUNK, CHUNK);
    }
  }
}
