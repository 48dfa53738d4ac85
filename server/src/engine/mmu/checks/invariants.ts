/**
 * Invariants of a VM's memory and tables (§9, groups M, S, T and L), checked between acts. Each broken one is told by its name
 * and what is wrong; a list that grows too long is cut.
 */
import { PAGE_SIZE } from '../../bits';
import { Cr0, Efer } from '../../vcpu/control-registers';
import { Register } from '../../vcpu/registers';
import type { Slot } from '../../memory/slots';
import type { Hypervisor } from '../vmm/hypervisor';
import { loggedPages } from '../logging/pml';
import { brokenMirrors } from './mirror-invariants';
import { brokenShadow } from './shadow-invariants';
import { leavesOf, type LeafSeen } from './table-survey';
import { brokenTlb } from './tlb-invariants';
import { levelOf } from '../pages/role';
import { framesAt } from '../pages/shadow-page';

const MOST = 20;

export function brokenInvariants(hypervisor: Hypervisor): string[] {
  const broken: string[] = [];
  const leaves = leavesOf(hypervisor.kvm);
  brokenSlots(hypervisor, broken);
  const logged = new Set(hypervisor.vcpus.flatMap(({ parts }) => loggedPages(hypervisor.kvm, parts)));
  for (const leaf of leaves) brokenLeaf(hypervisor, leaf, logged, broken);
  brokenShadow(hypervisor, leaves, broken);
  brokenMirrors(hypervisor, leaves, broken);
  brokenTdp(hypervisor, leaves, broken);
  brokenTlb(hypervisor, leaves, broken);
  brokenRegisters(hypervisor, broken);
  return broken.slice(0, MOST);
}

/** M1 */
function brokenSlots({ guest }: Hypervisor, broken: string[]): void {
  const slots = guest.slots.all();
  slots.forEach((slot, i) => {
    const next = slots[i + 1];
    if (next !== undefined && slot.gfn + slot.pages > next.gfn) broken.push(`M1: slots ${slot.id} and ${next.id} overlap`);
    if (slot.hva % PAGE_SIZE !== 0) broken.push(`M1: slot ${slot.id} is not aligned`);
    if (slot.invalid) broken.push(`M2: slot ${slot.id} is still INVALID`);
  });
}

/**
 * M3 to M7, M9
 *
 * @param pml frames in PML buffers that are still to be drained
 */
function brokenLeaf({ kvm, guest }: Hypervisor, leaf: LeafSeen, pml: ReadonlySet<number>, broken: string[]): void {
  const { format } = kvm;
  const { lo, hi, gfn, level } = leaf;
  const where = `gfn ${gfn.toString(16)} level ${level}`;
  if (leaf.mmio) {
    const current = format.mmioGeneration(lo, hi) === kvm.mmioGeneration;
    if (current && guest.slots.find(gfn) !== null) broken.push(`M9: a valid MMIO spte for ${where}, which is in a slot`);
    return;
  }
  const slot = guest.slots.find(gfn);
  if (slot === null || slot.invalid) {
    broken.push(`M3: a leaf for ${where}, which is in no slot`);
    return;
  }
  for (const offset of level === 1 ? [0] : [0, framesAt(level) - 1]) {
    const hpa = guest.look((gfn + offset) * PAGE_SIZE);
    if (hpa !== (format.pfn(lo, hi) + offset) * PAGE_SIZE) broken.push(`M3: the leaf for ${where} leads to another page than the host has`);
  }
  const hostWritable = format.hostWritable(lo, hi);
  const mmuWritable = format.mmuWritable(lo, hi);
  const writable = format.writable(lo);
  if (hostWritable && slot.readonly) broken.push(`M4: host-writable leaf for ${where} in a READONLY slot`);
  if (hostWritable && guest.host.look(slot.hvaOf(gfn)) && !guest.host.writable) broken.push(`M4: the host lets ${where} be read only`);
  if (writable && !mmuWritable) broken.push(`M5: the leaf for ${where} is writable without MMU-writable`);
  if (mmuWritable && !hostWritable) broken.push(`M5: the leaf for ${where} is MMU-writable without host-writable`);
  if (level > 1) {
    if (!slot.fits(gfn, level)) broken.push(`M6: slot ${slot.id} does not allow a large page at ${where}`);
    if (writable && !kvm.track.largeAllowed(gfn, level)) broken.push(`M6: a writable large leaf over a shadowed table at ${where}`);
    // Where the log began with all pages in it, a large leaf stays writable until one of its pages is cleared.
    if (writable && !allLogged(slot, gfn, level)) broken.push(`M6: a writable large leaf in a logging slot at ${where}`);
  }
  const logged = slot.dirtyLog;
  const unseen = kvm.pmlActive && !format.adNeedsWriteProtection(hi) ? format.dirtyFlag(lo) : true;
  if (logged !== null && level === 1 && writable && unseen && !logged.has(gfn - slot.gfn) && !pml.has(gfn)) {
    broken.push(`M7: ${where} can be written without being in the dirty log`);
  }
}

function allLogged({ dirtyLog, gfn: first }: Slot, gfn: number, level: number): boolean {
  if (dirtyLog === null) return true;
  for (let page = gfn; page < gfn + framesAt(level); page++) if (!dirtyLog.has(page - first)) return false;
  return true;
}

/** S15: hardware runs a soft MMU's guest with paging, write protection and execute-disable, whatever the guest has. */
function brokenRegisters({ kvm, vcpus }: Hypervisor, broken: string[]): void {
  if (kvm.tdp) return;
  for (const { registers, inGuest } of vcpus) {
    if (!inGuest) continue;
    const cr0 = registers.lo(Register.hwCr0);
    if ((cr0 & Cr0.pg) === 0 || (cr0 & Cr0.wp) === 0) broken.push('S15: the guest runs without CR0.PG or CR0.WP');
    if ((registers.lo(Register.hwEfer) & Efer.nxe) === 0) broken.push('S15: the guest runs without EFER.NXE');
  }
}

/** T1, T2, T6 */
function brokenTdp({ kvm }: Hypervisor, leaves: readonly LeafSeen[], broken: string[]): void {
  const { tdpMmu, format } = kvm;
  if (tdpMmu === null) return;
  const roles = tdpMmu.validRoots.map(({ role }) => role);
  if (new Set(roles).size !== roles.length) broken.push('T2: two roots of one role');
  for (const leaf of leaves) {
    if (!leaf.page.tdpMmu || leaf.mmio) continue;
    const where = `gfn ${leaf.gfn.toString(16)}`;
    if (!format.readable(leaf.lo) && !format.accessTracked(leaf.lo, leaf.hi)) broken.push(`T6: an unreadable leaf for ${where}`);
    if (!format.executable(leaf.lo, leaf.hi)) broken.push(`T1: the leaf for ${where} depends on more than W`);
    if (leaf.gfn !== leaf.page.gfn + leaf.index * framesAt(levelOf(leaf.page.role))) broken.push(`T2: the tree is not linear at ${where}`);
  }
}
