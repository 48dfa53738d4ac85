/**
 * What L0 checks of a control structure before it enters L2 (vmx/nested.c: nested_vmx_check_controls, nested_vmx_check_guest_state;
 * svm/nested.c: nested_vmcb_check_save, nested_vmcb_check_controls), in its order. The first that fails ends it.
 */
import { lowOf } from '../../bits';
import { EntryCheck, ENTRY_CHECK } from '../../journal/enumerations';
import { Cr0, Cr4, CR4_VMXE, Efer, supportedCr4, supportedEfer } from '../../vcpu/control-registers';
import { Register } from '../../vcpu/registers';
import { EPTP_AD } from '../vcpu/hardware';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { Entering, Exiting, Primary, Secondary, type ControlFields } from './control-fields';
import type { Control } from './control-structure';
import { secondaryControls } from './guest-control';

export interface EntryFailure {
  /** The check that fails, and those around it that say so too. */
  readonly checks: readonly EntryCheck[];
  /** VM-instruction error, or the qualification of an exit by invalid guest state. */
  readonly number: number;
  readonly why: string;
}

/** VM-instruction errors (SDM vol. 3C, "VM-Instruction Error Numbers"). */
export enum VmError {
  launchNonclear = 4,
  resumeNonlaunched = 5,
  invalidControls = 7,
  invalidHostState = 8,
  invalidOperand = 28,
}

/** Exit qualifications of entries that fail by guest state (SDM vol. 3C, "VM-Entry Failures During or After Loading Guest State"). */
const QUALIFICATION_LINK_POINTER = 4;

/** Bits of controls that must be 1 and that may be (nested_vmx_setup_ctls_msrs, on a processor that has them all). */
const PIN = { low: 0x16, high: 0x7f };
const PRIMARY = { low: 0x0400_6172, high: 0xfff9_fffe };
const SECONDARY = 0x0217_7fff;
const EXIT = { low: 0x0003_6dfb, high: 0x00ff_ffff };
const ENTRY = { low: 0x0000_11fb, high: 0x0001_f3ff };
const CR0_FIXED = Cr0.pe | Cr0.pg | Cr0.ne;

const MEMORY_TYPE_WB = 6;

type Check = readonly [fails: boolean, check: EntryCheck, ...around: EntryCheck[]];

/** VMLAUNCH and VMRESUME: of what fails before anything is loaded. null: nothing does */
export function controlFailure(vcpu: KvmVcpu, control: Control, launch: boolean): EntryFailure | null {
  const state = failure(
    [[control.launched === launch, EntryCheck.launchState]],
    launch ? VmError.launchNonclear : VmError.resumeNonlaunched,
  );
  if (state !== null) return state;
  const eptp = (): EntryFailure | null =>
    failure(control.context.second === null ? [] : eptpChecks(vcpu, control), VmError.invalidControls);
  const { fields } = control;
  if (fields === null) return eptp();
  return (
    failure(executionChecks(vcpu, fields), VmError.invalidControls) ??
    eptp() ??
    failure(
      [...of(fields, 'exit_controls', EXIT, EntryCheck.exitControls), ...of(fields, 'entry_controls', ENTRY, EntryCheck.entryControls)],
      VmError.invalidControls,
    ) ??
    failure(
      [[((fields.low('exit_controls') & Exiting.hostAddressSpace) !== 0) !== longModeOf(vcpu), EntryCheck.addressSpaceSize]],
      VmError.invalidHostState,
    )
  );
}

/** What depends on L0's own: EPT and what needs it on its MMU, PML on accessed and dirty flags, VPIDs on the processor. */
function secondaryAllowed({ kvm, parts }: KvmVcpu): number {
  const { eptAd, vpid } = parts.rules.features;
  const missing =
    (kvm.tdp ? 0 : Secondary.ept | Secondary.unrestrictedGuest | Secondary.pml) |
    (eptAd && kvm.options.eptAd ? 0 : Secondary.pml) |
    (vpid ? 0 : Secondary.vpid);
  return SECONDARY & ~missing;
}

