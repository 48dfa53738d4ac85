/** The recorded L1 that uses VMX: VMLAUNCH and VMRESUME, the fields of its VMCS, INVEPT and INVVPID. */
import type { Act, ControlField } from '../../../server/src/engine/program';
import type { Result } from '../../../server/src/engine/result';
import { VmxExit } from '../../../server/src/engine/x86/exit-reasons';
import { GUEST } from '../scenario';
import type { NestedOp, VmxOp } from '../scenario';
import { RecordedL1, seen, UNKNOWN_EXIT } from './l1';
import type { Next, Reflected, SeenExit } from './l1';
import { PLAIN_TABLES } from './l1-tables';
import { L2 } from './l2-code';
import type { NestedSetup, Vmx } from './setup';

const CR4_VMXE = 0x2000n;
/** Values of operations that L1 gives up: at an EPT violation of an entry that is present, and at an EPT misconfiguration. */
const PERMISSION = 0xe97_0000n;
const MISCONFIGURATION = 0xe97_1000n;
/** L2's value at a #PF that L1 has intercepted under EPT: with the error code. */
const GUEST_FAULT = 0xfa17_0000n;
/** VM entry failed, with the VM-instruction error. */
const VM_FAIL = 0xfa11_0000n;
/** What L1's device answers: this and the number of the exit in its operation. */
const DEVICE = 0x1111_0000n;
/** Bits 5:3 of the qualification of an EPT violation: what the entry allows. */
const ENTRY_RIGHTS = 0x38n;
const READ = 1n;
/** Bits 11:8 of the qualification of a CR access: the register of L2's `mov %rsi,%cr3`, which an act does not name. */
const FROM_RSI = 6n << 8n;

export class VmxL1 extends RecordedL1 {
  protected readonly mostExits = 60;
  private launched = false;

  constructor(
    setup: NestedSetup,
    private readonly vmx: Vmx,
    perform: (act: Act) => Result,
  ) {
    super(setup, setup.paging === 'shadow' ? PLAIN_TABLES : { flags: vmx.tableFlags, present: 7n }, perform);
  }

  /** VMXON; the VMCS with its fields. What it makes of capability MSRs and other fields is of no concern here. */
  init({ cr4 }: { readonly cr4: bigint }): void {
    this.perform({ do: 'register', origin: 0, by: GUEST, register: 'cr4', value: cr4 | CR4_VMXE });
    const { root, paging } = this.setup;
    if (paging === 'nested') this.write('eptp', BigInt(root) | this.vmx.eptpFlags);
  }

  instruction(op: VmxOp): bigint {
    const by = { origin: 0, by: GUEST } as const;
    switch (op.kind) {
      case 'INVEPT':
        return failed(this.perform({ ...by, do: 'invept', type: op.type as 1, eptp: op.eptp }));
      case 'INVVPID':
        return failed(this.perform({ ...by, do: 'invvpid', type: op.type as 0, vpid: op.vpid, address: op.va }));
      case 'VMWR': {
        const field = FIELDS[op.field];
        if (field === undefined) throw new Error(`operation ${op.i}: VMWRITE of 0x${op.field.toString(16)} is unknown`);
        return failed(this.write(field, op.value));
      }
      case 'VMRD':
      case 'RDMSR':
        this.perform({ ...by, do: 'instruction', instruction: 'rdmsr' });
        return 0n;
    }
  }

  protected begin(): void {
    // L2's registers are fields that are shadowed: their VMWRITEs do not exit.
  }

  protected enter(): Result {
    const instruction = this.launched ? 'vmresume' : 'vmlaunch';
    const entered = this.perform({ do: 'vmenter', origin: 0, by: GUEST, instruction, guest: L2.vm });
    if (entered.kind !== 'error') this.launched = true;
    return entered;
  }

  protected override failed(result: Result): readonly [SeenExit | null, bigint] {
    if (result.kind !== 'error') return super.failed(result);
    const value = VM_FAIL | 7n;
    return [seen(value, 0n, 0n), value];
  }

  protected seenOf({ code, info1, gpa, error }: Reflected): SeenExit {
    const qualification = code === VmxExit.CR_ACCESS ? info1 | FROM_RSI : info1;
    return seen(BigInt(code >>> 0), qualification, BigInt(gpa ?? error));
  }

  protected handle({ code, info1, gpa, error }: Reflected, op: NestedOp, number: number): Next {
    const { vmx, setup, shadowRoot } = this;
    switch (code) {
      case VmxExit.VMCALL:
        return 'done';
      case VmxExit.EPT_VIOLATION:
        return this.violation(BigInt(gpa ?? 0), info1, number);
      case VmxExit.EPT_MISCONFIG:
        return vmx.givesUpAtMisconfiguration ? MISCONFIGURATION : UNKNOWN_EXIT | BigInt(code);
      case VmxExit.EXCEPTION_NMI:
        return setup.paging === 'shadow' ? this.shadow(info1, BigInt(error)) : GUEST_FAULT | BigInt(error);
      case VmxExit.INVLPG:
        this.tables.clearShadow(shadowRoot, op.va);
        this.flush(op.va);
        return 'skip';
      case VmxExit.CR_ACCESS:
        this.write('cr3', this.loadCr3(op.value));
        this.flush(0n);
        return 'skip';
      default:
        return UNKNOWN_EXIT | BigInt(code);
    }
  }

  private violation(gpa: bigint, qualification: bigint, number: number): Next {
    const { device, givesUpAtPermission, leafFlags, fills2M, inveptAfterFill } = this.vmx;
    if (device !== null && gpa >= device[0] && gpa < device[1]) {
      if ((qualification & READ) !== 0n) this.guest.value = DEVICE + BigInt(number);
      return 'skip';
    }
    if (givesUpAtPermission && (qualification & ENTRY_RIGHTS) !== 0n) return PERMISSION | qualification;
    this.tables.mapNested(BigInt(this.setup.root), gpa, leafFlags, fills2M ? 2 : 1);
    if (inveptAfterFill !== 0) {
      const eptp = BigInt(this.setup.root) | this.vmx.eptpFlags;
      this.perform({ do: 'invept', origin: 0, by: GUEST, type: inveptAfterFill as 1, eptp });
    }
    return 'again';
  }

  /** L2's translations go, where they have a tag. */
  private flush(address: bigint): void {
    const { vpid } = this.vmx;
    if (vpid !== 0) this.perform({ do: 'invvpid', origin: 0, by: GUEST, type: 1, vpid, address });
  }

  private write(field: ControlField, value: bigint): Result {
    return this.perform({ do: 'vmcs', origin: 0, by: GUEST, guest: L2.vm, field, value });
  }
}

/** VMfail counts as 1. */
function failed({ kind }: Result): bigint {
  return kind === 'error' ? 1n : 0n;
}

/** Fields by their encoding (SDM vol. 3D, appendix B). */
const FIELDS: { readonly [encoding: number]: ControlField } = {
  0x0000: 'vpid',
  0x201a: 'eptp',
  0x6802: 'cr3',
};
