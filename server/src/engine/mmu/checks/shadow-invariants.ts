/** Invariants of the shadow machinery (§9, group S): soft MMU, older direct MMU, nested shadows. */
import { Pte } from '../../x86/entries';
import { Acc, Role, levelOf } from '../pages/role';
import type { Hypervisor } from '../vmm/hypervisor';
import type { Kvm } from '../pages/kvm';
import { framesAt, indexOf, type ShadowPage } from '../pages/shadow-page';
import { livePages, type LeafSeen } from './table-survey';

export function brokenShadow(hypervisor: Hypervisor, leaves: readonly LeafSeen[], broken: string[]): void {
  const { kvm } = hypervisor;
  const { format } = kvm;
  const pages = livePages(kvm).filter((page) => !page.tdpMmu);
  for (const page of pages) brokenPage(kvm, page, broken);
  brokenCounts(hypervisor, pages, broken);
  brokenReverseMap(kvm, leaves, broken);
  for (const leaf of leaves) {
    if (leaf.mmio) continue;
    if (!format.ept && (leaf.lo & Pte.global) !== 0) broken.push(`S10: entry ${leaf.index} of ${nameOf(leaf.page)} is global`);
    brokenProtection(kvm, leaf, broken);
  }
}

/** S4, S5, S7, S10, S12 */
function brokenPage(kvm: Kvm, page: ShadowPage, broken: string[]): void {
  const { format, tables } = kvm;
  const name = nameOf(page);
  if (page.unsync && (page.level !== 1 || page.direct || page.invalid)) broken.push(`S4: ${name} is unsync`);
  if (page.unsync && kvm.track.tracked(page.gfn)) broken.push(`S4: ${name} is unsync though its frame is tracked`);
  if (page.level === 1 && page.floodingCount !== 0) broken.push(`S12: ${name} counts writes`);
  const { flooding } = kvm.options;
  if (flooding > 0 && page.floodingCount >= flooding) broken.push(`S12: ${name} has ${page.floodingCount} writes and lives`);
  let marked = 0;
  for (let index = 0; index < 512; index++) {
    if (page.hasUnsyncChild(index)) marked++;
    const at = page.entryAddress(index);
    const lo = tables.low(at);
    const hi = tables.high(at);
    if (!format.present(lo) || format.last(lo, page.level)) continue;
    const child = kvm.childOf(lo, hi);
    if (child === null) {
      broken.push(`S7: entry ${index} of ${name} leads to no shadow page`);
      continue;
    }
    if (child.level !== page.level - 1) broken.push(`S7: ${nameOf(child)} hangs below ${name}`);
    if (!child.parents.has(at)) broken.push(`S7: ${nameOf(child)} does not know its parent ${name}`);
    if (((child.role ^ page.role) & ~(Role.level | Role.access | Role.direct | Role.quadrant | Role.invalid)) !== 0) {
      broken.push(`S7: ${nameOf(child)} has another role than its parent ${name}`);
    }
    // Under CR0.WP = 0 a piece of a large page is writable for the supervisor below entries that are not.
    const mayWrite = child.direct && !page.direct && (page.role & Role.cr0Wp) === 0 ? Acc.write : 0;
    if ((child.access & ~(page.access | mayWrite)) !== 0) broken.push(`S7: ${nameOf(child)} allows more than its parent ${name}`);
    if ((child.unsync || child.unsyncChildren > 0) && !page.hasUnsyncChild(index))
      broken.push(`S5: ${name} does not know of an unsync page below`);
    // Hardware may set flags besides.
    if ((lo & 7) !== (format.nonLeaf(child.frame, (child.role & Role.adDisabled) !== 0).lo & 7))
      broken.push(`S10: a non-leaf entry of ${name} lacks rights`);
  }
  if (marked !== page.unsyncChildren) broken.push(`S5: ${name} counts ${page.unsyncChildren} unsync children of ${marked}`);
  for (const at of page.parents) {
    const parent = kvm.pages.holding(at);
    if (parent === null || kvm.childOf(tables.low(at), tables.high(at)) !== page)
      broken.push(`S7: ${name} has a parent that does not point to it`);
  }
}