function executionChecks(vcpu: KvmVcpu, fields: ControlFields): Check[] {
  const { maxPhyAddr } = vcpu.parts.rules;
  const secondary = secondaryControls(fields);
  const has = (bit: Secondary): boolean => (secondary & bit) !== 0;
  const active = (fields.low('primary_controls') & Primary.activateSecondary) !== 0;
  return [
    ...of(fields, 'pin_controls', PIN, EntryCheck.pinControls),
    ...of(fields, 'primary_controls', PRIMARY, EntryCheck.primaryControls),
    ...(active ? of(fields, 'secondary_controls', { low: 0, high: secondaryAllowed(vcpu) }, EntryCheck.secondaryControls) : []),
    [has(Secondary.pml) && !has(Secondary.ept), EntryCheck.pmlWithoutEpt],
    [has(Secondary.pml) && !isPage(fields.value('pml_address'), maxPhyAddr), EntryCheck.pmlAddress],
    [has(Secondary.unrestrictedGuest) && !has(Secondary.ept), EntryCheck.unrestrictedGuest],
    [has(Secondary.vpid) && fields.value('vpid') === 0n, EntryCheck.vpid],
  ];
}

/** nested_vmx_check_eptp */
function eptpChecks(vcpu: KvmVcpu, { context, rootLo, rootHi }: Control): Check[] {
  const levels = context.second?.levels ?? 4;
  return eptpFaults(vcpu, rootLo, rootHi, levels).map(([fails, ...checks]) => [fails, ...checks, EntryCheck.eptp] as Check);
}

/** @param levels of EPT walks that KVM offers */
function eptpFaults({ parts, kvm }: KvmVcpu, lo: number, hi: number, levels: number): Check[] {
  const { features, maxPhyAddr } = parts.rules;
  const walk = ((lo >>> 3) & 7) + 1;
  return [
    [(lo & 7) === 0, EntryCheck.eptpMemoryType],
    [(lo & 7) !== MEMORY_TYPE_WB, EntryCheck.eptp],
    [walk !== levels, walk === 5 ? EntryCheck.eptpLevels : EntryCheck.eptp],
    [aboveWidth(hi, maxPhyAddr) || (lo & 0xf80) !== 0, EntryCheck.eptpReserved],
    [(lo & EPTP_AD) !== 0 && !(features.eptAd && kvm.options.eptAd), EntryCheck.eptpAd],
  ];
}

/** INVEPT of one context: is the EPTP one that KVM would enter with? (handle_invept) */
export function isValidEptp(vcpu: KvmVcpu, lo: number, hi: number): boolean {
  const levels = vcpu.parts.hardware.second?.levels ?? 4;
  return eptpFaults(vcpu, lo, hi, levels).every(([fails]) => !fails);
}

/** What makes an entry "succeed" and exit at once. `number` is the exit's qualification. */
export function guestStateFailure(vcpu: KvmVcpu, { fields }: Control): EntryFailure | null {
  if (fields === null) return null;
  const { features } = vcpu.parts.rules;
  const [cr0, cr4, efer] = [fields.value('cr0'), fields.value('cr4'), fields.value('efer')];
  const entry = fields.low('entry_controls');
  const ia32e = (entry & Entering.ia32e) !== 0;
  const fixed = (secondaryControls(fields) & Secondary.unrestrictedGuest) !== 0 ? Cr0.ne : CR0_FIXED;
  const pg = (lowOf(cr0) & Cr0.pg) !== 0;
  const supported = BigInt(supportedCr4(features) >>> 0);
  return (
    failure(
      [
        [(lowOf(cr0) & fixed) !== fixed, EntryCheck.cr0],
        [(lowOf(cr4) & CR4_VMXE) === 0 || (cr4 & ~supported) !== 0n, EntryCheck.cr4],
      ],
      0,
    ) ??
    failure(linkPointerChecks(vcpu, fields.value('link_pointer')), QUALIFICATION_LINK_POINTER) ??
    failure(
      [
        [pg && (lowOf(cr0) & Cr0.pe) === 0, EntryCheck.pagingWithoutProtection],
        [ia32e && (lowOf(cr4) & Cr4.pae) === 0, EntryCheck.ia32eWithoutPae],
        [ia32e && !pg, EntryCheck.ia32eWithoutPaging],
        ...(entry & Entering.loadEfer ? eferChecks(efer, supportedEfer(features, false), ia32e, pg) : []),
      ],
      0,
    )
  );
}

