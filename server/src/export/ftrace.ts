/**
 * Runs as the kernel's trace buffer prints KVM's tracepoints: texts of events/kernel-text, line heads of
 * kernel/trace/trace_output.c. Each run is a task, named by its kind of MMU. The time is the journal row in microseconds; each run
 * begins at the next full second after the one before it, so that the clock of the whole trace runs forwards. Only events that are
 * tracepoints are printed, as the scenario's kernel has them. Those of a KVM in an L1, which are in the buffer of its own kernel,
 * stand among the host's as a task `L1/…`.
 */
import { Actor, Kind } from '../engine/journal/events';
import type { Act, Performer, Program } from '../engine/program';
import { longMode } from '../engine/vcpu/control-registers';
import { eventAt, type Event, type EventOf } from '../events/fields';
import { kernelText, type Extras } from '../events/kernel-text/kernel-text';
import { CODE_MODES } from '../events/kernel-text/trace-texts';
import { mmuOf } from '../events/words/words';
import type { RunView } from '../views/view';

const HEADER = [
  '# tracer: nop',
  '#',
  '#                                _-----=> irqs-off/BH-disabled',
  '#                               / _----=> need-resched',
  '#                              | / _---=> hardirq/softirq',
  '#                              || / _--=> preempt-depth',
  '#                              ||| / _-=> migrate-disable',
  '#                              |||| /     delay',
  '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
  '#              | |         |   |||||     |         |',
];

export function* ftrace(views: readonly RunView[]): Generator<string> {
  yield* HEADER;
  let start = 0;
  for (let i = 0; i < views.length; i++) {
    yield* run(views[i], i + 1, start);
    start += Math.max(1, Math.ceil(views[i].record.length / SECOND)) * SECOND;
  }
}

/** Microseconds. */
const SECOND = 1e6;

/** Name of a task, at most 15 characters (TASK_COMM_LEN): the kinds of MMU, then what there is room for of the run's name. */
function taskOf({ name, machine }: Program): string {
  const kinds = machine.vms.map(({ mmu }) => mmu).reverse().join('-'); // prettier-ignore
  const title = name.replace(/ under [a-z ]+(?: with kernel [\d.]+)?$/, '').replace(/[^\w.-]+/g, '-');
  return `${kinds}-${title}`.slice(0, TASK);
}

const TASK = 15;

/** Steps that are copied at most. */
const MOST_COPIED = 10_000;

/** Steps [from, to] as the trace of their run alone has them; those that are no tracepoints as comments. */
export function kernelTextOf(view: RunView, from: number, to: number): string {
  const last = Math.min(to, from + MOST_COPIED - 1, view.steps.length - 1);
  const lines: string[] = [];
  for (const { step, line } of traced(view, 1, 0)) {
    if (step > last) break;
    if (step < from) continue;
    const [{ event, text }] = view.steps.rows(step, 1);
    lines.push(line ?? `# ${event}: ${text}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function* run(view: RunView, pid: number, start: number): Generator<string> {
  for (const { line } of traced(view, pid, start)) if (line !== null) yield line;
}

/** Each step with its line; null: it is no tracepoint. */
function* traced(view: RunView, pid: number, start: number): Generator<{ readonly step: number; readonly line: string | null }> {
  const { record, steps } = view;
  const head = (task: string): string => `${task.padStart(16)}-${String(pid).padEnd(7)} [000] ..... `;
  const task = taskOf(record.program);
  const heads = { L0: head(task), L1: head(`L1/${task}`.slice(0, TASK)) };
  const contexts = { L0: new Context(view, 'L0'), L1: new Context(view, 'L1') };
  const { vendor, kvm } = record.program.machine.host;
  for (let step = 0; step < steps.length; step++) {
    const row = steps.rowOf(step);
    const event = eventAt(record, row)!;
    if (event.kind === Kind.statement)
      for (const each of [contexts.L0, contexts.L1]) each.begin(record.program.acts[Number(event.fields.act)]);
    // An L1's KVM has a trace buffer of its own.
    const kernel = event.actor === Actor.L1 ? 'L1' : 'L0';
    const context = contexts[kernel];
    if (event.kind === Kind.kvm_exit) context.exited(event);
    const said = kernelText(event, kvm.kernel, context.extras(event), { vendor, ept: mmuOf(event, record.program) === 'ept' });
    yield { step, line: said === null ? null : `${heads[kernel]}${time(start + row)}: ${event.name}: ${said}` };
  }
}

/** ` %5lu.%06lu` of a number of microseconds. */
function time(microseconds: number): string {
  const seconds = Math.floor(microseconds / SECOND);
  return `${String(seconds).padStart(6)}.${String(microseconds % SECOND).padStart(6, '0')}`;
}

/** What an event's text says besides its fields. */
class Context {
  /** Whose act is under way. */
  private by: Performer = { vm: 0, vcpu: 0 };
  /** That vCPU, or the one that exited last. */
  private vcpu = 0;
  /** Of the last exit. */
  private rip = 0n;
  private guestMode = false;

  /** @param kernel whose trace it is */
  constructor(
    private readonly view: RunView,
    private readonly kernel: 'L0' | 'L1',
  ) {}

  begin(act: Act | undefined): void {
    this.by = act && 'by' in act ? act.by : { vm: 0, vcpu: 0 };
    this.vcpu = this.by.vcpu;
  }

  exited({ fields }: EventOf<'kvm_exit'>): void {
    this.rip = fields.rip;
    this.vcpu = fields.vcpu;
    this.guestMode = fields.guest_mode !== 0;
  }

  extras(event: Event): Extras {
    const { rip, vcpu } = this;
    return { rip, vcpu, write: 1, ...(event.kind === Kind.kvm_emulate_insn ? { code_mode: this.codeMode(event) } : {}) };
  }

  /** What the code at an instruction is, as the emulator decodes it: 64-bit in long mode. */
  private codeMode({ row }: Event): number {
    const { view, by } = this;
    const { vms } = view.record.program.machine;
    const { parent } = vms[by.vm];
    // L0 emulates its guest's code, or that of its guest's guest.
    const own = parent === null || this.kernel === 'L1' || this.guestMode;
    const [vm, vcpu] = own ? [by.vm, by.vcpu] : [parent, by.vcpu % vms[parent].vcpus.length];
    return CODE_MODES.indexOf(longMode(view.machine(row).registers(vm, vcpu)) ? 'prot64' : 'prot32');
  }
}
