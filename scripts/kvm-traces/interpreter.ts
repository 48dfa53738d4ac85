/**
 * The recorded guest again: its interpreter with the accesses that it makes by itself, its #PF handler and its VMM, on a
 * machine of the engine, one line an operation.
 */
import { Kind } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import { Machine } from '../../server/src/engine/machine';
import type { AccessKind, Act, HostAct, Kernel, Performer } from '../../server/src/engine/program';
import type { Result } from '../../server/src/engine/result';
import { eventAt } from '../../server/src/events/fields';
import { OWN } from './cleaning';
import type { Own } from './cleaning';
import { changedLeaves, leavesOf } from './leaves';
import type { LeafFormat, Leaves, Root } from './leaves';
import { factsOf, hex } from './lines';
import type { Line } from './lines';
import { machineConfig } from './machine-config';
import { isEpt, isSoft } from './mode';
import type { Mode } from './mode';
import type { RecordedL1, SeenExit } from './nested/l1';
import { recordedL1 } from './nested/recorded-l1';
import { GUEST, isVmx } from './scenario';
import type { AccessOp, HostCommand, Op, OwnAccess, Scenario } from './scenario';
import { VmmMemory } from './vmm-memory';

const ROWS = 8_000_000;
const MEMORY = 256 * 1024 * 1024;
const GIVEN_UP = 0xdeadn;
const PAGE = 4096n;

/**
 * Where in the interpreter's code an act stands. One instruction makes all operations of a kind, which matters where KVM
 * compares instruction pointers.
 */
enum At {
  own = 0,
  R,
  W,
  RMW,
  X,
  W8,
  fix,
  other,
}

const ACCESS = { R: 'read', W: 'write', RMW: 'rmw', X: 'fetch' } as const satisfies { readonly [kind: string]: AccessKind };

/** The page of vCPU 0's stack in schema 2; that of another vCPU lies as many pages further. */
const STACK = 0x1_3000n;

/** What an operation came to, apart from what the journal tells. */
interface Outcome {
  v?: bigint;
  f: (readonly [number, string, string])[];
  dirty?: string[];
  l1?: readonly SeenExit[];
}

export class Interpreter {
  private readonly journal = new Journal(ROWS);
  private readonly vmm = new VmmMemory();
  private readonly machine: Machine;
  private readonly l1: RecordedL1 | null;
  /** Guest frame that the spte at a host-physical address maps, from the events that set it. */
  private readonly mapped = new Map<number, bigint>();
  private seen = 0;
  private readonly ownOnes: Own;
  /** The guest was shut down: nothing of it runs any more. */
  private over = false;
  /** By vCPU, when it acted last. */
  private readonly leaves: Leaves[];
  /** The table by which L2 ran last, also when that is no more in use, and its leaves as last told. */
  private l2Root: Root | null = null;
  private l2Leaves: Leaves = new Map();
  /** L2 has been entered, and what is loaded next is its root. */
  private l2Entered = false;
  private readonly watched = new Map<number, bigint>();

  constructor(
    private readonly scenario: Scenario,
    private readonly mode: Mode,
    kernel: Kernel = '6.1',
  ) {
    this.machine = new Machine(machineConfig(scenario, mode, kernel, this.vmm), this.journal, {
      steps: Infinity,
      events: ROWS,
      memory: MEMORY,
    });
    this.l1 = scenario.nested && recordedL1(scenario.nested, (act) => this.perform(act));
    this.ownOnes = OWN[scenario.schema];
    const vcpus = Array.from({ length: scenario.cpu.vcpus }, (_, vcpu): Performer => ({ vm: GUEST.vm, vcpu }));
    for (const by of vcpus) {
      this.loadRegisters(by);
      for (const access of scenario.own.warmup) this.ownAccess(by, access, 0);
    }
    for (const gpa of scenario.watch) this.watched.set(gpa, this.watchedWord(gpa));
    this.leaves = vcpus.map((by) => this.currentLeaves(by));
  }

