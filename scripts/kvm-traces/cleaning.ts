/** Own events of the recorded interpreter, which are left out by address ("Own events" of test/kvm-traces/README.md). */
import { isSoft } from './mode';
import type { Mode } from './mode';

/** A frame of the interpreter; with a level: a nested-table page that covers it. */
export function ownFrame(mode: Mode, gfn: bigint, level = 0): boolean {
  if ((gfn >= 0x10n && gfn <= 0x6fn) || (gfn >= 0x101n && gfn <= 0x108n)) return true;
  return !isSoft(mode) && (gfn === 0x100n || (gfn === 0n && level >= 1 && level <= 3));
}

/** A linear address of the interpreter. */
export function ownAddress(va: bigint): boolean {
  return (
    (va >= 0xffff_ffff_8001_0000n && va <= 0xffff_ffff_8006_ffffn) ||
    (va >= 0x80_0000_0000n && va <= 0x80_0000_1fffn) ||
    (va >= 0x7f00_0000_0000n && va <= 0x7f00_0000_0fffn)
  );
}