/** S3's counts, S9, S11, S14 */
function brokenCounts({ kvm, vcpus }: Hypervisor, pages: readonly ShadowPage[], broken: string[]): void {
  const upper = new Map<number, number>();
  const names = new Set<string>();
  const roots = new Map<ShadowPage, number>();
  let indirect = 0;
  for (const page of pages) {
    const name = `${page.gfn} ${page.role}`;
    if (names.has(name)) broken.push(`S9: two valid pages ${nameOf(page)}`);
    names.add(name);
    if (!page.hasGuestEntries) continue;
    indirect++;
    if (page.level > 1) upper.set(page.gfn, (upper.get(page.gfn) ?? 0) + 1);
    if (kvm.track.disallowCount(page.gfn, 2) === 0) broken.push(`S3: large pages are allowed over ${nameOf(page)}`);
  }
  for (const [gfn, count] of upper) {
    if (kvm.track.count(gfn) !== count)
      broken.push(`S3: gfn ${gfn.toString(16)} is tracked ${kvm.track.count(gfn)} times for ${count} pages`);
  }
  if (kvm.pages.indirect !== indirect) broken.push(`S14: ${kvm.pages.indirect} indirect pages are counted, ${indirect} live`);
  for (const mmu of vcpus.flatMap(({ contexts }) => contexts)) {
    for (const root of [mmu.roots.current, ...mmu.roots.previous]) {
      if (root.hpa < 0) continue;
      for (const page of root.pae ?? (root.page === null ? [] : [root.page])) roots.set(page, (roots.get(page) ?? 0) + 1);
    }
  }
  for (const page of kvm.pages.all()) {
    const count = roots.get(page) ?? 0;
    if (page.rootCount !== count) broken.push(`S11: ${nameOf(page)} counts ${page.rootCount} roots, ${count} name it`);
  }
  const counted = [...kvm.pages.all()].filter((page) => !page.tdpMmu).length;
  if (kvm.pages.used !== counted) broken.push(`S14: ${kvm.pages.used} used pages are counted, ${counted} live`);
}

/** S8 */
function brokenReverseMap(kvm: Kvm, leaves: readonly LeafSeen[], broken: string[]): void {
  const mapped = new Set<number>();
  for (const { level, gfn, sptes } of kvm.rmap.all()) {
    for (const at of sptes) {
      mapped.add(at);
      const page = kvm.pages.holding(at);
      if (page === null || page.level !== level) broken.push(`S8: the reverse map of gfn ${gfn.toString(16)} names an entry that is gone`);
    }
  }
  for (const leaf of leaves) {
    if (leaf.mmio || leaf.page.tdpMmu) continue;
    if (!kvm.rmap.of(leaf.gfn, leaf.level).has(leaf.at))
      broken.push(`S8: the leaf for gfn ${leaf.gfn.toString(16)} is not in the reverse map`);
    mapped.delete(leaf.at);
  }
  for (const at of mapped) {
    const page = kvm.pages.holding(at);
    // Pages of an old generation keep their leaves until they are zapped.
    if (page !== null && !kvm.pages.obsolete(page))
      broken.push(`S8: the reverse map names entry ${indexOf(at)} of ${nameOf(page)}, which is no leaf`);
  }
}

/** S3: what maps a shadowed table cannot be written. */
function brokenProtection(kvm: Kvm, leaf: LeafSeen, broken: string[]): void {
  const { format } = kvm;
  if (!format.writable(leaf.lo) && !format.mmuWritable(leaf.lo, leaf.hi)) return;
  for (let gfn = leaf.gfn, end = gfn + framesAt(leaf.level); gfn < end; gfn++) {
    const isProtected = kvm.track.tracked(gfn) || kvm.pages.mirrors(gfn).some((page) => !page.unsync);
    if (isProtected)
      broken.push(`S3: the table at gfn ${gfn.toString(16)} can be written through entry ${leaf.index} of ${nameOf(leaf.page)}`);
  }
}

export function nameOf(page: ShadowPage): string {
  return `sp ${page.gfn.toString(16)} l${levelOf(page.role)}${page.direct ? ' direct' : ''}`;
}
