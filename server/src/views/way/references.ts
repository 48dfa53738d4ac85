/** What the processor read for one access, out of its rows: which entries of which stage in which order, and what caches spared it. */
import { Structure } from '../../engine/journal/enumerations';
import { Kind, STAGE_SECOND } from '../../engine/journal/events';
import type { Rows } from '../../engine/journal/state';
import { eventAt } from '../../events/fields';

interface Read {
  /** From 1. */
  readonly number: number;
  readonly at: number;
  readonly value: bigint;
}

/** A walk of one stage, as far as the processor made it. */
export class WalkMade {
  /** By level. */
  readonly reads = new Map<number, Read>();
  /** Level of the entry in a paging-structure cache from which it started, and the table that names; 0: from the root. */
  startedBelow = 0;
  table = 0;
  /** A guest-physical mapping, or the TLB, served it whole; where to. */
  served: number | null = null;

  /** Entries of a level were not read, as a cache had what they lead to. */
  spared(level: number): boolean {
    return this.served !== null || (this.startedBelow !== 0 && level >= this.startedBelow);
  }

  get lowest(): number {
    return this.reads.size > 0 ? Math.min(...this.reads.keys()) : Infinity;
  }
}

export interface References {
  readonly first: WalkMade;
  /** Second-stage walks of the addresses of the first stage's entries, by their level. */
  readonly tables: ReadonlyMap<number, WalkMade>;
  /** The last second-stage walk, when it is of no entry that was read: of the page, or of the entry at which all ended. */
  readonly last: WalkMade;
  /** Entries read in all. */
  readonly count: number;
  /** What was used is not what memory says. */
  readonly stale: boolean;
}

const WHOLE: readonly number[] = [Structure.l1, Structure.l2];

export function referencesOf(rows: Rows): References {
  let first = new WalkMade();
  let tables = new Map<number, WalkMade>();
  let second = new WalkMade();
  let count = 0;
  let stale = false;
  // A walk that failed by what caches had is made once more: what was before it does not count.
  const restart = (): void => {
    first = new WalkMade();
    tables = new Map();
  };
  for (let row = 0; row < rows.length; row++) {
    const event = eventAt(rows, row);
    if (event?.kind === Kind.stale) stale = true;
    else if (event?.kind === Kind.table_read) {
      const { level } = event;
      const read: Read = { number: ++count, at: Number(event.fields.address), value: event.fields.entry };
      if (event.fields.stage === STAGE_SECOND) {
        if (level >= second.lowest || second.served !== null) second = new WalkMade();
        second.reads.set(level, read);
        continue;
      }
      if (level >= first.lowest) restart();
      first.reads.set(level, read);
      tables.set(level, second);
      second = new WalkMade();
    } else if (event?.kind === Kind.tlb_hit) {
      const { structure, hpa } = event.fields;
      if (WHOLE.includes(structure)) first.served = Number(hpa);
      else if (structure === (Structure.pagingStructure as number)) {
        restart();
        second = new WalkMade();
        first.startedBelow = event.level;
        first.table = Number(hpa);
      } else {
        second = new WalkMade();
        if (structure === (Structure.guestPhysical as number)) second.served = Number(hpa);
        else {
          second.startedBelow = event.level;
          second.table = Number(hpa);
        }
      }
    }
  }
  return { first, tables, last: second, count, stale };
}
