/**
 * The recorded guest again: its interpreter with the accesses that it makes by itself, its #PF handler and its VMM, on a
 * machine of the engine, one line an operation.
 */
import { Kind } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import { Machine } from '../../server/src/engine/machine';
import type { AccessKind, Act, HostAct } from '../../server/src/engine/program';
import type { Result } from '../../server/src/engine/result';
import { eventAt, field } from '../../server/src/events/fields';
import { changedLeaves, leavesOf } from './leaves';
import type { Leaves } from './leaves';
import { RecordedL1 } from './l1';
import type { SeenExit } from './l1';
import { factsOf, hex } from './lines';
import type { Line } from './lines';
import { machineConfig } from './machine-config';
import { isEpt, isSoft } from './mode';
import type { Mode } from './mode';
import { GUEST } from './scenario';
import type { AccessOp, HostCommand, Op, OwnAccess, Scenario } from './scenario';
import { VmmMemory } from './vmm-memory';

const ROWS = 8_000_000;
const MEMORY = 256 * 1024 * 1024;
const GIVEN_UP = 0xdeadn;
/** PML4 slots of the interpreter's own code, left out of `vis` under shadow paging. */
const OWN_SLOTS = [1, 511];
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
  fix,
  other,
}

const ACCESS: { readonly [kind in AccessOp['kind']]: AccessKind } = { R: 'read', W: 'write', RMW: 'rmw', X: 'fetch' };

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
  private leaves: Leaves;
  private readonly watched = new Map<number, bigint | null>();

  constructor(
    private readonly scenario: Scenario,
    private readonly mode: Mode,
  ) {
    this.machine = new Machine(machineConfig(scenario, mode, this.vmm), this.journal, { steps: Infinity, events: ROWS, memory: MEMORY });
    this.l1 = scenario.nested && new RecordedL1(scenario.nested, (act) => this.perform(act));
    this.loadRegisters();
    this.own(scenario.own.warmup, 0);
    for (const gpa of scenario.watch) this.watched.set(gpa, this.machine.word(GUEST.vm, gpa));
    this.leaves = this.currentLeaves();
  }

  *lines(): IterableIterator<Line> {
    for (const op of this.scenario.ops) yield this.line(op);
  }

  /** Bits that a machine does not declare, as CR0.NE, are loaded as the recorded guest's boot code did. */
  private loadRegisters(): void {
    const { cr0, cr4, efer } = this.scenario.cpu;
    for (const [register, value] of Object.entries({ cr0, cr4, efer } as const)) {
      const name = register as 'cr0' | 'cr4' | 'efer';
      if (this.machine.register(GUEST, name) !== value)
        this.perform({ do: 'register', origin: At.other, by: GUEST, register: name, value });
    }
  }

  private line(op: Op): Line {
    const from = this.journal.length;
    const { beforeOp, afterOp } = this.scenario.own;
    this.own(beforeOp, op.i);
    const { v, f, dirty, l1 } = this.operation(op);
    this.own(afterOp, op.i);
    const before = this.leaves;
    this.leaves = this.currentLeaves();
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
      ...factsOf(this.journal, from, this.journal.length, this.mode),
      vis: changedLeaves(before, this.leaves),
    };
    return withoutEmpty(line);
  }

  private operation(op: Op): Outcome {
    switch (op.kind) {
      case 'R':
      case 'W':
      case 'RMW':
      case 'X':
        return this.accessOperation(op);
      case 'INVLPG':
        this.perform({ do: 'invlpg', origin: At.other, by: GUEST, address: op.va });
        return { f: [] };
      case 'CR0':
      case 'CR3':
      case 'CR4':
      case 'EFER':
        this.perform({ do: 'register', origin: At.other, by: GUEST, register: op.kind.toLowerCase() as 'cr0', value: op.value });
        return { f: [] };
      case 'HOST':
        return this.hostOperation(op.host, op.i);
      case 'L2INIT':
        this.hypervisor(op).init(this.machine.register(GUEST, 'efer'));
        return { f: [] };
      case 'L2':
        return { f: [], ...this.hypervisor(op).operation(op) };
    }
  }

  private hypervisor({ i }: Op): RecordedL1 {
    if (this.l1 === null) throw new Error(`operation ${i}: there is no nested guest`);
    return this.l1;
  }

  /** The access, the guest's handler at its first #PF, another try; given up at a second #PF, or without a handler. */
  private accessOperation(op: AccessOp): Outcome {
    const { own } = this.scenario;
    const user = op.cpl === 3;
    this.own(own.beforeAccess, op.i);
    if (user) this.own(own.cpl3.slice(0, 2), op.i);
    if (user && op.kind === 'X') this.own(own.cpl3Call, op.i);
    const f: (readonly [number, string, string])[] = [];
    let result = this.access(op);
    let fix = op.fix;
    while (isFault(result)) {
      f.push(faultOf(result));
      this.own(own.onGuestFault, op.i);
      if (!fix) break;
      this.perform(store(At.fix, fix.va, fix.value));
      if (fix.invlpg) this.perform({ do: 'invlpg', origin: At.other, by: GUEST, address: op.va });
      fix = null;
      result = this.access(op);
    }
    if (user) this.own(own.cpl3.slice(2), op.i);
    return { f, v: isFault(result) ? GIVEN_UP : valueOf(op, result) };
  }

  private access(op: AccessOp): Result {
    const { kind, va, cpl, ac, value } = op;
    return this.perform({ ...base(At[kind], va), access: ACCESS[kind], user: cpl === 3, ac, value });
  }

  /** The VMM's commands; then the vCPU is entered again and the interpreter goes on. */
  private hostOperation(commands: readonly HostCommand[], i: number): Outcome {
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
    this.own(this.scenario.own.beforeOp, i);
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

  private own(accesses: readonly OwnAccess[], i: number): void {
    for (const { kind, base: address, step, cpl } of accesses) {
      this.perform({ ...base(At.own, address + step * BigInt(i)), access: ACCESS[kind], user: cpl === 3, value: null });
    }
  }

  private perform(act: Act): Result {
    return this.machine.perform(act).result;
  }

  private changedWords(): Record<string, string> {
    const changed: Record<string, string> = {};
    for (const [gpa, old] of this.watched) {
      const now = this.machine.word(GUEST.vm, gpa);
      if (now === old) continue;
      this.watched.set(gpa, now);
      changed[hex(gpa)] = hex(now ?? 0n);
    }
    return changed;
  }

  private currentLeaves(): Leaves {
    for (; this.seen < this.journal.length; this.seen++) {
      const event = eventAt(this.journal, this.seen);
      if (event?.kind === Kind.kvm_mmu_set_spte) this.mapped.set(Number(field(event, 'at')), field(event, 'gfn') ?? 0n);
    }
    const soft = isSoft(this.mode);
    const gpaOf = (at: number): bigint | null => {
      const gfn = this.mapped.get(at);
      return gfn === undefined ? null : gfn * PAGE;
    };
    return leavesOf(this.machine.physical, this.machine.rootOf(GUEST), {
      ept: isEpt(this.mode),
      gpaOf: soft ? gpaOf : null,
      skip: soft ? OWN_SLOTS : [],
    });
  }
}

function base(origin: At, address: bigint) {
  return { do: 'access', origin, by: GUEST, implicit: false, ac: null, address, size: 8, count: 1, stride: 0n, handler: null } as const;
}

function store(origin: At, address: bigint, value: bigint): Act {
  return { ...base(origin, address), access: 'write', user: false, value };
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
  if (op.kind === 'W' || op.kind === 'RMW') return op.value ?? 0n;
  const value = result.kind === 'ok' || result.kind === 'mmio' ? (result.value ?? 0n) : 0n;
  return op.kind === 'R' ? value : (value >> 8n) & 0xffff_ffffn;
}

function withoutEmpty(line: Record<string, unknown>): Line {
  const kept = Object.entries(line).filter(
    ([key, value]) => value !== undefined && (key === 'dirty' || typeof value !== 'object' || Object.keys(value as object).length > 0),
  );
  return Object.fromEntries(kept) as unknown as Line;
}
