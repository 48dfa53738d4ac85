/** What the tree of a machine's state is made of, at one point of a run. */
import type { Space } from '../../engine/journal/spaces';

/** A word of the journal, or half of one. */
export interface Word {
  readonly space: Space;
  readonly key: number;
  /** Of a word that two 4-byte entries share, which of them; absent: all of it. */
  readonly half?: 'lo' | 'hi';
}

/** Keys that rows of the journal change, by space. */
export type Touched = ReadonlyMap<Space, ReadonlySet<number>>;

/** How an entry goes on from its neighbour: neighbours that say the same of consecutive pages are shown as one. */
export interface Fold {
  readonly at: number;
  /** What it says; and what the next one says if it goes on. */
  readonly self: string;
  readonly next: string;
  /** The run from this thing to another, `pages` long in things. */
  through(last: Thing): Pick<Thing, 'name' | 'range' | 'value' | 'decoded'>;
}

/** Where an entry of a paging structure stands. */
export interface EntryPlace {
  /** Host-physical address; null: a PDPTE register. */
  readonly hpa: number | null;
  /** Address in the space of its tables: what table_read rows of its stage say. */
  readonly at: number;
  readonly stage: number;
  readonly level: number;
  readonly index: number;
  /** VM whose tables they are, or for whose addresses they are kept. */
  readonly vm: number;
  /** The guest's own tables, or a hypervisor's. */
  readonly own: boolean;
}

export interface Thing {
  /** Part of the path; without `/`, and unlike `1-5`, which names a run of neighbours. */
  readonly part: string;
  readonly name: string;
  readonly range?: string;
  readonly value?: string;
  readonly decoded?: string;
  readonly note?: string;
  readonly stale?: boolean;
  /** Words that it is; none: it is only what holds others. */
  readonly words?: readonly Word[];
  /** Where it stands, of an entry. */
  readonly entry?: EntryPlace;
  /** Physical pages, addresses and so on that it is about, in the words of who uses it. */
  readonly fold?: Fold;
  /** What is inside; absent: nothing can be. Valid until the machine is moved. */
  readonly inside?: () => readonly Thing[];
  /** Something inside is touched, as far as is looked. */
  readonly touchedBy?: (touched: Touched) => boolean;
}

/** Some key of a space is touched for which this holds. */
export function touches(touched: Touched, space: Space, holds: (key: number) => boolean): boolean {
  for (const key of touched.get(space) ?? []) if (holds(key)) return true;
  return false;
}
