/**
 * The machine at a step, as a lazy tree: page tables, memory slots, cached translations, registers, shadow pages, counters. Nobody
 * holds the whole of it; what is opened is asked for. Panel, command line and debugger show the same values.
 */

/** What a step does to a node. */
type StateChange = 'new' | 'gone' | 'changed';

export interface StateNode {
  /** Path from the root, parts between `/`: names the node at every step at which there is one. */
  readonly id: string;
  /** `CR3`, `PD[2]`, `PT[0…511]`, `slot 0`. */
  readonly name: string;
  /** What it translates or covers: `0x40_0000 +2M`; null: it has no range. */
  readonly range: string | null;
  /** As it is after the step (of what is gone: as it was before). */
  readonly value: string | null;
  /** The value in the manuals' words: `P R/W U/S A → PT at gpa 0x4000`. */
  readonly decoded: string | null;
  /** As it was before the step, where that differs. */
  readonly was: { readonly value: string | null; readonly decoded: string | null } | null;
  readonly change: StateChange | null;
  /** The step changes something inside it (of what is new or gone nothing is said). */
  readonly within: boolean;
  /** What else there is to say. */
  readonly note: string | null;
  /** It is cached, and not what the tables say by now. */
  readonly stale: boolean;
  /** There is something inside. */
  readonly opens: boolean;
  /** Who wrote it, and who uses it, can be asked for. */
  readonly traced: boolean;
}

/** What is inside a node. */
export interface StateNodes {
  readonly nodes: readonly StateNode[];
  /** How many there are in all. */
  readonly total: number;
}

/** Something that an entry leads to: a step of the run, a node of the tree, or both. */
export interface StateLink {
  readonly text: string;
  readonly step: number | null;
  readonly node: string | null;
}

/** Who wrote a node, and who uses it. */
export interface StateOrigin {
  /** Steps that changed it, the latest first; not all of them. */
  readonly writers: readonly StateLink[];
  readonly users: readonly StateLink[];
  /** The write that made a cached translation stale; null: it is not, or no write did. */
  readonly stale: StateLink | null;
}

/** A run of a slot's pages that are backed alike. Addresses and sizes are bytes below 2^53. */
export interface MemoryPiece {
  readonly gpa: number;
  readonly size: number;
  /** Null: no page is there yet. */
  readonly hpa: number | null;
  /** Host pages of this size. */
  readonly pageSize: '4K' | '2M' | '1G';
  readonly writable: boolean;
  /** All on the shared zero page. */
  readonly zero: boolean;
}

export interface MemorySlotMap {
  /** `slot 0`. */
  readonly name: string;
  readonly gpa: number;
  readonly hva: number;
  readonly size: number;
  readonly readonly: boolean;
  readonly logs: boolean;
  readonly invalid: boolean;
  readonly pieces: readonly MemoryPiece[];
  /** Runs of dirty pages. */
  readonly dirty: readonly { readonly gpa: number; readonly size: number }[];
  /** Pieces or runs that are left out, as there are too many. */
  readonly more: number;
}

/** Where a VM's memory lies. */
export interface MemoryMap {
  readonly vm: string;
  /** Spaces of the addresses, from the guest's own to what is beneath: of a guest's guest its hypervisor's memory. */
  readonly spaces: { readonly physical: 'GPA' | 'NGPA'; readonly virtual: 'HVA'; readonly below: 'HPA' | 'GPA' };
  readonly slots: readonly MemorySlotMap[];
}
