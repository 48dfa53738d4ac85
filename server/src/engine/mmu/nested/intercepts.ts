/**
 * What a hypervisor has its guest intercepted for, as VMRUN reads it from the VMCB: what a KVM asks for (svm.c: init_vmcb,
 * svm_set_cr0, svm_recalc_instruction_intercepts), on a processor with a PAUSE filter, virtual GIF, and, beneath nested paging,
 * virtual VMLOAD and VMSAVE, without AVIC. The bit of an intercept has the number of its exit code (APM vol. 2, "SVM Intercept Codes").
 */
import type { WrittenFields } from '../../journal/event-table';
import { Cr0 } from '../../vcpu/control-registers';
import { Register, type Registers } from '../../vcpu/registers';
import { SvmExit } from '../../x86/exit-reasons';

/** What no guest here does. */
enum Other {
  WRITE_CR8 = 0x018,
  DB_EXCP = 0x041,
  UD_EXCP = 0x046,
  AC_EXCP = 0x051,
  MC_EXCP = 0x052,
  NMI = 0x061,
  SMI = 0x062,
  RDPMC = 0x06f,
  RSM = 0x073,
  INVD = 0x076,
  PAUSE = 0x077,
  TASK_SWITCH = 0x07d,
  SKINIT = 0x086,
  WBINVD = 0x089,
  MONITOR = 0x08a,
  MWAIT = 0x08b,
  XSETBV = 0x08d,
  RDPRU = 0x08e,
}

/** Whatever the MMU. */
const ALWAYS: readonly number[] = [
  SvmExit.READ_CR4,
  SvmExit.WRITE_CR4,
  SvmExit.INTR,
  SvmExit.CR0_SEL_WRITE,
  SvmExit.CPUID,
  SvmExit.HLT,
  SvmExit.INVLPGA,
  SvmExit.IOIO,
  SvmExit.MSR,
  SvmExit.SHUTDOWN,
  SvmExit.VMRUN,
  SvmExit.VMMCALL,
  ...Object.values(Other).filter((code) => typeof code === 'number'),
];

/** With shadow tables. */
const SOFT: readonly number[] = [
  SvmExit.READ_CR3,
  SvmExit.WRITE_CR3,
  SvmExit.PF_EXCP,
  SvmExit.INVLPG,
  SvmExit.VMLOAD,
  SvmExit.VMSAVE,
  SvmExit.INVPCID,
];

/** As long as hardware has another CR0 than the guest believes. */
const OTHER_CR0: readonly number[] = [SvmExit.READ_CR0, SvmExit.WRITE_CR0];

/** @param guest its registers as it believes them */
export function intercepts(guest: Registers, nestedPaging: boolean): WrittenFields<'kvm_nested_intercepts'> {
  const cr0 = guest.lo(Register.cr0);
  const ownCr0 = nestedPaging || ((cr0 & Cr0.wp) !== 0 && (cr0 & Cr0.pg) !== 0);
  const words = [0, 0, 0, 0, 0, 0];
  for (const code of [...ALWAYS, ...(nestedPaging ? [] : SOFT), ...(ownCr0 ? [] : OTHER_CR0)]) words[code >> 5] |= 1 << (code & 31);
  const [cr, , exceptions, intercept1, intercept2, intercept3] = words;
  return { cr_read: cr & 0xffff, cr_write: cr >>> 16, exceptions, intercept1, intercept2, intercept3 };
}
