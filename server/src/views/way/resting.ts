/** L0's tables for a hypervisor in a guest: they rest while its own guest runs, which has tables of its own in hardware. */
import { highOf, lowOf } from '../../engine/bits';
import { ACCESS_READ, ACCESS_USER } from '../../engine/journal/events';
import type { Station } from '../../protocol/translation';
import type { MachineState } from '../machine-state';
import { walkOf } from './entries';
import type { WalkOf } from './entries';
import { tablesOf } from './tables';
import { walkersOf } from './walkers';

/**
 * EPT01 beside EPT02: what they say of the address in L1's memory.
 *
 * @param stations of the way of an address of the VM
 * @returns null where there are none, or they are in use: shadow tables of L1 stand above them (EPT01g)
 */
export function restingWalk(state: MachineState, vm: number, vcpu: number, stations: readonly Station[]): WalkOf | null {
  const { vms } = state.machine;
  const { parent, mmu } = vms[vm];
  if (parent === null || mmu === 'soft' || vms[parent].mmu === 'soft') return null;
  const reached = stations.find(({ space }) => space === 'GPA')?.address ?? null;
  const { second } = walkersOf(state, parent, vcpu % vms[parent].vcpus.length);
  if (reached === null || !second) return null;
  const address = BigInt(reached.replaceAll('_', ''));
  second.translate(lowOf(address), highOf(address), ACCESS_READ | ACCESS_USER);
  return walkOf(second, { tables: { ...tablesOf(state.machine, parent).l0, by: null }, address, made: null, passed: false });
}
