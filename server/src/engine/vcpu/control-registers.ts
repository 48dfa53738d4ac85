/**
 * Loads of CR0, CR3, CR4 and EFER: what a processor refuses, what it invalidates, when PDPTEs are loaded (§2.1, §2.2, §2.10,
 * §2.11; SDM vol. 3 "Control registers", "Paging", "Operations that invalidate TLBs and paging-structure caches"), and
 * what the registers then mean for paging.
 */
import { ACCESS_READ } from '../journal/events';
import type { PhysicalMemory } from '../memory/physical-memory';
import type { CR0, CR4, EFER, Features, PagingMode, VcpuConfig } from '../program';
import { Pte } from '../x86/entries';
import { pagingFormat, type Format } from '../x86/formats';
import { Access, Keys, Policy } from '../x86/permissions';
import { Walk, type Stage } from '../x86/stage';
import { Register, type Registers } from './registers';
import { lowOf, highOf } from '../bits';

export enum Cr0 {
  pe = 1 << 0,
  et = 1 << 4,
  ne = 1 << 5,
  wp = 1 << 16,
  nw = 1 << 29,
  cd = 1 << 30,
  pg = 1 << 31,
}
export enum Cr4 {
  pse = 1 << 4,
  pae = 1 << 5,
  pge = 1 << 7,
  la57 = 1 << 12,
  pcide = 1 << 17,
  smep = 1 << 20,
  smap = 1 << 21,
  pke = 1 << 22,
  pks = 1 << 24,
}
/** CR4.VMXE: VMX operation is enabled. */
export const CR4_VMXE = 1 << 13;
/** Bits of CR4 that have nothing to do with paging and that may be set: 3:0, 6, 11:8, 13, 14, 16, 18. */
const CR4_OTHER = 0x0005_6f4f;
export enum Efer {
  sce = 1 << 0,
  lme = 1 << 8,
  lma = 1 << 10,
  nxe = 1 << 11,
  svme = 1 << 12,
}
/** Number of IA32_EFER (SDM vol. 4). */
export const MSR_EFER = 0xc0000080 | 0;
export const RFLAGS_AC = 1 << 18;

/** Bits of registers that paging depends on, by the manuals' names in lower case. */
export const REGISTER_BITS = {
  cr0: { pe: Cr0.pe, wp: Cr0.wp, pg: Cr0.pg },
  cr4: {
    pse: Cr4.pse,
    pae: Cr4.pae,
    pge: Cr4.pge,
    la57: Cr4.la57,
    pcide: Cr4.pcide,
    smep: Cr4.smep,
    smap: Cr4.smap,
    pke: Cr4.pke,
    pks: Cr4.pks,
  },
  efer: { lme: Efer.lme, lma: Efer.lma, nxe: Efer.nxe, svme: Efer.svme },
  eflags: { ac: RFLAGS_AC },
} as const satisfies { readonly [register: string]: { readonly [bit: string]: number } };

/** Bit 63 of a CR3 operand: nothing is invalidated (CR4.PCIDE=1). */
const NO_FLUSH_HIGH = 1 << 31;

/** What a load came to and asks for, one bit each; a refused load changes nothing. */
export enum Load {
  done = 0,
  /** #GP(0). */
  generalProtection = 1 << 0,
  /** A PDPTE could not be read in the stage behind, whose fields say how: a VM exit. */
  below = 1 << 1,
  /** Non-global translations of the new PCID (MOV CR3). */
  flushNonGlobal = 1 << 2,
  /** All translations of the current PCID. */
  flushPcid = 1 << 3,
  /** All translations, global ones and all PCIDs included. */
  flushAll = 1 << 4,
  /** Paging mode, entry format or permission policy are others than before. */
  modeChanged = 1 << 5,
}
export const LOAD_REFUSED = Load.generalProtection | Load.below;

/** Whose registers: the processor as CPUID shows it to them, and where PDPTEs are read. */
export interface LoadRules {
  readonly features: Features;
  readonly maxPhyAddr: number;
  readonly amd: boolean;
  readonly memory: PhysicalMemory;
  /** Translates addresses of PDPTEs; null: they are host-physical. */
  readonly stage: Stage | null;
  /** PDPTEs are not loaded but read at each walk (AMD with nested paging). */
  readonly pdptesInMemory: boolean;
  /** Called before the first register is set, when nothing is refused and all is read: whose doing it is. */
  readonly due?: () => void;
}

