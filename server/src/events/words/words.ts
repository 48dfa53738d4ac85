/** The words of an event: a function for each, which knows its fields. A definition without words does not compile. */
import type { EventName } from '../../engine/journal/event-table';
import { Actor } from '../../engine/journal/events';
import type { MmuKind, Program } from '../../engine/program';
import type { EntryKind } from '../../engine/x86/entries';
import type { Event, EventOf } from '../fields';
import { hex } from '../wording';

export type Words<N extends EventName> = { readonly [E in N]: (event: EventOf<E>, program: Program) => string };

/** `level 2`; empty where the row has none. */
export const levelText = ({ level }: Event): string => (level > 0 ? `level ${level}` : '');

/** What a hypervisor does for its guest: L0's is the VM of the host, L1's the VM in it. */
export function mmuOf({ actor }: Event, { machine: { vms } }: Program): MmuKind | null {
  return (actor === Actor.L1 ? vms.find(({ parent }) => parent !== null) : vms[0])?.mmu ?? null;
}

/** Format of the entries that the hypervisor makes. */
export function hostEntries(event: Event, program: Program): EntryKind {
  return mmuOf(event, program) === 'ept' ? 'ept' : 'paging';
}

/** `EPT`, `NPT` */
export const secondName = ({ machine }: Program): string => (machine.host.vendor === 'intel' ? 'EPT' : 'NPT');

export const gfnText = ({ fields: { gfn } }: { readonly fields: { readonly gfn: bigint } }): string => `gfn ${hex(gfn)}`;
