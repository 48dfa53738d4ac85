/** KVM's software walker of guest tables (paging_tmpl.h: walk_addr_generic), with what its writes of flags mean for the tables' pages. */
import { join } from '../../bits';
import type { PhysicalMemory } from '../../memory/physical-memory';
import type { Format } from '../../x86/formats';
import { Walking, type Stage } from '../../x86/stage';
import { Walker } from '../../x86/walker';
import type { Kvm } from '../pages/kvm';
import { WalkTrace } from './walk-trace';

/**
 * @param format of the tables until others are named
 * @param number of the stage in journal rows
 * @param behind what stands behind the tables: slots, or tables of a hypervisor in between
 */
export function softwareWalker(kvm: Kvm, physical: PhysicalMemory, format: Format, number: number, behind: Stage): Walker {
  const walker = new Walker(physical, format, number, behind);
  walker.walking = Walking.software;
  walker.listener = new WalkTrace(kvm.trace.journal);
  walker.writes = (lo, hi) => writesTable(kvm, lo, hi);
  return walker;
}

/** Flags are set in a guest's table: its page becomes dirty. */
function writesTable(kvm: Kvm, lo: number, hi: number): void {
  const gpa = join(lo, hi);
  const address = kvm.guest.look(gpa);
  if (address >= 0) kvm.tables.reach(address, true);
  kvm.guest.markDirty(Math.floor(gpa / 4096));
}
