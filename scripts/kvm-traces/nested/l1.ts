/**
 * The hypervisor that a recorded L1 is ("The nested guest" of test/kvm-traces/README.md): it enters its guest, sees an exit, does
 * something about it, and enters again. What VMX and SVM have apart stands in vmx-l1.ts and svm-l1.ts.
 */
import type { Act } from '../../../server/src/engine/program';
import type { Result } from '../../../server/src/engine/result';
import { hex } from '../lines';
import type { NestedOp, VmxOp } from '../scenario';
import { L1Tables } from './l1-tables';
import type { TableFormat } from './l1-tables';
import { L2Code } from './l2-code';
import type { NestedSetup } from './setup';

/** L2's value when it made a fault of its own. */
const FAULT = 0xfa17n;
export const UNKNOWN_EXIT = 0xbad_0000n;
/** The value of an operation that L1 gives up after too many exits. */
const GIVEN_UP = 0x1_0095n;
/** L1 keeps so many. */
const KEPT_EXITS = 8;

/** An exit as L1 sees it: code, EXITINFO1, EXITINFO2; or reason, qualification, guest-physical address or error code. */
export type SeenExit = readonly [string, string, string];

export interface NestedOutcome {
  /** Absent: the VM has come to its end. */
  readonly v?: bigint;
  readonly l1: readonly SeenExit[];
}

export type Reflected = Extract<Result, { kind: 'vm-exit' }>;

/** How an operation goes on: with a value of the operation it is over, `done` ends it with L2's. */
export type Next = bigint | 'done' | 'again' | 'skip';

export abstract class RecordedL1 {
  protected readonly tables: L1Tables;
  protected readonly guest: L2Code;
  private l2Cr3: bigint;
  protected shadowRoot: bigint;

  constructor(
    protected readonly setup: NestedSetup,
    format: TableFormat,
    protected readonly perform: (act: Act) => Result,
  ) {
    this.tables = new L1Tables(setup, format, perform);
    this.guest = new L2Code(setup, perform);
    this.l2Cr3 = BigInt(setup.l2Cr3);
    this.shadowRoot = BigInt(setup.root);
  }

  /** Exits of one operation after which L1 gives it up. */
  protected abstract readonly mostExits: number;

  /** L1 becomes a hypervisor. @param registers as its CR4 and EFER are now */
  abstract init(registers: { readonly cr4: bigint; readonly efer: bigint }): void;

  operation(op: NestedOp): NestedOutcome {
    const l1: SeenExit[] = [];
    this.guest.begin(op);
    this.begin();
    for (let exits = 0; exits < this.mostExits; exits++) {
      const entered = this.enter();
      const exit = entered.kind === 'done' ? this.guest.run() : entered;
      if (isDead(exit)) return { l1 };
      const [seen, next] = exit.kind === 'vm-exit' ? this.exited(exit, op, exits + 1) : this.failed(exit);
      if (seen !== null && l1.length < KEPT_EXITS) l1.push(seen);
      if (next === 'skip') this.guest.skip();
      else if (next !== 'again') return { v: next === 'done' ? this.guest.value : next, l1 };
    }
    return { v: GIVEN_UP, l1 };
  }

  /** What only an L1 that uses VMX does. @returns the operation's value */
  abstract instruction(op: VmxOp): bigint | undefined;

  /** Before the first entry of an operation. */
  protected abstract begin(): void;
  /** VM entry: `done`, or what it came to otherwise. */
  protected abstract enter(): Result;
  /** @param number of the exit within the operation, from 1 */
  protected abstract handle(exit: Reflected, op: NestedOp, number: number): Next;
  protected abstract seenOf(exit: Reflected): SeenExit;

  /** VM entry failed. @returns what L1 keeps of it */
  protected failed(_result: Result): readonly [SeenExit | null, bigint] {
    return [null, UNKNOWN_EXIT];
  }

  private exited(exit: Reflected, op: NestedOp, number: number): readonly [SeenExit, Next] {
    const seen = this.seenOf(exit);
    return [seen, this.handle(exit, op, number)];
  }

  /** A #PF of L2, which runs by shadow tables. */
  protected shadow(va: bigint, error: bigint): Next {
    return this.tables.mapShadow(this.shadowRoot, this.l2Cr3, va, error) ? 'again' : FAULT;
  }

  /** L2 loads CR3: a shadow root for it, empty. */
  protected loadCr3(value: bigint): bigint {
    this.l2Cr3 = value;
    return (this.shadowRoot = this.tables.newTable());
  }
}

/** KVM_RUN fails, and will fail: nothing of the guest is seen any more. */
export function isDead(result: Result): boolean {
  return result.kind === 'error' && result.errno === 'EIO';
}

export function seen(code: bigint, info1: bigint, info2: bigint): SeenExit {
  return [hex(BigInt.asUintN(64, code)), hex(info1), hex(info2)];
}
