/** Whether there is more than one layer of guests: then views say whose exits, entries and tables they show. */
import type { MachineConfig } from '../engine/program';

/** Some VM stands in a VM. */
export function nested({ vms }: MachineConfig): boolean {
  return vms.some(({ parent }) => typeof parent === 'number');
}
