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
  walker.writes = (lo, hi, bits) => setFlags(kvm, lo, hi, bits);
  return walker;
}

/** KVM sets flags in an entry of a guest's table, whose page becomes dirty (update_accessed_dirty_bits). */
function setFlags(kvm: Kvm, lo: number, hi: number, bits: number): void {
  const gpa = join(lo, hi);
  const gfn = Math.floor(gpa / 4096);
  const address = kvm.guest.look(gpa);
  const upper = (address & 4) !== 0;
  if (address >= 0) kvm.tables.setBits(upper ? address - 4 : address, upper ? 0 : bits, upper ? bits : 0);
  kvm.markPageDirty(kvm.slotOf(gfn), gfn);
}