/** MOV to CR0. */
export function loadCr0(registers: Registers, rules: LoadRules, lo: number, hi: number): number {
  const old = registers.lo(Register.cr0);
  const efer = registers.lo(Register.efer);
  const cr4 = registers.lo(Register.cr4);
  const paging = (lo & Cr0.pg) !== 0;
  if (hi !== 0) return Load.generalProtection;
  if (paging && (lo & Cr0.pe) === 0) return Load.generalProtection;
  if ((lo & Cr0.nw) !== 0 && (lo & Cr0.cd) === 0) return Load.generalProtection;
  const changed = old ^ lo;
  const toggles = (changed & Cr0.pg) !== 0;
  if (toggles && paging && (efer & Efer.lme) !== 0 && (cr4 & Cr4.pae) === 0) return Load.generalProtection;
  if (toggles && !paging && (cr4 & Cr4.pcide) !== 0) return Load.generalProtection;

  const long = paging && (efer & Efer.lme) !== 0;
  if (paging && (cr4 & Cr4.pae) !== 0 && !long && (changed & (Cr0.cd | Cr0.nw | Cr0.pg)) !== 0) {
    const refused = loadPdptes(registers, rules, registers.lo(Register.cr3));
    if (refused !== 0) return refused;
  }
  rules.due?.();
  registers.set(Register.cr0, lo | Cr0.et, 0);
  if (toggles) registers.set(Register.efer, long ? efer | Efer.lma : efer & ~Efer.lma, 0);
  return (toggles && !paging ? Load.flushAll : 0) | ((changed & (Cr0.pg | Cr0.wp)) !== 0 ? Load.modeChanged : 0);
}

/** Code runs in long mode, as far as its addresses say: a 64-bit code segment. */
export function longMode(registers: Registers): boolean {
  return (registers.lo(Register.efer) & Efer.lma) !== 0;
}

/** MOV to CR3. */
export function loadCr3(registers: Registers, rules: LoadRules, lo: number, hi: number): number {
  const pcide = (registers.lo(Register.cr4) & Cr4.pcide) !== 0;
  const noFlush = pcide && (hi & NO_FLUSH_HIGH) !== 0;
  const value = noFlush ? hi & ~NO_FLUSH_HIGH : hi;
  if (value >>> Math.max(rules.maxPhyAddr - 32, 0) !== 0) return Load.generalProtection;
  if (pagingModeOf(registers) === 'pae' && !rules.pdptesInMemory) {
    const refused = loadPdptes(registers, rules, lo);
    if (refused !== 0) return refused;
  }
  rules.due?.();
  registers.set(Register.cr3, lo, value);
  return noFlush ? Load.done : Load.flushNonGlobal;
}

/** MOV to CR4. */
export function loadCr4(registers: Registers, rules: LoadRules, lo: number, hi: number): number {
  const old = registers.lo(Register.cr4);
  const long = (registers.lo(Register.efer) & Efer.lma) !== 0;
  const paging = (registers.lo(Register.cr0) & Cr0.pg) !== 0;
  if (hi !== 0 || (lo & ~supportedCr4(rules.features)) !== 0) return Load.generalProtection;
  const changed = old ^ lo;
  const sets = changed & lo;
  if (long && ((changed & Cr4.la57) !== 0 || (lo & Cr4.pae) === 0)) return Load.generalProtection;
  if ((sets & Cr4.pcide) !== 0 && (!long || (registers.lo(Register.cr3) & 0xfff) !== 0)) return Load.generalProtection;

  if (paging && !long && (lo & Cr4.pae) !== 0 && (changed & (Cr4.pge | Cr4.pse | Cr4.pae | Cr4.smep)) !== 0) {
    const refused = loadPdptes(registers, rules, registers.lo(Register.cr3));
    if (refused !== 0) return refused;
  }
  rules.due?.();
  registers.set(Register.cr4, lo, 0);
  let effects = 0;
  if ((changed & Cr4.pge) !== 0 || (changed & ~lo & Cr4.pcide) !== 0) effects = Load.flushAll;
  else if ((changed & Cr4.pae) !== 0 || (sets & Cr4.smep) !== 0) effects = Load.flushPcid;
  const mode = Cr4.pse | Cr4.pae | Cr4.pge | Cr4.la57 | Cr4.pcide | Cr4.smep | Cr4.smap | Cr4.pke | Cr4.pks;
  return effects | ((changed & mode) !== 0 ? Load.modeChanged : 0);
}

