/**
 * Runs as the kernel's trace buffer prints KVM's tracepoints (mmu-semantics.md §8.1; format strings of arch/x86/kvm/trace.h
 * and mmu/mmutrace.h, line heads of kernel/trace/trace_output.c). Each run is a task, named by its kind of MMU. The time is
 * the journal row in microseconds; each run begins at the next full second after the one before it, so that the clock of the
 * whole trace runs forwards. Only events that are tracepoints are printed, as the scenario's kernel has them. Those of a KVM in an
 * L1, which are in the buffer of its own kernel, stand among the host's as a task `L1/…`.
 */
import { Actor, Kind } from '../engine/journal/events';
import type { Act, Performer, Program } from '../engine/program';
import { longMode } from '../engine/vcpu/control-registers';
import { exitReason, instructionBytes, mmioType, userspaceExit, vectorName } from '../events/decode';
import { mmuOf } from '../events/describe';
import { eventAt, field } from '../events/fields';
import type { Event } from '../events/fields';
import { shadowPageOf } from '../events/page-role';
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
  const title = name.replace(/ under [a-z ]+$/, '').replace(/[^\w.-]+/g, '-');
  return `${kinds}-${title}`.slice(0, TASK);
}

const TASK = 15;

function* run(view: RunView, pid: number, start: number): Generator<string> {
  const { record, steps } = view;
  const head = (task: string): string => `${task.padStart(16)}-${String(pid).padEnd(7)} [000] ..... `;
  const task = taskOf(record.program);
  const heads = { L0: head(task), L1: head(`L1/${task}`.slice(0, TASK)) };
  const contexts = { L0: new Context(view, 'L0'), L1: new Context(view, 'L1') };
  for (let step = 0; step < steps.length; step++) {
    const row = steps.rowOf(step);
    const event = eventAt(record, row)!;
    if (event.kind === Kind.statement)
      for (const each of [contexts.L0, contexts.L1]) each.begin(record.program.acts[Number(get(event, 'act'))]);
    const write = TEXTS[event.kind];
    if (!write) continue;
    // An L1's KVM has a trace buffer of its own.
    const kernel = event.actor === Actor.L1 ? 'L1' : 'L0';
    const context = contexts[kernel];
    if (event.kind === Kind.kvm_exit) context.exited(event);
    const name = nameOf(event, view);
    if (name !== null) yield `${heads[kernel]}${time(start + row)}: ${name}: ${write(event, context)}`;
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
  by: Performer = { vm: 0, vcpu: 0 };
  /** That vCPU, or the one that exited last. */
  vcpu = 0n;
  /** Of the last exit. */
  rip = 0n;
  guestMode = false;

  /** @param kernel whose trace it is */
  constructor(
    readonly view: RunView,
    readonly kernel: 'L0' | 'L1',
  ) {}

  get program(): Program {
    return this.view.record.program;
  }

  begin(act: Act | undefined): void {
    this.by = act && 'by' in act ? act.by : { vm: 0, vcpu: 0 };
    this.vcpu = BigInt(this.by.vcpu);
  }

  exited(event: Event): void {
    this.rip = get(event, 'rip');
    this.vcpu = field(event, 'vcpu') ?? this.vcpu;
    this.guestMode = get(event, 'guest_mode') !== 0n;
  }
}

/** Newer kernels say more in some events (§8.4). */
const recent = ({ record }: RunView): boolean => record.program.machine.host.kvm.kernel !== '6.1';

/** Linux 6.1 has a tracepoint of its own for VMRUN, and none for VM entry of a VMX guest. */
function nameOf(event: Event, view: RunView): string | null {
  if (event.kind !== Kind.kvm_nested_vmenter || recent(view)) return event.spec.name;
  return view.record.program.machine.host.vendor === 'amd' ? 'kvm_nested_vmrun' : null;
}

type Write = (event: Event, context: Context) => string;

function get(event: Event, name: string): bigint {
  return event.fields.find((each) => each.name === name)?.value ?? 0n;
}

const x = (value: bigint): string => value.toString(16);
const x8 = (value: bigint): string => `0x${(value & 0xffff_ffffn).toString(16).padStart(8, '0')}`;
const x16 = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;
const pointer = (value: bigint): string => value.toString(16).padStart(16, '0');
const bool = (value: boolean): string => (value ? '1' : '0');

/** PFERR_* in the order of `kvm_mmu_trace_pferr_flags`. */
const PFERR: readonly (readonly [bigint, string])[] = [
  [1n << 0n, 'P'],
  [1n << 1n, 'W'],
  [1n << 2n, 'U'],
  [1n << 5n, 'PK'],
  [1n << 6n, 'SS'],
  [1n << 15n, 'SGX'],
  [1n << 3n, 'RSVD'],
  [1n << 4n, 'F'],
];

/** `__print_flags` of an error code: names, then what has none as one number. */
function pferr(code: bigint): string {
  const names: string[] = [];
  let rest = code;
  for (const [bit, name] of PFERR) {
    if ((rest & bit) === 0n) continue;
    names.push(name);
    rest &= ~bit;
  }
  if (rest !== 0n) names.push(`0x${x(rest)}`);
  return names.join('|');
}

/** `intr_info` and `error_code`, which rows keep in one word: the former in the low half. */
function interruption(event: Event): string {
  const both = get(event, 'intr_info_error_code');
  return `intr_info ${x8(both)} error_code ${x8(both >> 32n)}`;
}

const exit: Write = (event, { view, program, vcpu }) =>
  `vcpu ${vcpu} reason ${exitReason(event, program)} rip 0x${x(get(event, 'rip'))} info1 ${x16(get(event, 'info1'))} ` +
  `info2 ${x16(get(event, 'info2'))} ${interruption(event)}${recent(view) ? ` requests ${x16(0n)}` : ''}`;

/** KVM_MMU_PAGE_PRINTK. */
function shadowPage(event: Event): string {
  const page = shadowPageOf(event);
  return (
    `sp gen ${page.gen} gfn ${x(get(event, 'gfn'))} l${page.level} ${page.narrow ? 4 : 8}-byte q${page.quadrant}${page.direct ? ' direct' : ''}` +
    ` ${page.access}${page.invalid ? ' invalid' : ''} ${page.nx ? '' : '!'}nxe ${page.adDisabled ? '!' : ''}ad` +
    ` root ${page.rootCount} ${page.unsync ? 'unsync' : 'sync'}`
  );
}

/** `rwxu` of a leaf as kvm_mmu_set_spte shows it; in EPT bit 0 is both r and u. */
function spteRights(spte: bigint, ept: boolean): string {
  const has = (bit: bigint): boolean => (spte & (1n << bit)) !== 0n;
  const letters: readonly (readonly [boolean, string])[] = ept
    ? [
        [has(0n), 'r'],
        [has(1n), 'w'],
        [has(2n), 'x'],
        [has(0n), 'u'],
      ]
    : [
        [has(0n), 'r'],
        [has(1n), 'w'],
        [!has(63n), 'x'],
        [has(2n), 'u'],
      ];
  return letters.map(([set, letter]) => (set ? letter : '-')).join('');
}

/** What the code at an instruction is, as the emulator decodes it: 64-bit in long mode. */
function codeMode({ row }: Event, { view, by, guestMode, kernel }: Context): string {
  const { vms } = view.record.program.machine;
  const { parent } = vms[by.vm];
  // L0 emulates its guest's code, or that of its guest's guest.
  const [vm, vcpu] = parent === null || kernel === 'L1' || guestMode ? [by.vm, by.vcpu] : [parent, by.vcpu % vms[parent].vcpus.length];
  return longMode(view.machine(row).registers(vm, vcpu)) ? 'prot64' : 'prot32';
}

const TEXTS: { readonly [kind: number]: Write } = {
  [Kind.kvm_entry]: (event, { view }) =>
    `vcpu ${get(event, 'vcpu')}, rip 0x${x(get(event, 'rip'))}${recent(view) ? ` ${interruption(event)}` : ''}`,
  [Kind.kvm_exit]: exit,
  [Kind.kvm_page_fault]: (event, { rip }) =>
    `vcpu ${get(event, 'vcpu')} rip 0x${x(rip)} address ${x16(get(event, 'address'))} error_code 0x${x(get(event, 'error_code'))}`,
  [Kind.kvm_inj_exception]: (event) => `${vectorName(Number(get(event, 'vector')))} (0x${x(get(event, 'error_code'))})`,
  [Kind.kvm_cr]: (event) => `cr_${get(event, 'write') ? 'write' : 'read'} ${x(get(event, 'cr'))} = 0x${x(get(event, 'value'))}`,
  [Kind.kvm_msr]: (event) => `msr_write ${x(get(event, 'msr'))} = 0x${x(get(event, 'value'))}`,
  [Kind.kvm_mmu_pagetable_walk]: (event) => {
    const code = get(event, 'pferr') & 0xffff_ffffn;
    return `addr ${x(get(event, 'addr'))} pferr ${x(code)} ${pferr(code)}`;
  },
  [Kind.kvm_mmu_paging_element]: (event) => `pte ${x(get(event, 'pte'))} level ${event.level}`,
  [Kind.kvm_mmu_set_accessed_bit]: (event) => `gpa ${x(get(event, 'gpa'))}`,
  [Kind.kvm_mmu_set_dirty_bit]: (event) => `gpa ${x(get(event, 'gpa'))}`,
  [Kind.kvm_mmu_walker_error]: (event) => {
    const code = get(event, 'pferr') & 0xffff_ffffn;
    return `pferr ${x(code)} ${pferr(code)}`;
  },
  [Kind.kvm_mmu_get_page]: (event) => `${shadowPage(event)} ${get(event, 'created') ? 'new' : 'existing'}`,
  [Kind.kvm_mmu_sync_page]: shadowPage,
  [Kind.kvm_mmu_unsync_page]: shadowPage,
  [Kind.kvm_mmu_prepare_zap_page]: shadowPage,
  [Kind.kvm_mmu_spte_requested]: (event) => `gfn ${x(get(event, 'gfn'))} pfn ${x(get(event, 'pfn'))} level ${event.level}`,
  [Kind.kvm_mmu_set_spte]: (event, { program }) => {
    const spte = get(event, 'spte');
    return `gfn ${x(get(event, 'gfn'))} spte ${x(spte)} (${spteRights(spte, mmuOf(event, program) === 'ept')}) level ${event.level} at ${x(get(event, 'at'))}`;
  },
  [Kind.kvm_tdp_mmu_spte_changed]: (event) =>
    `as id 0 gfn ${x(get(event, 'gfn'))} level ${event.level} old_spte ${x(get(event, 'old_spte'))} new_spte ${x(get(event, 'new_spte'))}`,
  [Kind.mark_mmio_spte]: (event) =>
    `sptep:${pointer(get(event, 'sptep'))} gfn ${x(get(event, 'gfn'))} access ${x(get(event, 'access'))} gen ${x(get(event, 'gen'))}`,
  [Kind.check_mmio_spte]: (event) =>
    `spte ${x(get(event, 'spte'))} kvm_gen ${x(get(event, 'kvm_gen'))} spte-gen ${x(get(event, 'spte_gen'))} valid ${bool(get(event, 'valid') !== 0n)}`,
  [Kind.handle_mmio_page_fault]: (event) => `addr:${x(get(event, 'addr'))} gfn ${x(get(event, 'gfn'))} access ${x(get(event, 'access'))}`,
  [Kind.fast_page_fault]: (event, { vcpu }) => {
    const result = get(event, 'result');
    return (
      `vcpu ${vcpu} gva ${x(get(event, 'address'))} error_code ${pferr(get(event, 'error_code'))} sptep ${pointer(get(event, 'sptep'))}` +
      ` old 0x${x(get(event, 'old'))} new ${x(get(event, 'new'))} spurious ${bool((result & 1n) !== 0n)} fixed ${bool((result & 2n) !== 0n)}`
    );
  },
  [Kind.kvm_mmu_zap_all_fast]: (event) => `kvm-mmu-valid-gen ${get(event, 'valid_gen')} used_pages ${x(get(event, 'used_pages'))}`,
  [Kind.kvm_mmu_split_huge_page]: (event) => `gfn ${x(get(event, 'gfn'))} spte ${x(get(event, 'spte'))} level ${event.level} errno 0`,
  [Kind.kvm_emulate_insn]: (event, context) =>
    `0:${x(get(event, 'rip'))}:${instructionBytes(event)} (${codeMode(event, context)})${(get(event, 'failed') & 1n) !== 0n ? ' failed' : ''}`,
  [Kind.vcpu_match_mmio]: (event) => {
    const bits = get(event, 'write');
    return `gva 0x${x(get(event, 'gva'))} gpa 0x${x(get(event, 'gpa'))} ${(bits & 1n) !== 0n ? 'Write' : 'Read'} ${(bits & 2n) !== 0n ? 'GPA' : 'GVA'}`;
  },
  [Kind.kvm_mmio]: (event) =>
    `mmio ${mmioType(Number(get(event, 'type')))} len ${get(event, 'len')} gpa 0x${x(get(event, 'gpa'))} val 0x${x(get(event, 'val'))}`,
  [Kind.kvm_userspace_exit]: (event) => {
    const errno = get(event, 'errno');
    return errno ? `reason error (${errno})` : `reason ${userspaceExit(Number(get(event, 'reason')))} (${get(event, 'reason')})`;
  },
  [Kind.kvm_pml_full]: (event) => `vcpu ${get(event, 'vcpu')}: PML full`,
  [Kind.kvm_unmap_hva_range]: (event) => `mmu notifier unmap range: ${range(get(event, 'start'))} -- ${range(get(event, 'end'))}`,
  [Kind.kvm_nested_vmenter]: (event, { view, program }) => {
    const intel = program.machine.host.vendor === 'intel';
    const tdp = get(event, 'nested_tdp') !== 0n;
    if (!recent(view)) {
      return (
        `rip: ${x16(get(event, 'rip'))} vmcb: ${x16(get(event, 'vmcs'))} nrip: ${x16(get(event, 'nested_rip'))} int_ctl: ${x8(0n)}` +
        ` event_inj: ${x8(get(event, 'event_inj'))} npt: ${tdp ? 'on' : 'off'}`
      );
    }
    const root = !tdp ? 'guest_cr3' : intel ? 'nested_eptp' : 'nested_cr3';
    return (
      `rip: ${x16(get(event, 'rip'))} ${intel ? 'vmcs' : 'vmcb'}: ${x16(get(event, 'vmcs'))} nested_rip: ${x16(get(event, 'nested_rip'))} int_ctl: ${x8(0n)}` +
      ` event_inj: ${x8(get(event, 'event_inj'))} nested_${intel ? 'ept' : 'npt'}=${tdp ? 'y' : 'n'} ${root}: ${x16(get(event, 'nested_root'))}`
    );
  },
  [Kind.kvm_nested_vmexit]: exit,
  [Kind.kvm_nested_vmexit_inject]: (event, { program }) => {
    const both = get(event, 'intr_info_error_code');
    return (
      `reason: ${exitReason(event, program)} ext_inf1: ${x16(get(event, 'info1'))} ext_inf2: ${x16(get(event, 'info2'))}` +
      ` ext_int: ${x8(both)} ext_int_err: ${x8(both >> 32n)}`
    );
  },
};

/** `%#016lx`: sixteen characters with the `0x`. */
function range(address: bigint): string {
  return `0x${x(address).padStart(14, '0')}`;
}
