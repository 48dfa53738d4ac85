/** The part `nested` of a recorded scenario: an L1 hypervisor and its guest ("The nested guest" of test/kvm-traces/README.md). */
import { big, list, number, object, string } from '../json';
import type { Json } from '../json';

/** Addresses are L1's guest-physical ones, `l2Cr3`, `l2Rip` and `l2Rsp` L2's. */
export interface NestedSetup {
  /** How L1 has L2's addresses translated: by nested tables (NPT, EPT), or by shadow tables of its own. */
  readonly paging: 'nested' | 'shadow';
  readonly ramBase: number;
  /** Of L1's nested or shadow tables. */
  readonly root: number;
  readonly tablePool: number;
  readonly l2Cr3: number;
  readonly l2Rip: number;
  /** Top of L2's stack. */
  readonly l2Rsp: number;
  /** Where in its page L2's instructions stand. */
  readonly code: Readonly<Record<CodeStep, number>>;
  readonly extension: Svm | Vmx;
}

export interface Svm {
  readonly isa: 'svm';
  readonly vmcb: number;
  readonly asid: number;
}

export interface Vmx {
  readonly isa: 'vmx';
  readonly vmcs: number;
  /** Bits of the EPTP besides the root. */
  readonly eptpFlags: bigint;
  /** Of leaves, and of other entries, that L1 makes. */
  readonly leafFlags: bigint;
  readonly tableFlags: bigint;
  /** 0: none. */
  readonly vpid: number;
  readonly exceptionBitmap: bigint;
  /** Bits of the secondary processor-based controls besides EPT and VPID. */
  readonly secondaryControls: bigint;
  /** Page of the log; null: none. */
  readonly pml: number | null;
  /** L2's physical addresses from the first up to the second are a device of L1. */
  readonly device: readonly [bigint, bigint] | null;
  /** An EPT violation of an entry that is present, or an EPT misconfiguration, ends the operation. */
  readonly givesUpAtPermission: boolean;
  readonly givesUpAtMisconfiguration: boolean;
  /** L1 fills with 2M pages. */
  readonly fills2M: boolean;
  /** Type of the INVEPT after each fill; 0: none. */
  readonly inveptAfterFill: number;
}

/** Instructions of L2's page of code; `start` begins it. */
export type CodeStep = 'start' | 'R' | 'W' | 'RMW' | 'X' | 'INVLPG' | 'CR3' | 'call';

/**
 * `mov (%rsi),%rax`, `mov %rdx,(%rsi)`, `add %rdx,(%rsi)`, `call *%rsi`, `invlpg (%rsi)`, `mov %rsi,%cr3`, and `vmmcall` or `vmcall`.
 */
function codeOf(isa: 'svm' | 'vmx'): Readonly<Record<CodeStep, string>> {
  const call = { svm: '0f01d9', vmx: '0f01c1' }[isa];
  return { start: '', R: '488b06', W: '488916', RMW: '480116', X: 'ffd6', INVLPG: '0f013e', CR3: '0f22de', call };
}

export function nestedSetup(json: Json, pages: Json): NestedSetup {
  const of = (key: string): number => number(json[key], `nested.${key}`);
  const isa = string(json.isa ?? 'svm', 'nested.isa');
  if (isa !== 'svm' && isa !== 'vmx') throw new Error(`nested.isa: no ${isa}`);
  const nested = { svm: 'npt', vmx: 'ept' }[isa];
  const paging = string(json.l1_paging_of_l2, 'nested.l1_paging_of_l2');
  if (paging !== nested && paging !== 'shadow') throw new Error(`nested.l1_paging_of_l2: no paging ${paging}`);
  return {
    paging: paging === 'shadow' ? 'shadow' : 'nested',
    ramBase: of('l2_ram_base'),
    root: of(paging === 'shadow' ? 'l1_shadow_root' : `l1_${nested}_root`),
    tablePool: of('l1_table_pool'),
    l2Cr3: of('l2_cr3'),
    l2Rip: of('l2_rip'),
    l2Rsp: of('l2_rsp'),
    code: codeOffsets(pages, codeOf(isa)),
    extension: isa === 'svm' ? svm(json) : vmx(json),
  };
}

function svm(json: Json): Svm {
  const { asid } = object(json.vmcb_state, 'nested.vmcb_state');
  return { isa: 'svm', vmcb: number(json.vmcb, 'nested.vmcb'), asid: number(asid, 'nested.vmcb_state.asid') };
}

function vmx(json: Json): Vmx {
  const of = (key: string): bigint => big(json[key] ?? 0, `nested.${key}`);
  const device = json.l1_device === null || json.l1_device === undefined ? null : list(json.l1_device, 'nested.l1_device');
  return {
    isa: 'vmx',
    vmcs: number(json.vmcs12, 'nested.vmcs12'),
    eptpFlags: of('eptp_flags'),
    leafFlags: of('ept_leaf_flags'),
    tableFlags: of('ept_table_flags'),
    vpid: Number(of('vpid')),
    exceptionBitmap: of('exception_bitmap'),
    secondaryControls: of('secondary_controls_more'),
    pml: json.pml === null || json.pml === undefined ? null : number(json.pml, 'nested.pml'),
    device: device && [big(device[0], 'nested.l1_device'), big(device[1], 'nested.l1_device')],
    givesUpAtPermission: of('give_up_at_permission') !== 0n,
    givesUpAtMisconfiguration: of('give_up_at_misconfig') !== 0n,
    fills2M: of('fill_2m') !== 0n,
    inveptAfterFill: Number(of('invept_after_fill')),
  };
}

/** The page of L2's code is the one that has all instructions. */
function codeOffsets(pages: Json, code: Readonly<Record<CodeStep, string>>): NestedSetup['code'] {
  const steps = Object.keys(code) as CodeStep[];
  for (const hex of Object.values(pages)) {
    const offsets = steps.map((step) => (typeof hex === 'string' ? offsetOf(hex, code[step]) : -1));
    if (offsets.every((offset) => offset >= 0))
      return Object.fromEntries(steps.map((step, i) => [step, offsets[i]])) as NestedSetup['code'];
  }
  throw new Error("data_bytes: none has L2's code");
}

/** Offset in bytes of a sequence of bytes; -1: it is not there. */
function offsetOf(hex: string, code: string): number {
  for (let at = 0; at + code.length <= hex.length; at += 2) if (hex.startsWith(code, at)) return at / 2;
  return -1;
}
