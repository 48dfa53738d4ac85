/** The fields of a control structure: where they stand in it, and what a hypervisor that the script plays has put there. */
import type { ControlField, VmcbField, VmcsField } from '../../program';

interface VmcsPlace {
  /** SDM vol. 3D, appendix B. */
  readonly encoding: number;
  /** With VMCS shadowing its VMWRITE does not exit (vmx/vmcs_shadow_fields.h: SHADOW_FIELD_RW). */
  readonly shadowed?: true;
}

export const VMCS_FIELDS: { readonly [field in VmcsField]: VmcsPlace } = {
  vpid: { encoding: 0x0000 },
  pml_index: { encoding: 0x0812, shadowed: true },
  pml_address: { encoding: 0x200e },
  eptp: { encoding: 0x201a },
  link_pointer: { encoding: 0x2800 },
  efer: { encoding: 0x2806 },
  pin_controls: { encoding: 0x4000, shadowed: true },
  primary_controls: { encoding: 0x4002, shadowed: true },
  exception_bitmap: { encoding: 0x4004, shadowed: true },
  pfec_mask: { encoding: 0x4006 },
  pfec_match: { encoding: 0x4008 },
  exit_controls: { encoding: 0x400c },
  entry_controls: { encoding: 0x4012 },
  secondary_controls: { encoding: 0x401e },
  cr0: { encoding: 0x6800, shadowed: true },
  cr3: { encoding: 0x6802, shadowed: true },
  cr4: { encoding: 0x6804, shadowed: true },
};

/** Offset in bytes (APM vol. 2, appendix B). */
export const VMCB_FIELDS: { readonly [field in VmcbField]: number } = {
  intercept_exceptions: 0x008,
  asid: 0x058,
  tlb_control: 0x05c,
  ncr3: 0x0b0,
  efer: 0x4d0,
  cr4: 0x548,
  cr3: 0x550,
  cr0: 0x558,
};

export function isVmcsField(field: ControlField): field is VmcsField {
  return Object.hasOwn(VMCS_FIELDS, field);
}

export function isVmcbField(field: ControlField): field is VmcbField {
  return Object.hasOwn(VMCB_FIELDS, field);
}

/** Where a hypervisor has its own instructions, and goes on after an exit: HOST_RIP of a VMCS. */
export const HOST_RIP = 0xff00_0000;

/** Bits of the pin-based and processor-based controls, of exit and entry controls (SDM vol. 3C, "VM-Execution Control Fields"). */
export enum Primary {
  invlpgExiting = 1 << 9,
  cr3LoadExiting = 1 << 15,
  cr3StoreExiting = 1 << 16,
  activateSecondary = 1 << 31,
}
export enum Secondary {
  ept = 1 << 1,
  vpid = 1 << 5,
  unrestrictedGuest = 1 << 7,
  pml = 1 << 17,
}
export enum Exiting {
  hostAddressSpace = 1 << 9,
}
export enum Entering {
  ia32e = 1 << 9,
  loadEfer = 1 << 15,
}

/** Bit of the exception bitmap, and of a VMCB's intercepts of exceptions. */
export const PF_BIT = 1 << 14;

/** What the script has written, by field; a field that it has not written stands as it must for such a guest. */
export class ControlFields {
  private readonly values = new Map<ControlField, bigint>();

  /** @param unwritten what stands in a field by itself */
  constructor(private readonly unwritten: (field: ControlField) => bigint) {}

  value(field: ControlField): bigint {
    return this.values.get(field) ?? this.unwritten(field);
  }

  /** The low 32 bits of a field, signed. */
  low(field: ControlField): number {
    return Number(BigInt.asIntN(32, this.value(field)));
  }

  set(field: ControlField, value: bigint): void {
    this.values.set(field, value);
  }
}
