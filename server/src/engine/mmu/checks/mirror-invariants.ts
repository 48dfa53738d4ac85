/**
 * Invariants of shadow pages against the guest's tables that they mirror (§9: S1, S2, S6, S7). Only pages by which a vCPU
 * could run now are judged: others were made under other rules for entries.
 */
import { PAGE_SIZE } from '../../bits';
import { ROW_WORDS } from '../../journal/journal';
import { Space } from '../../journal/spaces';
import { isChange, keyAt, spaceAt } from '../../journal/state';
import { Pte } from '../../x86/entries';
import type { Format } from '../../x86/formats';
import type { Hypervisor } from '../vmm/hypervisor';
import type { Kvm } from '../pages/kvm';
import { Acc, Role } from '../pages/role';
import { framesAt, type ShadowPage } from '../pages/shadow-page';
import { nameOf } from './shadow-invariants';
import { GuestEntry } from '../soft/guest-entry';
import { livePages, type LeafSeen } from './table-survey';

/** Roles that differ in nothing else are made by the same rules. */
const RULES = ~(Role.level | Role.access | Role.quadrant | Role.direct);

export function brokenMirrors({ kvm, vcpus }: Hypervisor, leaves: readonly LeafSeen[], broken: string[]): void {
  const judged = new Set<number>();
  for (const mmu of vcpus.flatMap(({ contexts }) => contexts)) {
    const rules = mmu.rootRole & RULES;
    if (mmu.direct || judged.has(rules)) continue;
    judged.add(rules);
    const { format } = mmu.walker;
    const concerns = (page: ShadowPage): boolean => page.hasGuestEntries && (page.role & RULES) === rules && judgeable(kvm, page.gfn);
    for (const leaf of leaves) if (!leaf.mmio && concerns(leaf.page)) brokenLeaf(kvm, format, leaf, broken);
    for (const page of livePages(kvm)) if (page.level > 1 && concerns(page)) brokenLinks(kvm, format, page, broken);
  }
}

/**
 * The guest's table has changed by what KVM hears of alone: not by the VMM's own stores, nor through another slot on the
 * same host page.
 */
function judgeable(kvm: Kvm, gfn: number): boolean {
  if (kvm.unseenWrites.has(gfn)) return false;
  const own = kvm.slotOf(gfn);
  if (own === null) return true;
  const hva = own.hvaOf(gfn);
  return !kvm.guest.slots.all().some((slot) => slot !== own && hva >= slot.hva && hva < slot.hva + slot.pages * PAGE_SIZE);
}

/** S1 and S2 of a leaf in a page in step; S6 of one that is unsync. */
function brokenLeaf(kvm: Kvm, format: Format, leaf: LeafSeen, broken: string[]): void {
  const { page } = leaf;
  const entry = new GuestEntry(kvm);
  const at = mirroredAt(format, page, leaf.index);
  if (!entry.read(format, at)) return;
  const wrong = faultsOf(kvm, format, leaf, entry);
  if (wrong.length === 0) return;
  if (!page.unsync) broken.push(...wrong);
  else if (!explained(kvm, format, leaf, at, entry)) broken.push(`S6: ${wrong[0].slice(4)}, and no entry since it was in step says so`);
}

/** What a leaf has that a guest entry does not give. */
function faultsOf(kvm: Kvm, guestFormat: Format, { page, index, lo, hi, gfn, level }: LeafSeen, entry: GuestEntry): string[] {
  const { format } = kvm;
  const where = `entry ${index} of ${nameOf(page)}`;
  if ((entry.lo & guestFormat.present) === 0) return [`S1: ${where} maps what the guest does not`];
  const wrong: string[] = [];
  if (level > 1 && (entry.lo & Pte.large) === 0) wrong.push(`S1: ${where} is a large page, the guest's is not`);
  if ((entry.lo & guestFormat.accessed) !== guestFormat.accessed) wrong.push(`S2: ${where} is mapped with A clear`);
  const mapped = frameOf(guestFormat, page, index, entry);
  if (mapped !== gfn) wrong.push(`S1: ${where} maps gfn ${gfn.toString(16)}, the guest ${mapped.toString(16)}`);
  const allowed = page.access & entry.access(guestFormat);
  if (format.user(lo) && (allowed & Acc.user) === 0) wrong.push(`S1: ${where} is for users`);
  if (format.executable(lo, hi) && (allowed & Acc.exec) === 0) wrong.push(`S1: ${where} can be executed`);
  if (format.writable(lo) && (allowed & Acc.write) === 0) {
    // Under CR0.WP=0 what only the supervisor may write is mapped for it alone.
    if ((page.role & Role.cr0Wp) !== 0) wrong.push(`S1: ${where} can be written`);
    else if (format.user(lo)) wrong.push(`S1: ${where} can be written by users under CR0.WP=0`);
  }
  return wrong;
}

