/**
 * What was recorded and lines do not have: sptes bit by bit but for their frames, and flushes of the TLB. From the digest of a recording
 * (NAME.txt, all modes one after another, a line an event; `~` before what is the interpreter's own).
 */
import { withoutFrame } from './lines';
import { isMode } from './mode';
import type { Mode } from './mode';

/** Fields of a line. */
export interface DigestFacts {
  readonly raw: string[];
  readonly flush: string[];
}

/** By operation. */
export type Digest = ReadonlyMap<number, DigestFacts>;

export function readDigest(text: string): ReadonlyMap<Mode, Digest> {
  const modes = new Map<Mode, Map<number, DigestFacts>>();
  let ops: Map<number, DigestFacts> | null = null;
  let op: DigestFacts | null = null;
  let before = '';
  for (const line of text.split('\n')) {
    const head = /^##### \S+ +\[(\S+)\]/.exec(line);
    if (head) {
      ops = isMode(head[1]) ? new Map() : null;
      if (ops !== null && isMode(head[1])) modes.set(head[1], ops);
      op = null;
      continue;
    }
    const begun = /^ ?(\d+) .* exits=\d+/.exec(line);
    if (begun && ops !== null) ops.set(Number(begun[1]), (op = { raw: [], flush: [] }));
    if (op === null) continue;
    const said = rawOf(line.trim());
    if (said) op.raw.push(said);
    const flush = flushOf(line.trim(), before);
    if (flush) op.flush.push(flush);
    before = line.trim();
  }
  return modes;
}

/** `vmx_flush_tlb_guest()`, `kvm_flush_remote_tlbs()`. Functions of SVM call svm_flush_tlb_asid, which for a guest's sake is called alone. */
function flushOf(line: string, before: string): string | null {
  // Those of a range end in one of everything.
  if (line === 'kvm_flush_remote_tlbs()') return 'remote';
  if (line === 'svm_flush_tlb_asid()') return before.startsWith('svm_flush_tlb_') ? null : 'guest';
  return /^(?:vmx|svm)_flush_tlb_(\w+)\(\)$/.exec(line)?.[1] ?? null;
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
