/**
 * The hypervisor that the recorded L1 is ("The nested guest" of test/kvm-traces/README.md): its VMRUNs, how it handles the exits of its
 * guest with loads and stores through its linear map, and the guest's one page of code.
 */
import type { Act, Performer } from '../../server/src/engine/program';
import type { Result } from '../../server/src/engine/result';
import { SvmExit } from '../../server/src/engine/x86/exit-reasons';
import { hex } from './lines';
import { GUEST } from './scenario';
import type { CodeStep, NestedOp, NestedSetup } from './scenario';

export const L2: Performer = { vm: 1, vcpu: 0 };

const LINEAR = 0xffff_ffff_8000_0000n;
const PAGE = 4096n;
const FRAME = 0x000f_ffff_ffff_f000n;
const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;
/** Rights of the tables that L1 makes: present, writable, user. */
const TABLE = 7n;
/** L2's value when it made a fault of its own. */
const FAULT = 0xfa17n;
const UNKNOWN_EXIT = 0xbad_0000n;
const INVALID = 0xffff_ffff_ffff_ffffn;
/** Where L1 keeps what it writes into its VMCB before an operation: rip in the save area. */
const VMCB_RIP = 0x578;
const VMCB_EXIT_CODE = 0x70;
/** Exits of one operation, more than any needs. */
const MOST_EXITS = 200;

/** An exit as L1 sees it: code, EXITINFO1, EXITINFO2. */
export type SeenExit = readonly [string, string, string];

export interface NestedOutcome {
  readonly v: bigint;
  readonly l1: readonly SeenExit[];
}

type Reflected = Extract<Result, { kind: 'vm-exit' }>;

export class RecordedL1 {
  private pool: bigint;
  private l2Cr3: bigint;
  private shadowRoot: bigint;

  constructor(
    private readonly setup: NestedSetup,
    private readonly perform: (act: Act) => Result,
  ) {
    this.pool = BigInt(setup.tablePool);
    this.l2Cr3 = BigInt(setup.l2Cr3);
    this.shadowRoot = BigInt(setup.root);
  }

  /** EFER is read, written with SVME, and the host save area set. */
  init(efer: bigint): void {
    const base = { origin: 0, by: GUEST } as const;
    this.perform({ ...base, do: 'instruction', instruction: 'rdmsr' });
    this.perform({ ...base, do: 'register', register: 'efer', value: efer | 0x1000n });
    this.perform({ ...base, do: 'instruction', instruction: 'wrmsr' });
  }

  operation(op: NestedOp): NestedOutcome {
    const l1: SeenExit[] = [];
    this.store(BigInt(this.setup.vmcb + VMCB_RIP), BigInt(this.setup.l2Rip));
    this.steps = op.l2 === 'NOP' ? ['start', 'VMMCALL'] : ['start', op.l2, 'VMMCALL'];
    this.value = 0n;
    for (let exits = 0; exits < MOST_EXITS; exits++) {
      const entered = this.perform({ do: 'vmenter', origin: 0, by: GUEST, instruction: 'vmrun', guest: L2.vm });
      const exit = entered.kind === 'done' ? this.guest(op) : entered;
      if (exit.kind !== 'vm-exit') return { v: UNKNOWN_EXIT, l1 };
      this.load(BigInt(this.setup.vmcb + VMCB_EXIT_CODE));
      l1.push([hex(BigInt.asUintN(64, BigInt(exit.code))), hex(exit.info1), hex(exit.info2)]);
      const end = this.handle(exit, op);
      if (end === 'skip') this.steps.shift();
      else if (end !== 'again') return { v: end === 'done' ? this.value : end, l1 };
    }
    return { v: UNKNOWN_EXIT, l1 };
  }

  /** What L2 has still to do, and what its access has read or written. */
  private steps: CodeStep[] = [];
  private value = 0n;

  /** L2 runs from where it is until something exits. Each instruction is fetched from its code page. */
  private guest(op: NestedOp): Result {
    const base = { origin: 0, by: L2 } as const;
    const access = { ...base, do: 'access', user: false, implicit: false, ac: null, size: 8, count: 1, stride: 0n, handler: null } as const;
    for (;;) {
      const [step] = this.steps;
      const rip = BigInt(this.setup.l2Rip + this.setup.code[step]);
      const fetched = this.perform({ ...access, access: 'fetch', address: rip, value: null });
      if (fetched.kind === 'vm-exit') return fetched;
      if (step === 'VMMCALL') return this.perform({ ...base, do: 'instruction', instruction: 'vmcall' });
      if (step !== 'start') {
        const done = this.perform(this.accessOf(op, access));
        if (done.kind !== 'ok' && done.kind !== 'done' && done.kind !== 'mmio') return done;
        if (op.l2 === 'R' && done.kind !== 'done') this.value = done.value ?? 0n;
        if (op.l2 === 'W') this.value = op.value;
      }
      this.steps.shift();
    }
  }