/** S7 of a page's entries that lead to tables: the guest's entry leads to the table that the one below mirrors, with its rights. */
function brokenLinks(kvm: Kvm, guestFormat: Format, page: ShadowPage, broken: string[]): void {
  const { format, tables } = kvm;
  for (let index = 0; index < 512; index++) {
    const at = page.entryAddress(index);
    const lo = tables.low(at);
    const child = format.present(lo) && !format.last(lo, page.level) ? kvm.childOf(lo, tables.high(at)) : null;
    const entry = new GuestEntry(kvm);
    if (child === null || !entry.read(guestFormat, mirroredAt(guestFormat, page, index))) continue;
    const where = `entry ${index} of ${nameOf(page)}`;
    const large = page.level <= 3 && (entry.lo & Pte.large) !== 0;
    if ((entry.lo & guestFormat.present) === 0) broken.push(`S7: ${where} leads on, the guest's does not`);
    else if (large !== child.direct)
      broken.push(`S7: ${where} leads to a ${child.direct ? 'direct' : 'mirroring'} page, the guest's to another`);
    else if (frameOf(guestFormat, page, index, entry) !== child.gfn)
      broken.push(`S7: ${where} leads to ${nameOf(child)}, the guest's elsewhere`);
    else {
      // D is of leaves alone.
      if (!large) entry.lo |= guestFormat.dirty;
      const more = child.access & ~(page.access & entry.access(guestFormat));
      if (more !== 0 && (page.role & Role.cr0Wp) !== 0) broken.push(`S7: ${nameOf(child)} allows more than the guest's way to it`);
    }
  }
}

/** Guest-physical address of the entry that a shadow's entry mirrors; two of a shadow share one of a 32-bit directory. */
function mirroredAt({ narrow }: Format, page: ShadowPage, index: number): number {
  if (!narrow) return page.gfn * PAGE_SIZE + index * 8;
  const first = page.quadrant * (page.level === 1 ? 512 : 256);
  return page.gfn * PAGE_SIZE + (first + (page.level === 1 ? index : index >> 1)) * 4;
}

/** Guest frame that an entry leads to, from the place of a shadow's entry. */
function frameOf({ narrow }: Format, page: ShadowPage, index: number, entry: GuestEntry): number {
  const { gfn } = entry;
  if (page.level === 1 || (entry.lo & Pte.large) === 0 || page.level > 3) return gfn;
  const size = framesAt(page.level);
  if (!narrow) return gfn - (gfn % size);
  // Half a 4M page; bits 39:32 of its address stand in bits 20:13 of the entry (PSE-36).
  const above = ((entry.lo >>> 13) & 0xff) * 0x10_0000;
  return above + ((entry.lo >>> 22) << 10) + (index & 1) * 512;
}

/** Is there a value that the guest's entry had since the page was in step, by which the leaf is right? */
function explained(kvm: Kvm, format: Format, leaf: LeafSeen, at: number, entry: GuestEntry): boolean {
  const { journal } = kvm.trace;
  const address = kvm.guest.look(at);
  // Without a journal nothing is known of earlier values.
  if (!journal.on || journal.full || address < 0) return true;
  const aligned = address - (address % 8);
  const word = kvm.tables.look(aligned);
  let lo = kvm.tables.low(aligned);
  let hi = kvm.tables.high(aligned);
  const upper = format.narrow && address % 8 !== 0;
  for (let row = journal.length - 1; row >= 0; row--) {
    if (leaf.page.unsyncChanged(journal, row)) return false;
    const { words } = journal;
    const from = row * ROW_WORDS;
    if (!isChange(words, row) || spaceAt(words, row) !== Space.memory || keyAt(words, row) !== word) continue;
    lo ^= words[from + 3];
    hi ^= words[from + 4];
    entry.lo = upper ? hi : lo;
    entry.hi = format.narrow ? 0 : hi;
    if (faultsOf(kvm, format, leaf, entry).length === 0) return true;
  }
  return false;
}
