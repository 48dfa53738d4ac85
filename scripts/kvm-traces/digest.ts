/**
 * Sptes as they were recorded, bit by bit but for their frames, which lines do not have: from the digest of a recording (NAME.txt, all
 * modes one after another, a line an event; `~` before what is the interpreter's own).
 */
import { withoutFrame } from './lines';
import { isMode } from './mode';
import type { Mode } from './mode';

/** Lists of the field `raw`, by operation. */
export type RawSptes = ReadonlyMap<number, readonly string[]>;

export function readDigest(text: string): ReadonlyMap<Mode, RawSptes> {
  const modes = new Map<Mode, Map<number, string[]>>();
  let ops: Map<number, string[]> | null = null;
  let op: string[] | null = null;
  for (const line of text.split('\n')) {
    const head = /^##### \S+ +\[(\S+)\]/.exec(line);
    if (head) {
      ops = isMode(head[1]) ? new Map() : null;
      if (ops !== null && isMode(head[1])) modes.set(head[1], ops);
      op = null;
      continue;
    }
    const begun = /^ ?(\d+) .* exits=\d+/.exec(line);
    if (begun && ops !== null) ops.set(Number(begun[1]), (op = []));
    const said = op && rawOf(line.trim());
    if (said) op!.push(said);
  }
  return modes;
}

/** `set_spte l1 gfn=400 rwxu spte=53e3e67`, `tdp_spte l1 gfn=110 0->3235e67`, `mark_mmio_spte gfn=fe000 access=7 gen=4` */
function rawOf(line: string): string | null {
  const set = /^set_spte l(\d) gfn=([0-9a-f]+) \S+ spte=([0-9a-f]+)$/.exec(line);
  if (set) return `set ${set[2]} l${set[1]} ${withoutFrame(BigInt(`0x${set[3]}`))}`;
  const tdp = /^tdp_spte l(\d) gfn=([0-9a-f]+) ([0-9a-f]+)->([0-9a-f]+)$/.exec(line);
  if (tdp) return `tdp ${tdp[2]} l${tdp[1]} ${withoutFrame(BigInt(`0x${tdp[3]}`))} ${withoutFrame(BigInt(`0x${tdp[4]}`))}`;
  // The generation depends on the slots that a VMM and a vendor module make for themselves.
  const mmio = /^mark_mmio_spte gfn=([0-9a-f]+) access=(\d)/.exec(line);
  return mmio && `mmio ${mmio[1]} access ${mmio[2]}`;
}