/** WRMSR to IA32_EFER. LMA cannot be written. */
export function loadEfer(registers: Registers, rules: LoadRules, lo: number, hi: number): number {
  const old = registers.lo(Register.efer);
  if (hi !== 0 || (lo & ~supportedEfer(rules.features, rules.amd)) !== 0) return Load.generalProtection;
  const changed = old ^ lo;
  if ((changed & Efer.lme) !== 0 && (registers.lo(Register.cr0) & Cr0.pg) !== 0) return Load.generalProtection;
  rules.due?.();
  registers.set(Register.efer, (lo & ~Efer.lma) | (old & Efer.lma), 0);
  return (changed & Efer.nxe) !== 0 ? Load.modeChanged : Load.done;
}

/**
 * PDPTEs into their registers; all four or none. Reading them is a read without a linear address (§3.5). Where a processor reads
 * them at each walk instead, the hypervisor that carries MOV CR0 or CR4 out looks at them all the same (x86.c: kvm_set_cr0,
 * kvm_set_cr4, load_pdptrs).
 */
function loadPdptes(registers: Registers, rules: LoadRules, cr3: number): number {
  const { memory, stage } = rules;
  const format = pagingFormat({ ...plainOptions(rules), mode: 'pae', nxe: false, pse: true });
  const values = new Int32Array(8);
  for (let i = 0; i < 4; i++) {
    let lo = (cr3 & ~31) + i * 8;
    let hi = 0;
    if (stage !== null) {
      const status = stage.translate(lo, hi, ACCESS_READ | Access.table | Access.noLinear);
      if (status === Walk.absent) continue;
      if (status !== Walk.ok) return Load.below;
      lo = stage.hostLo;
      hi = stage.hostHi;
    }
    const at = memory.locate(lo, hi);
    const entry = memory.words[at];
    const entryHi = memory.words[at + 1];
    if ((entry & Pte.present) !== 0 && ((entry & format.reservedLo[3]) !== 0 || (entryHi & format.reservedHi[3]) !== 0))
      return Load.generalProtection;
    values[i * 2] = entry;
    values[i * 2 + 1] = entryHi;
  }
  if (rules.pdptesInMemory) return 0;
  rules.due?.();
  for (let i = 0; i < 4; i++) registers.set(Register.pdpte0 + i, values[i * 2], values[i * 2 + 1]);
  return 0;
}

/** EFER bits that may be 1 on this processor. */
export function supportedEfer(features: Features, amd: boolean): number {
  return Efer.sce | Efer.lme | Efer.lma | (features.nx ? Efer.nxe : 0) | (amd ? Efer.svme : 0);
}

/** CR4 bits that may be 1 on this processor. */
export function supportedCr4(features: Features): number {
  return (
    CR4_OTHER |
    Cr4.pse |
    Cr4.pae |
    Cr4.pge |
    (features.la57 ? Cr4.la57 : 0) |
    (features.pcid ? Cr4.pcide : 0) |
    (features.smep ? Cr4.smep : 0) |
    (features.smap ? Cr4.smap : 0) |
    (features.pku ? Cr4.pke : 0) |
    (features.pks ? Cr4.pks : 0)
  );
}

/** Registers as a vCPU has them at the start. */
export function resetRegisters(registers: Registers, config: VcpuConfig): void {
  registers.set(Register.cr0, cr0Of(config.paging, config.cr0), 0);
  registers.set(Register.cr4, cr4Of(config.paging, config.cr4), 0);
  registers.set(Register.efer, eferOf(config.paging, config.efer), 0);
  registers.set(Register.cr3, lowOf(config.cr3), highOf(config.cr3));
  registers.set(Register.rflags, 2 | (config.eflagsAc ? RFLAGS_AC : 0), 0);
  registers.set(Register.pkru, config.pkru | 0, 0);
  registers.set(Register.pkrs, config.pkrs | 0, 0);
}