  *lines(): IterableIterator<Line> {
    for (const op of this.scenario.ops) yield this.line(op);
  }

  /** Bits that a machine does not declare, as CR0.NE, are loaded as the recorded guest's boot code did. */
  private loadRegisters(by: Performer): void {
    const { cr0, cr4, efer } = this.scenario.cpu;
    for (const [register, value] of Object.entries({ cr0, cr4, efer } as const)) {
      const name = register as 'cr0' | 'cr4' | 'efer';
      if (this.machine.register(by, name) !== value) this.perform({ do: 'register', origin: At.other, by, register: name, value });
    }
  }

  private line(op: Op): Line {
    const from = this.journal.length;
    const { beforeOp, afterOp } = this.scenario.own;
    const by = { vm: GUEST.vm, vcpu: op.vcpu };
    this.own(by, beforeOp, op.i);
    const { v, f, dirty, l1 } = this.over && op.kind !== 'HOST' ? { f: [] } : this.operation(op, by);
    this.own(by, afterOp, op.i);
    // The others serve their requests within the operation.
    for (let vcpu = 0; vcpu < this.leaves.length; vcpu++) if (vcpu !== op.vcpu) this.own({ vm: GUEST.vm, vcpu }, beforeOp, op.i);
    const before = this.leaves[op.vcpu];
    const after = (this.leaves[op.vcpu] = this.currentLeaves(by));
    const l2Before = this.l2Leaves;
    if (this.vmx) this.l2Leaves = this.leavesOf(this.l2Root, true, null);
    const line = {
      s: this.scenario.name,
      m: this.mode,
      i: op.i,
      t: op.text,
      v: v === undefined ? undefined : hex(v),
      f,
      g: this.changedWords(),
      dirty,
      l1,
      ...factsOf(this.journal, from, this.journal.length, { mode: this.mode, own: this.ownOnes, vmx: this.vmx }),
      vis: changedLeaves(before, after),
      vis2: changedLeaves(l2Before, this.l2Leaves),
      cpu: this.leaves.length > 1 ? op.vcpu : undefined,
    };
    return withoutEmpty(line);
  }

  private operation(op: Op, by: Performer): Outcome {
    switch (op.kind) {
      case 'R':
      case 'W':
      case 'RMW':
      case 'X':
      case 'W8':
        return this.accessOperation(op, by);
      case 'INVLPG':
        this.perform({ do: 'invlpg', origin: At.other, by, address: op.va });
        return { f: [] };
      case 'CR0':
      case 'CR3':
      case 'CR4':
      case 'EFER': {
        const result = this.perform({ do: 'register', origin: At.other, by, register: op.kind.toLowerCase() as 'cr0', value: op.value });
        if (!isFault(result)) return { f: [] };
        this.own(by, this.scenario.own.onGuestFault, op.i);
        return { f: [faultOf(result)] };
      }
      case 'HOST':
        return this.hostOperation(op.host, by, op.i);
      case 'L2INIT':
        this.hypervisor(op).init({ cr4: this.machine.register(GUEST, 'cr4'), efer: this.machine.register(GUEST, 'efer') });
        return { f: [], v: this.vmx ? 0n : undefined };
      case 'L2':
        return { f: [], ...this.hypervisor(op).operation(op) };
      case 'INVEPT':
      case 'INVVPID':
      case 'VMWR':
      case 'VMRD':
      case 'RDMSR':
        return { f: [], v: this.hypervisor(op).instruction(op) };
    }
  }

  /** There is a guest hypervisor that uses VMX: lines say more. */
  private get vmx(): boolean {
    return isVmx(this.scenario);
  }

  private hypervisor({ i }: Op): RecordedL1 {
    if (this.l1 === null) throw new Error(`operation ${i}: there is no nested guest`);
    return this.l1;
  }

