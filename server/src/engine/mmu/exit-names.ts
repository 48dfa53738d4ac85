/** Names of exits as KVM's kvm_exit events print them (uapi/asm/vmx.h: VMX_EXIT_REASONS; uapi/asm/svm.h: SVM_EXIT_REASONS). */
import { SvmExit, VmxExit } from '../x86/exit-reasons';

const SVM_NAMES: { readonly [code: number]: string } = {
  [SvmExit.READ_CR0]: 'read_cr0',
  [SvmExit.READ_CR3]: 'read_cr3',
  [SvmExit.READ_CR4]: 'read_cr4',
  [SvmExit.WRITE_CR0]: 'write_cr0',
  [SvmExit.WRITE_CR3]: 'write_cr3',
  [SvmExit.WRITE_CR4]: 'write_cr4',
  [SvmExit.PF_EXCP]: 'PF excp',
  [SvmExit.INTR]: 'interrupt',
  [SvmExit.CR0_SEL_WRITE]: 'cr0_sel_write',
  [SvmExit.CPUID]: 'cpuid',
  [SvmExit.HLT]: 'hlt',
  [SvmExit.INVLPG]: 'invlpg',
  [SvmExit.INVLPGA]: 'invlpga',
  [SvmExit.IOIO]: 'io',
  [SvmExit.MSR]: 'msr',
  [SvmExit.SHUTDOWN]: 'shutdown',
  [SvmExit.VMRUN]: 'vmrun',
  [SvmExit.VMMCALL]: 'hypercall',
  [SvmExit.VMLOAD]: 'vmload',
  [SvmExit.VMSAVE]: 'vmsave',
  [SvmExit.STGI]: 'stgi',
  [SvmExit.CLGI]: 'clgi',
  [SvmExit.INVPCID]: 'invpcid',
  [SvmExit.NPF]: 'npf',
  [SvmExit.INVALID]: 'invalid',
};

/** Exits that no run here has, by their numbers. */
const OTHER_VMX_NAMES: { readonly [reason: number]: string } = {
  3: 'INIT_SIGNAL',
  4: 'SIPI_SIGNAL',
  7: 'INTERRUPT_WINDOW',
  8: 'NMI_WINDOW',
  9: 'TASK_SWITCH',
  13: 'INVD',
  15: 'RDPMC',
  16: 'RDTSC',
  29: 'DR_ACCESS',
  34: 'MSR_LOAD_FAIL',
  36: 'MWAIT_INSTRUCTION',
  37: 'MONITOR_TRAP_FLAG',
  39: 'MONITOR_INSTRUCTION',
  40: 'PAUSE_INSTRUCTION',
  41: 'MCE_DURING_VMENTRY',
  43: 'TPR_BELOW_THRESHOLD',
  44: 'APIC_ACCESS',
  45: 'EOI_INDUCED',
  46: 'GDTR_IDTR',
  47: 'LDTR_TR',
  51: 'RDTSCP',
  52: 'PREEMPTION_TIMER',
  54: 'WBINVD',
  55: 'XSETBV',
  56: 'APIC_WRITE',
  57: 'RDRAND',
  59: 'VMFUNC',
  60: 'ENCLS',
  61: 'RDSEED',
  63: 'XSAVES',
  64: 'XRSTORS',
  67: 'UMWAIT',
  68: 'TPAUSE',
  74: 'BUS_LOCK',
  75: 'NOTIFY',
};

const OTHER_SVM_NAMES: { readonly [code: number]: string } = {
  0x002: 'read_cr2',
  0x008: 'read_cr8',
  0x012: 'write_cr2',
  0x018: 'write_cr8',
  ...Object.fromEntries(Array.from({ length: 8 }, (_, register) => [0x020 + register, `read_dr${register}`])),
  ...Object.fromEntries(Array.from({ length: 8 }, (_, register) => [0x030 + register, `write_dr${register}`])),
  0x040: 'DE excp',
  0x041: 'DB excp',
  0x043: 'BP excp',
  0x044: 'OF excp',
  0x045: 'BR excp',
  0x046: 'UD excp',
  0x047: 'NM excp',
  0x048: 'DF excp',
  0x04a: 'TS excp',
  0x04b: 'NP excp',
  0x04c: 'SS excp',
  0x04d: 'GP excp',
  0x050: 'MF excp',
  0x051: 'AC excp',
  0x052: 'MC excp',
  0x053: 'XF excp',
  0x061: 'nmi',
  0x062: 'smi',
  0x063: 'init',
  0x064: 'vintr',
  0x066: 'read_idtr',
  0x067: 'read_gdtr',
  0x068: 'read_ldtr',
  0x069: 'read_rt',
  0x06a: 'write_idtr',
  0x06b: 'write_gdtr',
  0x06c: 'write_ldtr',
  0x06d: 'write_rt',
  0x06e: 'rdtsc',
  0x06f: 'rdpmc',
  0x070: 'pushf',
  0x071: 'popf',
  0x073: 'rsm',
  0x074: 'iret',
  0x075: 'swint',
  0x076: 'invd',
  0x077: 'pause',
  0x07d: 'task_switch',
  0x07e: 'ferr_freeze',
  0x086: 'skinit',
  0x087: 'rdtscp',
  0x088: 'icebp',
  0x089: 'wbinvd',
  0x08a: 'monitor',
  0x08b: 'mwait',
  0x08c: 'mwait_cond',
  0x08d: 'xsetbv',
  0x08f: 'write_efer_trap',
  0x090: 'write_cr0_trap',
  0x094: 'write_cr4_trap',
  0x098: 'write_cr8_trap',
  0x401: 'avic_incomplete_ipi',
  0x402: 'avic_unaccelerated_access',
  0x403: 'vmgexit',
};

/** Basic exit reason of VMX: bit 31 says that it was an entry that failed. */
const BASIC = 0xffff;

/** KVM's name of an exit; an unknown number prints as hex. */
export function exitReasonName(vendor: 'intel' | 'amd', reason: number): string {
  const name =
    vendor === 'intel' ? (VmxExit[reason & BASIC] ?? OTHER_VMX_NAMES[reason & BASIC]) : (SVM_NAMES[reason] ?? OTHER_SVM_NAMES[reason]);
  return name ?? `0x${reason.toString(16)}`;
}

/** An exit as one vendor numbers it. */
interface NumberedExit {
  readonly vendor: 'intel' | 'amd';
  /** 16 bits; a negative code of SVM by its low ones. */
  readonly reason: number;
}

const BY_NAME = new Map<string, NumberedExit>([
  ...numbered('amd', OTHER_SVM_NAMES),
  ...numbered('amd', SVM_NAMES),
  ['invalid_guest_state', { vendor: 'amd', reason: SvmExit.INVALID & 0xffff }],
  ...numbered('intel', OTHER_VMX_NAMES),
  ...Object.entries(VmxExit).flatMap(([name, reason]) =>
    typeof reason === 'number' ? [[name, { vendor: 'intel', reason }] as const] : [],
  ),
  // Before 5.6.
  ['PENDING_INTERRUPT', { vendor: 'intel', reason: 7 }],
]);

function numbered(vendor: 'intel' | 'amd', names: { readonly [reason: number]: string }): (readonly [string, NumberedExit])[] {
  return Object.entries(names).map(([reason, name]) => [name, { vendor, reason: Number(reason) & 0xffff }]);
}

/** The exit that KVM calls so: names of VMX are capitals, those of SVM are not; null: it has no such exit. */
export function exitNamed(name: string): NumberedExit | null {
  return BY_NAME.get(name) ?? null;
}
