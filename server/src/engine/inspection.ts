/** Questions to a machine that change nothing: expectations ask them, tests check invariants with them. */
import type { ControlField, HypervisorTable, Performer, RegisterName, TableRef } from './program';

export interface FoundEntry {
  readonly level: number;
  /** Where it lies: guest-physical for a guest's tables, host-physical for shadow tables, EPT and NPT. */
  readonly at: number;
  readonly value: bigint;
}

export interface Inspection {
  /**
   * The entry on the way of an address.
   *
   * @param level 1 to 5; 0: the leaf, or the entry at which the way ends
   * @returns null when the way ends above that level
   */
  entry(table: TableRef | HypervisorTable, by: Performer, address: bigint, level: number): FoundEntry | null;
  pageState(vm: number, gpa: number, state: 'write-protected' | 'tracked' | 'unsync' | 'synced' | 'shadowed'): boolean;
  /** Guest-physical addresses of pages in a slot's dirty log now, ascending; null when it does not log. */
  dirtyPages(vm: number, slot: number): readonly number[] | null;
  tlbHas(by: Performer, address: bigint): boolean;
  /** Aligned 64-bit word of a VM's memory; null outside its slots. */
  word(vm: number, gpa: number): bigint | null;
  /** Host-physical address behind a guest-physical one; null when no slot or no host page is there. */
  hpaOf(vm: number, gpa: number): number | null;
  register(by: Performer, name: RegisterName | 'cr2'): bigint;
  /** A field of L1's control structure for a vCPU of an L2; null: it is none, or the vendor has no such field. */
  control(by: Performer, field: ControlField): bigint | null;
  /** Broken invariants of mmu-semantics.md §9, each as `S3: why`; none when all hold. */
  brokenInvariants(): readonly string[];
}
