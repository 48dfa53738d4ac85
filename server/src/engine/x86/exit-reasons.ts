/**
 * Exit reasons of VMX (SDM vol. 3 appendix "VMX basic exit reasons") and exit codes of SVM (APM vol. 2 appendix "SVM
 * intercept exit codes").
 */

export enum VmxExit {
  EXCEPTION_NMI = 0,
  EXTERNAL_INTERRUPT = 1,
  TRIPLE_FAULT = 2,
  CPUID = 10,
  HLT = 12,
  INVLPG = 14,
  VMCALL = 18,
  VMCLEAR = 19,
  VMLAUNCH = 20,
  VMPTRLD = 21,
  VMPTRST = 22,
  VMREAD = 23,
  VMRESUME = 24,
  VMWRITE = 25,
  VMOFF = 26,
  VMON = 27,
  CR_ACCESS = 28,
  IO_INSTRUCTION = 30,
  MSR_READ = 31,
  MSR_WRITE = 32,
  INVALID_STATE = 33,
  EPT_VIOLATION = 48,
  EPT_MISCONFIG = 49,
  INVEPT = 50,
  INVVPID = 53,
  INVPCID = 58,
  PML_FULL = 62,
}

export enum SvmExit {
  READ_CR0 = 0x000,
  READ_CR3 = 0x003,
  READ_CR4 = 0x004,
  WRITE_CR0 = 0x010,
  WRITE_CR3 = 0x013,
  WRITE_CR4 = 0x014,
  /** Exception 14. */
  PF_EXCP = 0x04e,
  INTR = 0x060,
  CR0_SEL_WRITE = 0x065,
  CPUID = 0x072,
  HLT = 0x078,
  INVLPG = 0x079,
  INVLPGA = 0x07a,
  IOIO = 0x07b,
  MSR = 0x07c,
  SHUTDOWN = 0x07f,
  VMRUN = 0x080,
  VMMCALL = 0x081,
  VMLOAD = 0x082,
  VMSAVE = 0x083,
  STGI = 0x084,
  CLGI = 0x085,
  INVPCID = 0x0a2,
  NPF = 0x400,
  /** VMRUN refused: the control structure is not valid. */
  INVALID = -1,
}
