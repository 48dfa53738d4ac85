/**
 * Counts the rows of a journal, once each and in order, a range at a time: exits, entries read, events by name, and what `kvm_stat`
 * counts. What has to be known of rows before is kept, so that a run that still grows is counted as it goes on.
 */
import { RetPf } from '../../engine/journal/enumerations';
import { EVENTS, type FieldSpec } from '../../engine/journal/event-table';
import { Actor, Kind } from '../../engine/journal/events';
import { ROW_WORDS } from '../../engine/journal/journal';
import { Space, SPACES, VmField } from '../../engine/journal/spaces';
import { keyAt, spaceAt, type Rows } from '../../engine/journal/state';
import { STATISTIC_NAMES } from '../../engine/journal/statistics';
import type { Program } from '../../engine/program';
import { Cr4 } from '../../engine/vcpu/control-registers';
import { Register } from '../../engine/vcpu/registers';
import { eventAt, valueAt, type EventOf } from '../fields';
import type { Counts } from './counts';
import { COUNTING, type Context } from './statistics';

const VM = SPACES[Space.vm].key;
const REGISTER = SPACES[Space.register].key;

const field = (spec: { readonly fields: readonly FieldSpec[] }, name: string): FieldSpec => spec.fields.find((each) => each.name === name)!;
const EXIT_REASON = field(EVENTS.kvm_exit, 'reason');
const EXIT_GUEST_MODE = field(EVENTS.kvm_exit, 'guest_mode');
const ENTRY_GUEST_MODE = field(EVENTS.kvm_entry, 'guest_mode');
const CR = field(EVENTS.kvm_cr, 'cr');
const READ_STAGE = field(EVENTS.table_read, 'stage');
const STATEMENT = field(EVENTS.statement, 'statement');
const ACT = field(EVENTS.statement, 'act');

/** Indexes of the statistics that rows of a kind count for. */
const BY_KIND: number[][] = [];
STATISTIC_NAMES.forEach((name, index) => {
  for (const event of COUNTING[name].events) (BY_KIND[Kind[event]] ??= []).push(index);
});

export class Counter {
  /** Row from which on nothing was counted yet. */
  private next = 0;
  private counts: Counts;
  /** 1: a guest's guest runs. */
  private guestMode = 0;
  /** SVM with nested paging: a change of CR4.PGE flushes at once (svm_set_cr4). */
  private readonly flushesByCr4: boolean;
  /** The row before, changes left out, writes CR4. */
  private writesCr4 = false;
  /** VM on the host. */
  private readonly root: number;
  private readonly context: Context;

  /** @param into where rows are counted that belong to a statement, by its number; null: before the first */
  constructor(
    private readonly program: Program,
    private readonly into: (statement: number | null) => Counts,
  ) {
    const { vms, host } = program.machine;
    this.root = Math.max(
      0,
      vms.findIndex(({ parent }) => parent === null),
    );
    const tdp = vms[this.root]?.mmu !== 'soft';
    this.flushesByCr4 = tdp && host.vendor === 'amd';
    this.context = {
      tdp,
      tdpMmu: tdp && host.kvm.tdpMmu,
      indirectPages: 0,
      requested: false,
      writeProtected: false,
      flushesDirectly: false,
      nestedRunPending: false,
    };
    this.counts = into(null);
  }

  /** Counts rows up to `to`, from where the last call ended. */
  count(rows: Rows, to = rows.length): void {
    const { words } = rows;
    for (let row = this.next, at = row * ROW_WORDS; row < to; row++, at += ROW_WORDS) {
      const head = words[at];
      const kind: Kind = head & 0xff;
      if (kind === Kind.change) this.change(rows, row);
      if (kind === Kind.more || kind === Kind.change) continue;
      if (kind === Kind.statement) this.statement(rows, row);
      this.writesCr4 = false;
      this.counts.events[kind]++;
      if (kind === Kind.table_read) this.counts.reference(Number(valueAt(rows, row, READ_STAGE)), (head >>> 12) & 15, this.guestMode);
      else if (((head >>> 8) & 15) === Actor.L0) this.ofHost(rows, row, kind);
    }
    this.next = to;
  }

  private change({ words }: Rows, row: number): void {
    const space = spaceAt(words, row);
    if (space === Space.vm) {
      const { vm, field: counter } = VM.decode(keyAt(words, row));
      if (vm === this.root && counter === (VmField.indirectPages as number)) this.context.indirectPages ^= words[row * ROW_WORDS + 3];
    } else if (space === Space.register && this.writesCr4) {
      const isCr4 = REGISTER.field(keyAt(words, row), 'register') === (Register.cr4 as number);
      if (isCr4 && (words[row * ROW_WORDS + 3] & Cr4.pge) !== 0) this.context.flushesDirectly = true;
    }
  }

  private statement(rows: Rows, row: number): void {
    this.counts = this.into(Number(valueAt(rows, row, STATEMENT)));
    const act = this.program.acts[Number(valueAt(rows, row, ACT))];
    // Whoever runs from here on has perhaps been running all the time.
    if (act && 'by' in act) this.guestMode = Number(this.program.machine.vms[act.by.vm].parent !== null);
  }

  /** A row of the host's KVM. */
  private ofHost(rows: Rows, row: number, kind: Kind): void {
    const { context, counts } = this;
    if (kind === Kind.kvm_entry) this.guestMode = Number(valueAt(rows, row, ENTRY_GUEST_MODE));
    else if (kind === Kind.kvm_exit) counts.exit(Number(valueAt(rows, row, EXIT_REASON)), Number(valueAt(rows, row, EXIT_GUEST_MODE)));
    const counting = BY_KIND[kind];
    if (counting) {
      const event = eventAt(rows, row)!;
      for (const index of counting) counts.statistics[index] += COUNTING[STATISTIC_NAMES[index]].counts(event, context);
    }
    switch (kind) {
      case Kind.kvm_mmu_spte_requested:
        context.requested = true;
        return;
      case Kind.kvm_mmu_page_fault_return:
        context.requested = false;
        context.writeProtected = isWriteProtected(eventAt(rows, row) as EventOf<'kvm_mmu_page_fault_return'>);
        return;
      case Kind.kvm_emulate_insn:
        context.writeProtected = false;
        return;
      case Kind.kvm_entry:
        context.writeProtected = false;
        context.flushesDirectly = false;
        return;
      case Kind.kvm_cr:
        this.writesCr4 = this.flushesByCr4 && Number(valueAt(rows, row, CR)) === 4;
        return;
      case Kind.kvm_load_root:
        context.flushesDirectly = true;
        return;
      case Kind.kvm_x86_flush_tlb:
        context.flushesDirectly = false;
        return;
      case Kind.kvm_nested_vmenter:
        context.nestedRunPending = true;
        return;
      case Kind.kvm_exit:
        context.nestedRunPending = false;
        return;
      default:
    }
  }
}

function isWriteProtected({ fields: { result } }: EventOf<'kvm_mmu_page_fault_return'>): boolean {
  return result === RetPf.writeProtected;
}
