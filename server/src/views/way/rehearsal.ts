/**
 * An access made once more, on the processor as it stands at a point of a run: what it reads there, what serves it from a cache, and what
 * it comes to. It is the engine's own processor on a copy of the state, so that no view can have another opinion of it.
 */
import { lowOf, highOf } from '../../engine/bits';
import { Journal, ROW_WORDS } from '../../engine/journal/journal';
import type { Rows } from '../../engine/journal/state';
import { PhysicalMemory } from '../../engine/memory/physical-memory';
import { PmlLog } from '../../engine/vcpu/pml-log';
import { Outcome, Processor } from '../../engine/vcpu/processor';
import { restoreTlb } from '../../engine/vcpu/restored-tlb';
import { Access } from '../../engine/x86/permissions';
import type { Walker } from '../../engine/x86/walker';
import type { MachineState } from '../machine-state';
import type { Hardware } from './hardware';

/** In the VPID or ASID of accesses without a linear address (engine/mmu/guest/kernel-access.ts). */
export const UNMAPPED_TAG = 0x8000;
/** Rows that no access exceeds by far. */
const MOST_ROWS = 1 << 14;

export interface Attempt {
  readonly outcome: Outcome;
  /** Host-physical address; null: it was not reached. */
  readonly hpa: number | null;
  /** What the processor did, in order. */
  readonly rows: Rows;
  /** The walker whose tables do not allow the access, as it stopped; null: they do, or the address is not canonical. */
  readonly failed: Walker | null;
  /** Level of the entry whose address the second stage does not translate, or does not let be written; null: it is none's. */
  readonly reading: number | null;
}

/** One access after another. */
export class Rehearsal {
  private readonly journal = new Journal(MOST_ROWS);
  private readonly processor: Processor;

  /** @param uses as of {@link lastUses} */
  constructor(
    state: MachineState,
    private readonly hardware: Hardware,
    uses: ReadonlyMap<number, number>,
  ) {
    const { host } = state;
    const memory = new PhysicalMemory(this.journal);
    memory.source = state.memory.source;
    this.journal.on = false;
    this.processor = new Processor(memory, host.vendor === 'amd', host.tlb, hardware.processor);
    restoreTlb(this.processor.tlb, state.state, hardware.processor, uses);
    hardware.context.pml = hardware.logs ? new PmlLog(memory, hardware.registers) : null;
    this.processor.enter(hardware.context);
    this.journal.on = true;
  }

  /** @param access ACCESS_* and `Access` bits; within a page */
  linear(address: bigint, access: number): Attempt {
    return this.attempt(address, access);
  }

  /** As the guest accesses memory that its own tables do not map. */
  physical(gpa: number, access: number): Attempt {
    const { context } = this.hardware;
    const { first, vpid } = context;
    context.first = null;
    context.vpid ^= UNMAPPED_TAG;
    this.processor.enter(context);
    const attempt = this.attempt(BigInt(gpa), access);
    context.first = first;
    context.vpid = vpid;
    this.processor.enter(context);
    return attempt;
  }

  private attempt(address: bigint, access: number): Attempt {
    const { processor, journal } = this;
    const from = journal.length;
    const outcome = processor.access(lowOf(address), highOf(address), access);
    return {
      outcome,
      hpa: outcome === Outcome.ok ? processor.host : null,
      rows: rowsFrom(journal, from),
      failed: this.failed(outcome),
      reading: this.reading(outcome),
    };
  }

  private reading(outcome: Outcome): number | null {
    const { first, second, exitGpa } = this.processor;
    if (this.failed(outcome) !== second || (second.access & Access.table) === 0) return null;
    for (let level = first.level; level <= first.firstLevel; level++) if (first.entryAddress(level) === exitGpa) return level;
    return first.level;
  }

  private failed(outcome: Outcome): Walker | null {
    if (outcome === Outcome.ok || outcome === Outcome.generalProtection) return null;
    return outcome === Outcome.pageFault ? this.processor.first : this.processor.second;
  }
}

function rowsFrom({ words, length }: Journal, from: number): Rows {
  return { words: words.slice(from * ROW_WORDS, length * ROW_WORDS), length: length - from };
}