  private accessOf(op: NestedOp, access: Omit<Extract<Act, { do: 'access' }>, 'access' | 'address' | 'value'>): Act {
    const { origin, by } = access;
    switch (op.l2) {
      case 'R':
        return { ...access, access: 'read', address: op.va, value: null };
      case 'W':
        return { ...access, access: 'write', address: op.va, value: op.value };
      case 'INVLPG':
        return { do: 'invlpg', origin, by, address: op.va };
      default:
        return { do: 'register', origin, by, register: 'cr3', value: op.value };
    }
  }

  /** @returns the operation's value, or how it goes on */
  private handle({ code, info1, info2 }: Reflected, op: NestedOp): bigint | 'done' | 'again' | 'skip' {
    switch (code) {
      case SvmExit.VMMCALL:
        return 'done';
      case SvmExit.NPF:
        this.mapNested(info2);
        return 'again';
      case SvmExit.PF_EXCP:
        return this.mapShadow(info2, info1) ? 'again' : FAULT;
      case SvmExit.INVLPG:
        this.clearShadow(op.va);
        return 'skip';
      case SvmExit.WRITE_CR3:
        this.l2Cr3 = op.value;
        this.shadowRoot = this.newTable();
        this.perform({ do: 'vmcs', origin: 0, by: GUEST, guest: L2.vm, field: 'cr3', value: this.shadowRoot });
        return 'skip';
      case SvmExit.INVALID:
        return INVALID;
      default:
        return UNKNOWN_EXIT | BigInt(code);
    }
  }

  private mapNested(gpa: bigint): void {
    const leaf = this.descend(BigInt(this.setup.root), gpa);
    this.store(leaf, ((gpa & FRAME) + BigInt(this.setup.ramBase)) | TABLE);
  }

  /** L1's shadow entry for an address of L2. @returns false: the fault is L2's own */
  private mapShadow(va: bigint, error: bigint): boolean {
    const write = (error & WRITABLE) !== 0n;
    const user = (error & USER) !== 0n;
    const way = this.walk(va);
    if (way === null) return false;
    let rights = WRITABLE | USER;
    for (const { at, entry } of way) {
      if ((entry & ACCESSED) === 0n) this.store(at, entry | ACCESSED);
      rights &= entry;
    }
    if ((write && (rights & WRITABLE) === 0n) || (user && (rights & USER) === 0n)) return false;
    const leaf = this.descend(this.shadowRoot, va);
    const again = this.walk(va);
    if (again === null) return false;
    const last = again[again.length - 1];
    let { entry } = last;
    if (write && (entry & DIRTY) === 0n) {
      entry |= DIRTY;
      this.store(last.at, entry);
    }
    if ((entry & DIRTY) === 0n) rights &= ~WRITABLE;
    this.store(leaf, ((entry & FRAME) + BigInt(this.setup.ramBase)) | PRESENT | rights);
    return true;
  }

  /** L2's own four entries for an address, read in L2's memory; null: one is not present. */
  private walk(va: bigint): { readonly at: bigint; readonly entry: bigint }[] | null {
    const way: { at: bigint; entry: bigint }[] = [];
    let table = this.l2Cr3 & FRAME;
    for (let level = 4n; level >= 1n; level--) {
      const at = table + BigInt(this.setup.ramBase) + index(va, level) * 8n;
      const entry = this.load(at);
      if ((entry & PRESENT) === 0n) return null;
      way.push({ at, entry });
      table = entry & FRAME;
    }
    return way;
  }

  private clearShadow(va: bigint): void {
    let table = this.shadowRoot & FRAME;
    for (let level = 4n; level > 1n; level--) {
      const entry = this.load(table + index(va, level) * 8n);
      if ((entry & PRESENT) === 0n) return;
      table = entry & FRAME;
    }
    this.store(table + index(va, 1n) * 8n, 0n);
  }

  /** Address of the leaf entry for an address in tables of L1's; those that are missing are made. */
  private descend(root: bigint, address: bigint): bigint {
    let table = root & FRAME;
    for (let level = 4n; level > 1n; level--) {
      const at = table + index(address, level) * 8n;
      let entry = this.load(at);
      if ((entry & PRESENT) === 0n) {
        entry = this.newTable() | TABLE;
        this.store(at, entry);
      }
      table = entry & FRAME;
    }
    return table + index(address, 1n) * 8n;
  }

  private newTable(): bigint {
    const table = this.pool;
    this.pool += PAGE;
    for (let offset = 0n; offset < PAGE; offset += 8n) this.store(table + offset, 0n);
    return table;
  }

  private load(gpa: bigint): bigint {
    const result = this.perform(this.access('read', gpa, null));
    return result.kind === 'ok' || result.kind === 'mmio' ? (result.value ?? 0n) : 0n;
  }

  private store(gpa: bigint, value: bigint): void {
    this.perform(this.access('write', gpa, value));
  }

  private access(access: 'read' | 'write', gpa: bigint, value: bigint | null): Act {
    return {
      do: 'access',
      origin: 0,
      by: GUEST,
      access,
      user: false,
      implicit: false,
      ac: null,
      address: LINEAR + gpa,
      size: 8,
      value,
      count: 1,
      stride: 0n,
      handler: null,
    };
  }
}

function index(address: bigint, level: bigint): bigint {
  return (address >> (3n + 9n * level)) & 511n;
}