  /** The access, the guest's handler at its first #PF, another try; given up at a second #PF, or without a handler. */
  private accessOperation(op: AccessOp, by: Performer): Outcome {
    const { own } = this.scenario;
    const user = op.cpl === 3;
    this.own(by, own.beforeAccess, op.i);
    if (user) this.own(by, own.cpl3, op.i);
    if (op.kind === 'X') this.own(by, user ? own.cpl3Call : own.cpl0Call, op.i);
    const f: (readonly [number, string, string])[] = [];
    let result = this.access(op, by);
    let fix = op.fix;
    while (isFault(result)) {
      f.push(faultOf(result));
      this.own(by, own.onGuestFault, op.i);
      if (!fix) break;
      this.perform({ ...base(At.fix, by, fix.va, op.size), access: 'write', user: false, value: fix.value });
      if (fix.invlpg) this.perform({ do: 'invlpg', origin: At.other, by, address: op.va });
      fix = null;
      result = this.access(op, by);
    }
    if (user) this.own(by, own.cpl3After, op.i);
    return { f, v: isFault(result) ? GIVEN_UP : valueOf(op, result) };
  }

  private access({ kind, va, cpl, ac, value, size }: AccessOp, by: Performer): Result {
    const one = (access: AccessKind): Result =>
      this.perform({ ...base(At[kind], by, va, kind === 'X' ? 8 : size), access, user: cpl === 3, ac, value });
    if (kind !== 'W8') return one(ACCESS[kind]);
    const read = one('read');
    return isFault(read) ? read : one('write');
  }

  /** The VMM's commands; then the vCPU is entered again and the interpreter goes on. */
  private hostOperation(commands: readonly HostCommand[], by: Performer, i: number): Outcome {
    const dirty: string[] = [];
    let asked = false;
    for (const command of commands) {
      for (const act of this.hostActs(command)) {
        const result = this.perform(act);
        if (result.kind !== 'dirty-log') continue;
        asked = true;
        dirty.push(...result.gpas.map(hex));
      }
    }
    this.own(by, this.scenario.own.beforeOp, i);
    return asked ? { f: [], dirty } : { f: [] };
  }

  private hostActs(command: HostCommand): HostAct[] {
    const host = { origin: At.other, vm: GUEST.vm };
    switch (command.cmd) {
      case 'set_slot': {
        const { id } = command.slot;
        const replaced = this.vmm.has(id);
        const slot = this.vmm.config(command.slot);
        return [...(replaced ? [{ ...host, do: 'delete-slot', id } as const] : []), { ...host, do: 'set-slot', slot }];
      }
      case 'delete_slot':
        this.vmm.deleted(command.slot);
        return [{ ...host, do: 'delete-slot', id: command.slot }];
      case 'move_slot':
        this.vmm.moved(command.slot, command.gpa);
        return [{ ...host, do: 'move-slot', id: command.slot, gpa: command.gpa }];
      case 'set_flags':
        return [{ ...host, do: 'slot-flags', id: command.slot, logDirty: (command.flags & 1) !== 0, readonly: (command.flags & 2) !== 0 }];
      case 'get_dirty_log':
        return [{ ...host, do: 'get-dirty-log', id: command.slot }];
      case 'madvise_dontneed':
        return [{ ...host, do: 'reclaim', hva: this.vmm.hva(command.slot, command.offset), size: command.size }];
      case 'mprotect':
        return [
          { ...host, do: 'protect', hva: this.vmm.hva(command.slot, command.offset), size: command.size, writable: command.writable },
        ];
      case 'host_write':
        return [{ ...host, do: 'host-write', gpa: this.vmm.slot(command.slot).gpa + command.offset, value: command.value }];
      case 'host_write_gpa':
        return [{ ...host, do: 'host-write', gpa: command.gpa, value: command.value }];
      case 'set_nr_mmu_pages':
        return [{ ...host, do: 'set-nr-mmu-pages', pages: command.n }];
    }
  }

  /** Accesses of the interpreter. When one faults, and the way to the handler of that too, the guest is shut down. */
  private own(by: Performer, accesses: readonly OwnAccess[], i: number): void {
    for (const access of accesses) {
      if (this.over) return;
      const result = this.ownAccess(by, access, i);
      const [gate] = this.scenario.own.onGuestFault;
      this.over = result.kind === 'shutdown' || (isFault(result) && gate !== undefined && isFault(this.ownAccess(by, gate, i)));
    }
  }

