/** What the list can be narrowed to, in words: by what happens, and by who acts. */
import type { StepActor, StepFilter } from '../../server/src/protocol/messages';
import { ACTORS } from './actors';

export type FilterKind = NonNullable<StepFilter['kinds']>[number];

interface FilterWord<T> {
  readonly value: T;
  readonly name: string;
  readonly about: string;
}

export const KIND_WORDS: readonly FilterWord<FilterKind>[] = [
  { value: 'exit', name: 'exits', about: 'VM exits, from the processor to a hypervisor or handed on to L1' },
  { value: 'entry', name: 'entries', about: 'VM entries' },
  { value: 'fault', name: 'faults', about: 'page faults, violations, misconfigurations' },
  { value: 'change', name: 'changes', about: 'steps that change memory, tables, registers or the TLB' },
  { value: 'table', name: 'reads', about: 'entries of tables that are read' },
  { value: 'tlb', name: 'TLB', about: 'hits, fills and flushes of TLB and paging-structure caches' },
  { value: 'mmu', name: 'mmu', about: "KVM's work on its tables: pages, sptes, roots, slots" },
];

/** Only one guest: it is called so. */
export function actorWords(present: readonly StepActor[]): readonly FilterWord<StepActor>[] {
  const words: { readonly [actor in StepActor]: string } = {
    L2: 'L2',
    L1: present.includes('L2') ? 'L1' : 'guest',
    processor: 'CPU',
    L0: 'KVM',
    user: 'VMM',
  };
  return ACTORS.filter(({ actor }) => present.includes(actor)).map(({ actor, name }) => ({
    value: actor,
    name: words[actor],
    about: name,
  }));
}
