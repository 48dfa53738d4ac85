/** How much memory a host has of which the scenario does not say it: what the slots need. */
import { memoryOfGuests } from '../../engine/memory/frames';
import type { Act, SlotConfig, VmConfig } from '../../engine/program';

const LEAST = 2 ** 30;

/**
 * Bytes of host-physical memory: 1G, doubled until all slots that VMs of the host are ever given have room, large pages aligned; at most what
 * the physical address can reach. Slots that are deleted count too, as pages are given out once.
 */
export function memoryFor(vms: readonly VmConfig[], acts: readonly Act[], maxPhyAddr: number): number {
  const onHost = (vm: number): boolean => vms[vm].parent === null;
  let needed = 0;
  const add = ({ size, backing }: Pick<SlotConfig, 'size' | 'backing'>): void =>
    void (needed += size + Math.max(backing.pageSize, 2 ** 21));
  vms.forEach((vm, index) => onHost(index) && vm.slots.forEach(add));
  for (const act of acts) if (act.do === 'set-slot' && onHost(act.vm)) add(act.slot);
  let memory = LEAST;
  while (memoryOfGuests(memory) < needed && memory < 2 ** maxPhyAddr) memory *= 2;
  return memory;
}