  private ownAccess(by: Performer, { kind, base: address, step, cpl }: OwnAccess, i: number): Result {
    const stack = address - (address % PAGE) === STACK ? BigInt(by.vcpu) * PAGE : 0n;
    return this.perform({ ...base(At.own, by, address + stack + step * BigInt(i), 8), access: ACCESS[kind], user: cpl === 3, value: null });
  }

  private perform(act: Act): Result {
    return this.machine.perform(act).result;
  }

  private changedWords(): Record<string, string> {
    const changed: Record<string, string> = {};
    for (const [gpa, old] of this.watched) {
      const now = this.watchedWord(gpa);
      if (now === old) continue;
      this.watched.set(gpa, now);
      changed[hex(gpa)] = hex(now);
    }
    return changed;
  }

  /** As the VMM reads it: memory that is not there yet is zero. */
  private watchedWord(gpa: number): bigint {
    return this.machine.word(GUEST.vm, gpa) ?? 0n;
  }

  private currentLeaves(by: Performer): Leaves {
    this.follow();
    const soft = isSoft(this.mode);
    return this.leavesOf(this.machine.rootOf(by), soft, soft ? (address) => this.ownOnes.leaf(address) : null);
  }

  /** What the events since the last time say of sptes, and of the root by which L2 runs. */
  private follow(): void {
    for (; this.seen < this.journal.length; this.seen++) {
      const event = eventAt(this.journal, this.seen);
      switch (event?.kind) {
        case Kind.kvm_mmu_set_spte:
          this.mapped.set(Number(event.fields.at), event.fields.gfn);
          break;
        case Kind.kvm_nested_vmenter:
        case Kind.kvm_nested_vmexit_inject:
          this.l2Entered = event.kind === Kind.kvm_nested_vmenter;
          break;
        case Kind.kvm_load_root:
          if (this.l2Entered) this.l2Root = { hpa: Number(event.fields.root), level: event.level };
          break;
        default:
      }
    }
  }

  /** @param shadow the addresses that the table translates are not those of the guest's memory */
  private leavesOf(root: Root | null, shadow: boolean, skip: LeafFormat['skip']): Leaves {
    const gpaOf = (at: number): bigint | null => {
      const gfn = this.mapped.get(at);
      return gfn === undefined ? null : gfn * PAGE;
    };
    return leavesOf(this.machine.physical, root, { ept: isEpt(this.mode), gpaOf: shadow ? gpaOf : null, skip });
  }
}

function base(origin: At, by: Performer, address: bigint, size: 4 | 8) {
  return { do: 'access', origin, by, implicit: false, ac: null, address, size, count: 1, stride: 0n, handler: null } as const;
}

type Fault = Extract<Result, { kind: 'page-fault' | 'general-protection' }>;

function isFault(result: Result): result is Fault {
  return result.kind === 'page-fault' || result.kind === 'general-protection';
}

function faultOf(result: Fault): readonly [number, string, string] {
  return result.kind === 'page-fault' ? [14, hex(result.error), hex(result.address)] : [13, hex(result.error), '0x0'];
}

/** The value that the recorded guest kept: of a read, of a called routine its `mov $value,%eax`, else the operand. */
function valueOf(op: AccessOp, result: Result): bigint {
  if (op.kind === 'W' || op.kind === 'RMW' || op.kind === 'W8') return op.value ?? 0n;
  const value = result.kind === 'ok' || result.kind === 'mmio' ? (result.value ?? 0n) : 0n;
  return op.kind === 'R' ? value : (value >> 8n) & 0xffff_ffffn;
}

function withoutEmpty(line: Record<string, unknown>): Line {
  const kept = Object.entries(line).filter(
    ([key, value]) => value !== undefined && (key === 'dirty' || typeof value !== 'object' || Object.keys(value as object).length > 0),
  );
  return Object.fromEntries(kept) as unknown as Line;
}
