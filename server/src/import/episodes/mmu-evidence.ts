/** Which kind of MMU virtualization a trace is of: what each event tells, the surest first. */
import type { MmuKind } from '../../engine/program';
import { Role } from '../../engine/mmu/pages/role';
import { numberIn, wordIn, type TraceEvent } from '../trace-event';
import { mmuOfReason, reasonOf, type Vendor } from './exit';
import { mmuByBits } from './fault-code';
import { isLeaf, isPresent } from './spte-change';

/** Bit 4: in a leaf of EPT a bit of the memory type, which memory has as write-back; in NPT it disables caching. */
const WRITE_BACK = 1n << 4n;

export class MmuEvidence {
  private readonly byExit: { [K in MmuKind]?: number } = {};
  private readonly byCode: { [K in MmuKind]?: number } = {};
  private readonly lastExits = new Map<number, string>();
  private tdp = false;
  private shadow = false;
  /** Leaves of the TDP MMU that look like EPT's, less those that look like NPT's. */
  private eptLeaves = 0;

  take(event: TraceEvent): void {
    switch (event.name) {
      case 'kvm_exit': {
        const { name } = reasonOf(event);
        this.lastExits.set(event.pid, name);
        const mmu = mmuOfReason(name);
        if (mmu) this.told(mmu);
        return;
      }
      case 'kvm_page_fault':
        return this.fault(event);
      case 'kvm_tdp_mmu_spte_changed': {
        this.tdp = true;
        const [spte, level] = [wordIn(event, 'new_spte') ?? 0n, numberIn(event, 'level') ?? 1];
        if (isPresent(spte) && isLeaf(spte, level)) this.eptLeaves += (spte & WRITE_BACK) !== 0n ? 1 : -1;
        return;
      }
      case 'kvm_mmu_get_page':
        this.shadow ||= ((numberIn(event, 'role') ?? Role.direct) & Role.direct) === 0;
        return;
      default:
    }
  }

  /** That of the host's VMs; null: nothing tells. Where there is a second stage, a guest of a guest can have none: its exits count less. */
  kind(vendor: Vendor | null): MmuKind | null {
    const { byExit, byCode, tdp, eptLeaves } = this;
    if (byExit.npt || byExit.ept) return byExit.npt ? 'npt' : 'ept';
    if (byCode.npt || byCode.ept) return byCode.npt ? 'npt' : 'ept';
    if (tdp && vendor) return vendor === 'intel' ? 'ept' : 'npt';
    if (tdp && eptLeaves !== 0) return eptLeaves > 0 ? 'ept' : 'npt';
    return !tdp && (byExit.soft || this.shadow) ? 'soft' : null;
  }

  private fault(event: TraceEvent): void {
    // A #PF exit of VMX has the name of all exceptions; that KVM takes it for a fault tells.
    if (this.lastExits.get(event.pid) === 'EXCEPTION_NMI') this.told('soft');
    const code = wordIn(event, 'error_code');
    const kind = code === null ? 'soft' : mmuByBits(code);
    if (kind !== 'soft') this.byCode[kind] = (this.byCode[kind] ?? 0) + 1;
  }

  private told(mmu: MmuKind): void {
    this.byExit[mmu] = (this.byExit[mmu] ?? 0) + 1;
  }
}
