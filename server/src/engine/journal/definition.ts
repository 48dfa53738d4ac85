/** What the definition of an event says. Families of definitions are the files of definitions/; event-table.ts has them all. */
import type { FieldKind } from './field-kinds';
import type { Changeable } from './spaces';

/** What a step is about, for filters, colours and the folding of a list. */
type EventGroup = 'statement' | 'entry' | 'exit' | 'fault' | 'table' | 'mmu' | 'other';

/** Headers of the kernel that declare KVM's tracepoints. */
export type TraceHeader = 'arch/x86/kvm/trace.h' | 'arch/x86/kvm/mmu/mmutrace.h' | 'include/trace/events/kvm.h';

export interface Definition {
  readonly group: EventGroup;
  /** The header that declares it, when it is one of KVM's tracepoints. Others are the simulator's own. */
  readonly tracepoint?: TraceHeader;
  /** What the row's paging level means here; absent: it has none. */
  readonly level?: string;
  /** In order of importance; a kind, or a kind and what the field means beyond it. */
  readonly fields: { readonly [name: string]: FieldKind | readonly [kind: FieldKind, about: string] };
  /** What it may change: its changes follow its row (attribution.ts). */
  readonly changes: readonly Changeable[];
  /** One line for people. */
  readonly about: string;
}

export interface Definitions {
  readonly [name: string]: Definition;
}