function eferChecks(efer: bigint, supported: number, ia32e: boolean, pg: boolean): Check[] {
  const has = (bit: Efer): boolean => (lowOf(efer) & bit) !== 0;
  return [
    [(efer & ~BigInt(supported)) !== 0n, EntryCheck.efer],
    [has(Efer.lma) !== ia32e, EntryCheck.eferLma],
    [pg && has(Efer.lme) !== ia32e, EntryCheck.eferLme],
  ];
}

/** No VMCS but the current one is ever there. */
function linkPointerChecks(vcpu: KvmVcpu, pointer: bigint): Check[] {
  if (pointer === NO_LINK) return [];
  const memory = vcpu.kvm.guest.slots.visible(Number(pointer >> 12n));
  return [
    [!isPage(pointer, vcpu.parts.rules.maxPhyAddr), EntryCheck.linkPointerPage],
    [!memory, EntryCheck.linkPointerMemory],
    [true, EntryCheck.linkPointerRevision],
  ];
}

const NO_LINK = 0xffff_ffff_ffff_ffffn;

/** VMRUN: what makes it end in VMEXIT_INVALID. */
export function vmcbFailure(vcpu: KvmVcpu, { context, rootHi, fields }: Control): EntryFailure | null {
  const { kvm, parts } = vcpu;
  const { features, maxPhyAddr } = parts.rules;
  const paging: Check[] =
    context.second === null ? [] : [[!kvm.tdp, EntryCheck.nestedPaging], [aboveWidth(rootHi, maxPhyAddr), EntryCheck.ncr3]]; // prettier-ignore
  if (fields === null) return failure(paging, 0);
  const [cr0, cr3, cr4, efer] = [fields.value('cr0'), fields.value('cr3'), fields.value('cr4'), fields.value('efer')];
  const long = (lowOf(efer) & Efer.lme) !== 0 && (lowOf(cr0) & Cr0.pg) !== 0;
  return failure(
    [
      [(lowOf(efer) & Efer.svme) === 0, EntryCheck.svme],
      [(lowOf(cr0) & (Cr0.cd | Cr0.nw)) === Cr0.nw, EntryCheck.cacheDisable],
      [cr0 >> 32n !== 0n, EntryCheck.cr0High],
      [long && (lowOf(cr4) & Cr4.pae) === 0, EntryCheck.longModeWithoutPae],
      [long && (lowOf(cr0) & Cr0.pe) === 0, EntryCheck.longModeWithoutProtection],
      [long && cr3 >> BigInt(maxPhyAddr) !== 0n, EntryCheck.longModeCr3],
      [(cr4 & ~BigInt(supportedCr4(features) >>> 0)) !== 0n, EntryCheck.svmCr4],
      [(efer & ~BigInt(supportedEfer(features, true))) !== 0n, EntryCheck.svmEfer],
      [fields.value('asid') === 0n, EntryCheck.asid],
      ...paging,
    ],
    0,
  );
}

/** vmx_control_verify */
function of(
  fields: ControlFields,
  field: 'pin_controls' | 'primary_controls' | 'secondary_controls' | 'exit_controls' | 'entry_controls',
  { low, high }: { readonly low: number; readonly high: number },
  check: EntryCheck,
): Check[] {
  const value = fields.low(field);
  return [[((value & high) | low) !== value, check]];
}

function failure(checks: readonly Check[], number: number): EntryFailure | null {
  const failed = checks.find(([fails]) => fails);
  if (failed === undefined) return null;
  const [, first, ...around] = failed;
  return { checks: [...new Set([first, ...around])], number, why: ENTRY_CHECK[first].about };
}

/** page_address_valid */
function isPage(address: bigint, maxPhyAddr: number): boolean {
  return (address & 0xfffn) === 0n && address >> BigInt(maxPhyAddr) === 0n;
}

function aboveWidth(hi: number, maxPhyAddr: number): boolean {
  return hi >>> Math.max(maxPhyAddr - 32, 0) !== 0;
}

function longModeOf({ registers }: KvmVcpu): boolean {
  return (registers.lo(Register.efer) & Efer.lma) !== 0;
}