function cr0Of(mode: PagingMode, { wp }: CR0): number {
  return Cr0.pe | Cr0.et | Cr0.ne | (wp ? Cr0.wp : 0) | (mode === 'none' ? 0 : Cr0.pg);
}

function cr4Of(mode: PagingMode, { pse, pge, pcide, smep, smap, pke, pks }: CR4): number {
  const pae = mode === 'pae' || mode === '4-level' || mode === '5-level';
  return (
    (pse ? Cr4.pse : 0) |
    (pae ? Cr4.pae : 0) |
    (pge ? Cr4.pge : 0) |
    (mode === '5-level' ? Cr4.la57 : 0) |
    (pcide ? Cr4.pcide : 0) |
    (smep ? Cr4.smep : 0) |
    (smap ? Cr4.smap : 0) |
    (pke ? Cr4.pke : 0) |
    (pks ? Cr4.pks : 0)
  );
}

function eferOf(mode: PagingMode, { nxe }: EFER): number {
  const long = mode === '4-level' || mode === '5-level';
  return (long ? Efer.lme | Efer.lma : 0) | (nxe ? Efer.nxe : 0);
}

/** Paging mode that the registers select (§2.1). */
export function pagingModeOf(registers: Registers): PagingMode {
  if ((registers.lo(Register.cr0) & Cr0.pg) === 0) return 'none';
  const cr4 = registers.lo(Register.cr4);
  if ((registers.lo(Register.efer) & Efer.lma) !== 0) return (cr4 & Cr4.la57) !== 0 ? '5-level' : '4-level';
  return (cr4 & Cr4.pae) !== 0 ? 'pae' : '32-bit';
}

/** {@link Policy} bits of the registers; none without paging. */
export function policyOf(registers: Registers): number {
  return policyBits(registers.lo(Register.cr0), registers.lo(Register.cr4), registers.lo(Register.efer));
}

export function policyBits(cr0: number, cr4: number, efer: number): number {
  if ((cr0 & Cr0.pg) === 0) return 0;
  return (
    ((cr0 & Cr0.wp) !== 0 ? Policy.writeProtect : 0) |
    ((cr4 & Cr4.smep) !== 0 ? Policy.smep : 0) |
    ((cr4 & Cr4.smap) !== 0 ? Policy.smap : 0) |
    ((cr4 & Cr4.pae) !== 0 && (efer & Efer.nxe) !== 0 ? Policy.nxe : 0)
  );
}

/** {@link Keys} in force. */
export function keysOf(registers: Registers): number {
  if ((registers.lo(Register.efer) & Efer.lma) === 0) return 0;
  const cr4 = registers.lo(Register.cr4);
  return ((cr4 & Cr4.pke) !== 0 ? Keys.user : 0) | ((cr4 & Cr4.pks) !== 0 ? Keys.supervisor : 0);
}

/** PCID that the registers select; 0 without CR4.PCIDE. */
export function pcidOf(registers: Registers): number {
  return (registers.lo(Register.cr4) & Cr4.pcide) !== 0 ? registers.lo(Register.cr3) & 0xfff : 0;
}

/** Formats of a guest's tables, as its registers select them; each is made once. */
export class GuestFormats {
  private readonly made = new Map<string, Format>();

  constructor(private readonly processor: Pick<LoadRules, 'features' | 'maxPhyAddr' | 'amd'>) {}

  /** null without paging. */
  of(registers: Registers): Format | null {
    const mode = pagingModeOf(registers);
    if (mode === 'none') return null;
    const nxe = (registers.lo(Register.efer) & Efer.nxe) !== 0;
    const pse = (registers.lo(Register.cr4) & Cr4.pse) !== 0;
    const name = `${mode} ${nxe} ${pse}`;
    let format = this.made.get(name);
    if (format === undefined) this.made.set(name, (format = pagingFormat({ ...plainOptions(this.processor), mode, nxe, pse })));
    return format;
  }
}

function plainOptions({ features, maxPhyAddr, amd }: Pick<LoadRules, 'features' | 'maxPhyAddr' | 'amd'>): {
  pse36: boolean;
  page1G: boolean;
  maxPhyAddr: number;
  amd: boolean;
} {
  return { pse36: features.pse36, page1G: features.page1G, maxPhyAddr, amd };
}
