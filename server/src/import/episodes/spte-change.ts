/** What becomes of an entry of the TDP MMU, by its old and its new value (tdp_mmu.c: __handle_changed_spte; spte.h). */

/** SPTE_MMU_PRESENT_MASK: bit 11. */
const PRESENT = 1n << 11n;
/** PT_PAGE_SIZE_MASK: maps a page above level 1. */
const LARGE = 1n << 7n;
/** PT_WRITABLE_MASK, in every format. */
const WRITABLE = 1n << 1n;
const FRAME = 0x000f_ffff_ffff_f000n;

export type SpteChange =
  /** A leaf where there was none. */
  | 'mapped'
  /** A table where there was nothing. */
  | 'linked'
  | 'unmapped'
  /** A table goes, with all below it. */
  | 'unlinked'
  /** A table makes way for a leaf. */
  | 'collapsed'
  /** A leaf makes way for a table of smaller ones. */
  | 'split'
  | 'write-protected'
  | 'made-writable'
  /** A and D alone, or other bits that rights do not depend on. */
  | 'flags'
  /** To another frame. */
  | 'moved'
  /** A mark of MMIO, or of an entry under removal. */
  | 'marked';

export function isPresent(spte: bigint): boolean {
  return (spte & PRESENT) !== 0n;
}

export function isLeaf(spte: bigint, level: number): boolean {
  return level === 1 || (spte & LARGE) !== 0n;
}

export function spteChange(old: bigint, now: bigint, level: number): SpteChange {
  const [was, is] = [isPresent(old), isPresent(now)];
  if (!was) return !is ? 'marked' : isLeaf(now, level) ? 'mapped' : 'linked';
  const wasLeaf = isLeaf(old, level);
  if (!is) return wasLeaf ? 'unmapped' : 'unlinked';
  const staysLeaf = isLeaf(now, level);
  if (wasLeaf !== staysLeaf) return wasLeaf ? 'split' : 'collapsed';
  if ((old & FRAME) !== (now & FRAME)) return 'moved';
  if ((old & WRITABLE) === (now & WRITABLE)) return 'flags';
  return (now & WRITABLE) !== 0n ? 'made-writable' : 'write-protected';
}
