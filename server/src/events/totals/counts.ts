/** What is counted of rows of a journal: of a run, or of a part of it. */
import { Kind } from '../../engine/journal/events';
import { STATISTIC_NAMES } from '../../engine/journal/statistics';

/** One more than the largest kind. */
const KINDS = Math.max(...Object.values(Kind).filter((kind): kind is Kind => typeof kind === 'number')) + 1;

/** Entries that the processor reads, by the tables that they are in. */
export interface TableOf {
  /** STAGE_* of table_read. */
  readonly stage: number;
  readonly level: number;
  /** 1: while a guest's guest runs. */
  readonly guestMode: number;
}

/** Exits to the host. */
interface ExitOf {
  /** Exit code, as kvm_exit has it. */
  readonly reason: number;
  /** 1: of a guest's guest. */
  readonly guestMode: number;
}

export class Counts {
  /** Events by kind, whoever writes them. */
  readonly events = new Uint32Array(KINDS);
  /** As {@link STATISTIC_NAMES}. */
  readonly statistics = new Int32Array(STATISTIC_NAMES.length);
  private readonly exitCounts = new Map<number, number>();
  private readonly referenceCounts = new Map<number, number>();

  exit(reason: number, guestMode: number): void {
    increase(this.exitCounts, reason * 2 + guestMode, 1);
  }

  reference(stage: number, level: number, guestMode: number): void {
    increase(this.referenceCounts, ((stage << 4) | level) * 2 + guestMode, 1);
  }

  add(other: Counts): void {
    other.events.forEach((count, kind) => (this.events[kind] += count));
    other.statistics.forEach((count, index) => (this.statistics[index] += count));
    for (const [key, count] of other.exitCounts) increase(this.exitCounts, key, count);
    for (const [key, count] of other.referenceCounts) increase(this.referenceCounts, key, count);
  }

  /** In order of first exit. */
  get exits(): readonly (ExitOf & { readonly count: number })[] {
    return Array.from(this.exitCounts, ([key, count]) => ({ reason: key >> 1, guestMode: key & 1, count }));
  }

  /** Entries that the processor read, by table, in order of first read. */
  get references(): readonly (TableOf & { readonly count: number })[] {
    return Array.from(this.referenceCounts, ([key, count]) => ({ stage: key >> 5, level: (key >> 1) & 15, guestMode: key & 1, count }));
  }
}

function increase(counts: Map<number, number>, key: number, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
