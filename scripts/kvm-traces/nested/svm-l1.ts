/** The recorded L1 that uses SVM: its VMRUNs, and what it reads and writes in its VMCB. */
import type { Act } from '../../../server/src/engine/program';
import type { Result } from '../../../server/src/engine/result';
import { SvmExit } from '../../../server/src/engine/x86/exit-reasons';
import { GUEST } from '../scenario';
import type { NestedOp } from '../scenario';
import { RecordedL1, seen, UNKNOWN_EXIT } from './l1';
import type { Next, Reflected, SeenExit } from './l1';
import { PLAIN_TABLES } from './l1-tables';
import { L2 } from './l2-code';
import type { NestedSetup, Svm } from './setup';

const INVALID = 0xffff_ffff_ffff_ffffn;
const EFER_SVME = 0x1000n;
/** Where L1 keeps what it writes into its VMCB before an operation: rip in the save area. */
const VMCB_RIP = 0x578;
const VMCB_EXIT_CODE = 0x70;

export class SvmL1 extends RecordedL1 {
  protected readonly mostExits = 30;
  private readonly vmcb: number;

  constructor(setup: NestedSetup, { vmcb }: Svm, perform: (act: Act) => Result) {
    super(setup, PLAIN_TABLES, perform);
    this.vmcb = vmcb;
  }

  /** EFER is read, written with SVME, and the host save area set. */
  init({ efer }: { readonly efer: bigint }): void {
    const base = { origin: 0, by: GUEST } as const;
    this.perform({ ...base, do: 'instruction', instruction: 'rdmsr' });
    this.perform({ ...base, do: 'register', register: 'efer', value: efer | EFER_SVME });
    this.perform({ ...base, do: 'instruction', instruction: 'wrmsr' });
  }

  instruction(): bigint {
    throw new Error('an L1 that uses SVM has no such instruction');
  }

  protected begin(): void {
    this.tables.store(BigInt(this.vmcb + VMCB_RIP), BigInt(this.setup.l2Rip));
  }

  protected enter(): Result {
    return this.perform({ do: 'vmenter', origin: 0, by: GUEST, instruction: 'vmrun', guest: L2.vm });
  }

  protected seenOf({ code, info1, info2 }: Reflected): SeenExit {
    this.tables.load(BigInt(this.vmcb + VMCB_EXIT_CODE));
    return seen(BigInt(code), info1, info2);
  }

  protected handle({ code, info1, info2 }: Reflected, op: NestedOp): Next {
    switch (code) {
      case SvmExit.VMMCALL:
        return 'done';
      case SvmExit.NPF:
        this.tables.mapNested(this.shadowRoot, info2, PLAIN_TABLES.flags);
        return 'again';
      case SvmExit.PF_EXCP:
        return this.shadow(info2, info1);
      case SvmExit.INVLPG:
        this.tables.clearShadow(this.shadowRoot, op.va);
        return 'skip';
      case SvmExit.WRITE_CR3:
        this.perform({ do: 'vmcs', origin: 0, by: GUEST, guest: L2.vm, field: 'cr3', value: this.loadCr3(op.value) });
        return 'skip';
      case SvmExit.INVALID:
        return INVALID;
      default:
        return UNKNOWN_EXIT | BigInt(code);
    }
  }
}
