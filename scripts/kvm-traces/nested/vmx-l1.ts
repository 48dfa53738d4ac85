/** The recorded L1 that uses VMX: VMLAUNCH and VMRESUME, the fields of its VMCS, INVEPT and INVVPID. */
import { Secondary, VMCS_FIELDS } from '../../../server/src/engine/mmu/nested/control-fields';
import type { Act, VmcsField } from '../../../server/src/engine/program';
import type { Result } from '../../../server/src/engine/result';
import { VmxExit } from '../../../server/src/engine/x86/exit-reasons';
import { GUEST } from '../scenario';
import type { NestedOp, VmxOp } from '../scenario';
import { isDead, RecordedL1, seen, UNKNOWN_EXIT } from './l1';
import type { Next, Reflected, SeenExit } from './l1';
import { PLAIN_TABLES } from './l1-tables';
import { L2 } from './l2-code';
import type { NestedSetup, Vmx } from './setup';

const CR4_VMXE = 0x2000n;
const PML_LAST = 511n;
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
    const { eptpFlags, exceptionBitmap, secondaryControls, pml, vpid } = this.vmx;
    const ept = paging === 'nested' ? Secondary.ept : 0;
    if (ept !== 0) this.write('eptp', BigInt(root) | eptpFlags);
    const controls = ept | (vpid === 0 ? 0 : Secondary.vpid) | (pml === null ? 0 : Secondary.pml);
    this.write('secondary_controls', BigInt(controls) | secondaryControls);
    this.write('exception_bitmap', exceptionBitmap);
    if (pml === null) return;
    this.write('pml_address', BigInt(pml));
    this.write('pml_index', PML_LAST);
  }

  instruction(op: VmxOp): bigint | undefined {
    const by = { origin: 0, by: GUEST } as const;
    switch (op.kind) {
      case 'INVEPT':
        return failed(this.perform({ ...by, do: 'invept', type: op.type, eptp: op.eptp }));
      case 'INVVPID':
        return failed(this.perform({ ...by, do: 'invvpid', type: op.type, vpid: op.vpid, address: op.va }));
      case 'VMWR': {
        const field = FIELDS.get(op.field);
        // Other fields are of no concern to the MMU, and how their VMWRITEs exit is not compared.
        return field === undefined ? 0n : failed(this.write(field, op.value));
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
    const value = VM_FAIL | BigInt(result.vmInstructionError ?? 0);
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
      this.perform({ do: 'invept', origin: 0, by: GUEST, type: inveptAfterFill, eptp });
    }
    return 'again';
  }

  /** L2's translations go, where they have a tag. */
  private flush(address: bigint): void {
    const { vpid } = this.vmx;
    if (vpid !== 0) this.perform({ do: 'invvpid', origin: 0, by: GUEST, type: 1, vpid, address });
  }

  private write(field: VmcsField, value: bigint): Result {
    return this.perform({ do: 'vmcs', origin: 0, by: GUEST, guest: L2.vm, field, value });
  }
}

/** VMfail counts as 1. */
function failed(result: Result): bigint | undefined {
  return isDead(result) ? undefined : result.kind === 'error' ? 1n : 0n;
}

/** Fields by their encoding. */
const FIELDS: ReadonlyMap<number, VmcsField> = new Map(
  Object.entries(VMCS_FIELDS).map(([field, { encoding }]) => [encoding, field as VmcsField]),
);
