/**
 * An emulated store to guest memory: shadow pages of a table that lies there lose what they mirror (§5.6; mmu.c:
 * kvm_mmu_pte_write of 6.1, get_written_sptes, detect_write_flooding).
 */
import { highOf, lowOf } from '../../bits';
import { storeBytes } from '../../memory/bytes';
import type { Kvm } from './kvm';
import type { ShadowPage } from './shadow-page';
import { flushOrZap, prepareZap, zapEntry } from './zap';

/**
 * @param pae the vCPU that stores has CR4.PAE = 1
 * @param address of the bytes in the memory that the hypervisor runs in
 */
export function emulatedStore(kvm: Kvm, pae: boolean, address: number, gpa: number, bytes: number, value: bigint): void {
  const { journal } = kvm.trace;
  const gfn = Math.floor(gpa / 4096);
  kvm.markPageDirty(kvm.slotOf(gfn), gfn);
  const event = journal.length;
  kvm.trace.emit('kvm_mmu_pte_write', { bytes, gpa, new: { lo: lowOf(value), hi: highOf(value) } });
  storeBytes(kvm.tables, address, bytes, value);
  if (kvm.pages.indirect === 0) return;
  journal.goesOn(event);
  if (bytes === 4 && pae) {
    // Taken for half of an 8-byte entry, whatever the entries of the shadowed table are (mmu_pte_write_fetch_gpte).
    gpa -= gpa % 8;
    bytes = 8;
  }
  const invalid: ShadowPage[] = [];
  const going: ShadowPage[] = [];
  let flush = false;
  for (const page of kvm.pages.mirrors(Math.floor(gpa / 4096))) {
    if (crossesEntries(page, gpa, bytes) || floods(kvm, page)) {
      going.push(page);
      continue;
    }
    for (const at of writtenEntries(page, gpa)) {
      if (kvm.format.present(kvm.tables.low(at))) flush = true;
      zapEntry(kvm, page, at, null);
    }
  }
  for (const page of going) if (!page.invalid) prepareZap(kvm, page, invalid);
  flushOrZap(kvm, invalid, flush);
}

/** Not a store to one entry (detect_write_misaligned); a single byte at its start only updates flags. */
function crossesEntries(page: ShadowPage, gpa: number, bytes: number): boolean {
  const size = page.narrow ? 4 : 8;
  const offset = gpa % 4096;
  if (offset % size === 0 && bytes === 1) return false;
  return Math.floor(offset / size) !== Math.floor((offset + bytes - 1) / size) || bytes < 4;
}

/** The last of some writes without a use of the page in between. Level 1 can become unsync instead. */
function floods(kvm: Kvm, page: ShadowPage): boolean {
  if (page.level === 1) return false;
  page.floodingCount++;
  const limit = kvm.options.flooding;
  return limit > 0 && page.floodingCount >= limit;
}

/** Entries of the page that mirror the guest entry written: none when it is another quadrant's, two of a 32-bit directory. */
function writtenEntries(page: ShadowPage, gpa: number): number[] {
  let offset = gpa % 4096;
  let count = 1;
  if (page.narrow) {
    offset *= 2;
    if (page.level === 2) {
      offset = (offset - (offset % 8)) * 2;
      count = 2;
    }
    if (Math.floor(offset / 4096) !== page.quadrant) return [];
    offset %= 4096;
  }
  const first = Math.floor(offset / 8);
  return Array.from({ length: count }, (_, i) => page.entryAddress(first + i));
}
