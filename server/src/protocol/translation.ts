/**
 * The way of an address: the one value that says how an access went or would go, for hover, hints, `mmu translate`, trace panel and
 * figure. Addresses and entries are hexadecimal text.
 */

export type AddressSpace = 'NGVA' | 'NGPA' | 'GVA' | 'GPA' | 'HVA' | 'HPA';

/** A named bit (or field) of an entry. */
export interface EntryBit {
  readonly name: string;
  readonly set: boolean;
  readonly about: string;
  /** Number of the bit, of a field its lowest; without, it depends on the kind of entry. */
  readonly bit?: number;
  /** It is what stops the access. */
  readonly denies?: boolean;
}

/** What an access comes to at some point: it reaches memory, faults, leaves the guest, is MMIO, or KVM_RUN fails. */
export type VerdictKind = 'ok' | 'fault' | 'exit' | 'mmio' | 'error';

export interface Verdict {
  readonly kind: VerdictKind;
  /** `→ hpa 0x61_0123`, `#PF(P W U)`, `EPT violation`, `MMIO write`, `#GP`, `EFAULT`. */
  readonly what: string;
  /** The entry that decides, the bit and the rule: `PT[0].R/W = 0, user write`; null where nothing stops it. */
  readonly why: string | null;
  /** Section of docs/outcomes.md that explains it. */
  readonly section: string | null;
}

export type WalkStage = 'guest' | 'l1' | 'ept' | 'npt' | 'shadow';

/** Whose tables these are; `guest` where there is one guest alone. */
export type TableOwner = 'guest' | 'L0' | 'L1' | 'L2';

/** One entry of a paging structure on the way. */
export interface TableEntry {
  /** As PML4, PDPT, PD, PT; EPT4, NPT1. */
  readonly label: string;
  readonly level: number;
  /** Index of the entry in its table. */
  readonly index: number;
  /** Where it lies: address and its space; null: a PDPTE register. */
  readonly at: string | null;
  readonly space: 'ngpa' | 'gpa' | 'hpa' | null;
  /** Null: no memory is there. */
  readonly value: string | null;
  /** The value before, where it was another one (of a way after a step). */
  readonly was: string | null;
  /** All named bits, lowest first. */
  readonly bits: readonly EntryBit[];
  /** Address that it leads to: the next table, or the byte asked for. */
  readonly to: string | null;
  readonly note: string | null;
  /** It is the n-th entry that the processor reads, from 1; null: it does not read it now. */
  readonly reference: number | null;
  /**
   * `read` by the processor now; `cached`: spared it, by the TLB or a paging-structure cache; `unreached`: it stops before; `software`:
   * only a hypervisor reads these tables; `idle`: nobody reads them while this guest runs.
   */
  readonly state: 'read' | 'cached' | 'unreached' | 'software' | 'idle';
  /** It decides, and on what. */
  readonly decides: VerdictKind | null;
  /** What translates the address of the entry itself: EPT or NPT beneath a guest's table. */
  readonly via: TableWalk | null;
}

/** Paging structures of one kind as they translate one address, root first. */
export interface TableWalk {
  /** PT, SPT, EPT, NPT; where a VM stands in a VM PT2, SPT12, EPT02, … (mmu-semantics.md §7.2). */
  readonly table: string;
  readonly stage: WalkStage;
  readonly owner: TableOwner;
  /** Who walks them while the guest runs: the processor, or a hypervisor's software; null: nobody, as it has others in their place. */
  readonly by: 'processor' | 'L0' | 'L1' | null;
  readonly from: { readonly space: AddressSpace; readonly address: string };
  /** Null: they do not lead there. */
  readonly to: { readonly space: AddressSpace; readonly address: string } | null;
  readonly entries: readonly TableEntry[];
  /** What translates the address that they lead to: EPT or NPT, of the page. */
  readonly then: TableWalk | null;
}

/** What led to a station: tables by their name, a memory slot, a page of the memory below, or nothing (`none`: no paging). */
export interface Link {
  readonly by: 'tables' | 'slot' | 'page' | 'none';
  /** `PT2`, `slot 0`, `L0 slot 1`, `host page of 4K`, `no host page`, `TLB`. */
  readonly label: string;
  /** The address that it is of, and what it makes of that; null: nothing yet. */
  readonly from: { readonly space: AddressSpace; readonly address: string };
  readonly to: string | null;
  readonly note: string | null;
}

/** An address reached, and what led to it, in order. The first one is the address asked for, to which nothing led. */
export interface Station {
  readonly space: AddressSpace;
  /** Null: the way ends at the last link. */
  readonly address: string | null;
  readonly links: readonly Link[];
}

/** A space of physical addresses, or of a VMM's, to scale: [from, to), and what lies there. */
export interface SpaceMap {
  readonly space: AddressSpace;
  /** The address that the way reaches. */
  readonly address: string;
  readonly from: string;
  readonly to: string;
  /** Memory slots; of the host's memory the page alone. Sizes in bytes. */
  readonly areas: readonly { readonly label: string; readonly start: string; readonly size: string; readonly holds: boolean }[];
}

/** The cached translation of an address. */
export interface CachedTranslation {
  /** `TLB L1: page of 4K, user rw-, dirty → hpa 0x5123`. */
  readonly text: string;
  /** It serves the access. */
  readonly serves: boolean;
  /** The tables lead elsewhere by now. */
  readonly stale: string | null;
}

/** The whole way of an address at a point of a run. */
export interface TranslationView {
  readonly address: string;
  readonly space: 'ngva' | 'gva' | 'gpa';
  /** The access that is judged, as `user write`; null: the address alone, by the first access that its rights allow. */
  readonly access: string | null;
  /** What the processor's next attempt comes to; null: it has no tables there yet, and KVM makes them on the way in. */
  readonly now: Verdict | null;
  /** What it comes to in the end, when hypervisors have done their part; the same as `now` where none has. */
  readonly end: Verdict;
  /** Both in one line. */
  readonly outcome: string;
  /** The tables that there are, in the order of the address's way, shadow tables last. */
  readonly walks: readonly TableWalk[];
  /** Addresses reached, each with what led to it. */
  readonly stations: readonly Station[];
  /** Where those addresses lie, but linear ones. */
  readonly maps: readonly SpaceMap[];
  readonly cached: CachedTranslation | null;
  /** What else there is to say: rights, what is stale. */
  readonly notes: readonly string[];
}
