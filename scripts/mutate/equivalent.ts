/** Mutants that no test can notice, each with the reason. */
import type { Mutant } from './mutants';

interface Equivalent {
  readonly file: string;
  /** The line as it stands, and as the mutant has it, without indentation. */
  readonly line: string;
  readonly becomes: string;
  readonly why: string;
}

const EARLIER = 'the parser begins at an earlier declaration, which comes to the same and only takes longer';

const EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'server/src/workspace/script-worker.ts',
    line: 'let nextId = 1;',
    becomes: 'let nextId = 0;',
    why: 'ids are only compared',
  },
  {
    file: 'server/src/language/syntax/ways.ts',
    line: 'if (kind === t.LCurly.tokenTypeIdx) depth++;',
    becomes: 'if (kind === t.LCurly.tokenTypeIdx) depth--;',
    why: EARLIER,
  },
  {
    file: 'server/src/language/syntax/ways.ts',
    line: 'else if (kind === t.RCurly.tokenTypeIdx && depth > 0) depth--;',
    becomes: 'else if (kind === t.RCurly.tokenTypeIdx && depth > 0) depth++;',
    why: EARLIER,
  },
  {
    file: 'server/src/language/syntax/ways.ts',
    line: 'else if (kind === t.RCurly.tokenTypeIdx && depth > 0) depth--;',
    becomes: 'else if (kind === t.RCurly.tokenTypeIdx && depth >= 0) depth--;',
    why: EARLIER,
  },
  {
    file: 'server/src/language/syntax/ways.ts',
    line: 'const from = count > 0 ? ends[count - 1]! : 0;',
    becomes: 'const from = count >= 0 ? ends[count - 1]! : 0;',
    why: 'without a token there is no end either, and a slice from nowhere is the whole text',
  },
  {
    file: 'server/src/language/syntax/layout.ts',
    line: 'if (comments[middle]!.range.start < body.range.start) low = middle + 1;',
    becomes: 'if (comments[middle]!.range.start <= body.range.start) low = middle + 1;',
    why: 'no comment begins where a bracket stands',
  },
  {
    file: 'server/src/engine/bits.ts',
    line: 'return (hi >>> 0) * HALF + (lo >>> 0);',
    becomes: 'return (hi << 0) * HALF + (lo >>> 0);',
    why: 'hi is below 2^21',
  },
  {
    file: 'server/src/engine/memory/frames.ts',
    line: 'if (this.locate(from) < 0) return this.clear(to);',
    becomes: 'if (false) return this.clear(to);',
    why: 'an absent frame reads as zero: the same words are cleared, one by one',
  },
  {
    file: 'server/src/engine/mmu/guest/table-windows.ts',
    line: 'if (known) kept.windows.set(gpa / 4096, found);',
    becomes: 'if (false) kept.windows.set(gpa / 4096, found);',
    why: 'what is not kept is searched for again, which only takes longer',
  },
  {
    file: 'server/src/engine/mmu/hard/direct-page-fault.ts',
    line: 'vcpu.mmio.remember(fault.tdp ? 0 : fault.lo, fault.tdp ? 0 : fault.hi, fault.gfn, ACC_ALL & kvm.format.mmioAccess);',
    becomes: 'vcpu.mmio.remember(fault.tdp ? 1 : fault.lo, fault.tdp ? 0 : fault.hi, fault.gfn, ACC_ALL & kvm.format.mmioAccess);',
    why: 'of a linear address its page is remembered, which is 0 either way',
  },
  {
    file: 'server/src/engine/mmu/nested/nested-cpu.ts',
    line: 'valueHi: 0,',
    becomes: 'valueHi: 1,',
    why: 'the instruction is a read, which takes no value',
  },
  {
    file: 'server/src/engine/mmu/vcpu/kvm-vcpu.ts',
    line: 'writeFaultToShadowTable = false;',
    becomes: 'writeFaultToShadowTable = true;',
    why: 'only the emulation of a fetch under shadow paging heeds it, after the fault that has set it',
  },
  {
    file: 'server/src/engine/mmu/vcpu/kvm-vcpu.ts',
    line: 'lastExit: { readonly reason: number; readonly info: ExitInfo } = { reason: 0, info: NO_INFO };',
    becomes: 'lastExit: { readonly reason: number; readonly info: ExitInfo } = { reason: 1, info: NO_INFO };',
    why: 'it is read after an exit, and before the first one only asked whether that was a nested page fault',
  },
  {
    file: 'server/src/engine/mmu/vcpu/kvm-vcpu.ts',
    line: 'return this.instruction?.ac ?? (this.registers.lo(Register.rflags) & RFLAGS_AC) !== 0;',
    becomes: 'return this.instruction?.ac ?? (this.registers.lo(Register.rflags) & RFLAGS_AC) !== 1;',
    why: 'without an instruction only second stages are walked, to which SMAP is nothing',
  },
  {
    file: 'server/src/run/execute.ts',
    line: 'this.started = hooks.now?.() ?? 0;',
    becomes: 'this.started = hooks.now?.() ?? 1;',
    why: 'without a clock nobody asks when it began',
  },
];

/** Why a mutant changes nothing that could be seen; null: it does, for all that is known. */
export function whyEquivalent({ file, column, original, replacement }: Mutant, line: string): string | null {
  const at = column - 1;
  const becomes = line.slice(0, at) + replacement + line.slice(at + original.length);
  const same = EQUIVALENT.find((each) => each.file === file && each.line === line.trim() && each.becomes === becomes.trim());
  return same?.why ?? null;
}
