/** What L1 and L0 do for an L2, in every combination, and one-level programs as those of an L2. */
import type { Act, KvmOptions, MmuKind } from '../../../../server/src/engine/program';
import { host, slot } from '../machines';
import { RANDOM_WORDS } from '../random-programs';
import { L2, NestedBench, type Nested } from './nested-machines';

const BASE = 0x40_0000;
const HVA = 0x7f00_0000_0000;

export interface NestedKind {
  readonly name: string;
  readonly l2: MmuKind;
  readonly l1: MmuKind;
  readonly kvm?: Partial<KvmOptions>;
  readonly tlb?: boolean;
}

export const NESTED_KINDS: readonly NestedKind[] = [
  { name: 'soft on soft', l2: 'soft', l1: 'soft' },
  { name: 'soft on ept', l2: 'soft', l1: 'ept' },
  { name: 'soft on npt', l2: 'soft', l1: 'npt' },
  { name: 'ept on ept', l2: 'ept', l1: 'ept' },
  { name: 'npt on npt', l2: 'npt', l1: 'npt' },
  { name: 'ept on ept without A/D', l2: 'ept', l1: 'ept', kvm: { eptAd: false } },
  { name: 'ept on ept with PML', l2: 'ept', l1: 'ept', kvm: { pml: true } },
  { name: 'npt on npt, older direct MMU', l2: 'npt', l1: 'npt', kvm: { tdpMmu: false } },
  { name: 'soft on soft without prefetch and unsync', l2: 'soft', l1: 'soft', kvm: { prefetch: false, unsync: false } },
  { name: 'soft on ept with one EPT root', l2: 'soft', l1: 'ept', kvm: { shareEptRoot: true } },
  { name: 'soft on soft with a TLB', l2: 'soft', l1: 'soft', tlb: true },
  { name: 'soft on ept with a TLB', l2: 'soft', l1: 'ept', tlb: true },
  { name: 'ept on ept with a TLB', l2: 'ept', l1: 'ept', tlb: true },
  { name: 'npt on npt with a TLB', l2: 'npt', l1: 'npt', tlb: true },
];

export function machineOf(kind: NestedKind): NestedBench {
  return new NestedBench(nestedOf(kind));
}

export function nestedOf({ l2, l1, kvm, tlb }: NestedKind): Nested {
  const made = host(l1 === 'npt' ? 'amd' : 'intel', { vmreads: 1, vmwrites: 1, ...kvm });
  return {
    l2,
    l1,
    host: { ...made, tlb: { ...made.tlb, on: tlb === true } },
    words: RANDOM_WORDS,
    l1Slots: [slot(0, 0, BASE), slot(1, BASE, 0x1_8000)],
    slots: [slot(0, 0, 0x1_0000, { hva: BASE }), slot(1, 0x1_0000, 0x8000, { hva: BASE + 0x1_0000 })],
  };
}

/** An act of the one-level program as L2's; host acts by the VMM of L0 or of L1. */
export function asNested(act: Act, byL0: boolean): Act {
  if ('by' in act) return { ...act, by: L2 } as Act;
  if (!('vm' in act)) return act;
  if ('hva' in act) return byL0 ? { ...act, hva: act.hva + BASE } : { ...act, vm: 1, hva: act.hva - HVA + BASE };
  return byL0 ? act : { ...act, vm: 1 };
}
