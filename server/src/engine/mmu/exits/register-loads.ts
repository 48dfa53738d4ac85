/**
 * What a guest loads into its registers (§5.8, §6.1; x86.c: kvm_set_cr0, kvm_set_cr3, kvm_set_cr4, set_efer): natively where
 * nothing is intercepted, else by the hypervisor.
 */
import { highOf, lowOf } from '../../bits';
import { LocalFlush } from '../../journal/enumerations';
import { Actor } from '../../journal/events';
import type { RegisterName } from '../../program';
import { Cr0, Cr4, Efer, LOAD_REFUSED, Load, MSR_EFER, loadCr0, loadCr3, loadCr4, loadEfer } from '../../vcpu/control-registers';
import { Register, REGISTER_OF } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { emulatesIntercepted, movToCr } from '../emulation/intercepted';
import { handleSecondStage } from './handle-exit';
import { DONE, GP, LENGTHS, type Completion } from '../vcpu/instruction';
import { flushTlb } from '../vcpu/flush-tlb';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { INJECTED_GP, NO_INFO, type ExitInfo } from '../trace';
import { initMmu, newPgd, resetMmu, updateWalker } from '../vcpu/vcpu-mmu';

/** Bits of CR4 that a VMX guest owns under EPT: VME..OSXMMEXCPT without PSE, PAE; FSGSBASE. */
const CR4_GUEST_OWNED = (1 << 1) | (1 << 2) | (1 << 3) | Cr4.pge | (1 << 8) | (1 << 9) | (1 << 10) | (1 << 16);
const CR0_TS = 1 << 3;
const CR0_MP = 1 << 1;
/** Retries of a MOV CR whose PDPTEs are not mapped yet. */
const MOST_TRIES = 16;

type Loadable = 'cr0' | 'cr3' | 'cr4' | 'efer';
const LOADS = { cr0: loadCr0, cr3: loadCr3, cr4: loadCr4, efer: loadEfer } as const;
/** MOV to a control register, WRMSR of EFER or PKRS, WRPKRU, POPF. */
export function loadRegister(vcpu: KvmVcpu, name: RegisterName, value: bigint): Completion {
  const failed = vcpu.enter();
  if (failed !== null) return failed;
  const lo = lowOf(value);
  const hi = highOf(value);
  if (name !== 'cr0' && name !== 'cr3' && name !== 'cr4' && name !== 'efer') {
    vcpu.kvm.trace.journal.actor = vcpu.guest;
    vcpu.kvm.trace.emit('register_load', { register: REGISTER_OF[name], value: { lo, hi } });
    vcpu.registers.set(REGISTER_OF[name], lo, hi);
    updateWalker(vcpu);
    vcpu.mode.loadHardware();
    return DONE;
  }
  const exit = interception(vcpu, name, lo, hi);
  if (exit === null) return loadNatively(vcpu, name, lo, hi);
  vcpu.exited(exit.reason, exit.info);
  if (vcpu.mode.script !== null) return vcpu.mode.script.exit();
  const { trace } = vcpu.kvm;
  if (name === 'efer') trace.emit('kvm_msr', { msr: MSR_EFER, value: { lo, hi }, write: true });
  else if (!emulatesIntercepted(vcpu, movToCr(Number(name[2]))))
    trace.emit('kvm_cr', { cr: Number(name[2]), value: { lo, hi }, write: true });
  return emulateLoad(vcpu, name, lo, hi);
}

/** The exit that the load causes; null: none. */
function interception(vcpu: KvmVcpu, name: Loadable, lo: number, hi: number): { reason: number; info: ExitInfo } | null {
  const { registers, kvm, parts } = vcpu;
  const old = registers.lo(REGISTER_OF[name]);
  const changed = old ^ lo;
  const cr3Exits = vcpu.mode.script?.intercepts('mov to cr3') ?? !kvm.tdp;
  if (parts.vendor === 'intel') {
    if (name === 'efer') return { reason: VmxExit.MSR_WRITE, info: NO_INFO };
    const owned =
      name === 'cr3' ? (cr3Exits ? 0 : -1) : name === 'cr0' ? CR0_TS | (kvm.tdp ? Cr0.wp : 0) : CR4_GUEST_OWNED & (kvm.tdp ? -1 : ~Cr4.pge);
    const free = name === 'cr3' ? !cr3Exits : (changed & ~owned) === 0 && hi === registers.hi(REGISTER_OF[name]);
    return free ? null : { reason: VmxExit.CR_ACCESS, info: { ...NO_INFO, info1Lo: Number(name[2]) } };
  }
  switch (name) {
    case 'efer':
      return { reason: SvmExit.MSR, info: { ...NO_INFO, info1Lo: 1 } };
    case 'cr3':
      return cr3Exits ? { reason: SvmExit.WRITE_CR3, info: NO_INFO } : null;
    case 'cr4':
      return { reason: SvmExit.WRITE_CR4, info: NO_INFO };
    case 'cr0': {
      // Hardware has the guest's own CR0 as long as WP and PG are what a soft MMU forces them to.
      const same = kvm.tdp || (old & Cr0.wp && old & Cr0.pg);
      if (!same) return { reason: SvmExit.WRITE_CR0, info: NO_INFO };
      return (changed & ~(CR0_TS | CR0_MP)) === 0 ? null : { reason: SvmExit.CR0_SEL_WRITE, info: NO_INFO };
    }
  }
}

function loadNatively(vcpu: KvmVcpu, name: Loadable, lo: number, hi: number): Completion {
  const { registers, parts, processor, kvm } = vcpu;
  const { journal } = kvm.trace;
  let said = false;
  const due = (): void => {
    if (said) return;
    said = true;
    journal.actor = vcpu.guest;
    kvm.trace.emit('register_load', { register: REGISTER_OF[name], value: { lo, hi } });
  };
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    journal.actor = Actor.processor;
    const effects = LOADS[name](registers, { ...parts.native.rules, stage: kvm.tdp ? processor.second : parts.rules.stage, due }, lo, hi);
    if ((effects & Load.below) !== 0) {
      const stopped = handleSecondStage(vcpu);
      if (stopped !== null) return stopped;
      continue;
    }
    if ((effects & LOAD_REFUSED) !== 0) return GP;
    initMmu(vcpu);
    vcpu.mode.loadHardware();
    journal.actor = Actor.processor;
    if (vcpu.tlbOn) processor.invalidations.apply(effects);
    return DONE;
  }
  return { kind: 'error', errno: 'ELOOP', why: 'the PDPTEs cannot be read' };
}

/** The hypervisor loads the register for the guest, and does what the new value asks of its tables. */
function emulateLoad(vcpu: KvmVcpu, name: Loadable, lo: number, hi: number): Completion {
  const { registers, parts } = vcpu;
  const { journal } = vcpu.kvm.trace;
  const event = journal.current;
  const old = registers.lo(REGISTER_OF[name]);
  const oldCr3 = registers.value(Register.cr3);
  const oldPdptes = registers.pdptes(Register.pdpte0).slice();
  const effects = LOADS[name](registers, { ...parts.rules, due: () => journal.goesOn(event) }, lo, hi);
  if ((effects & LOAD_REFUSED) !== 0) {
    vcpu.kvm.trace.emit('kvm_inj_exception', INJECTED_GP);
    return vcpu.enter() ?? GP;
  }
  const pdptesChanged = registers.pdptes(Register.pdpte0).some((half, i) => half !== oldPdptes[i]);
  if (pdptesChanged && !vcpu.kvm.tdp) vcpu.mmu.roots.freeCurrent();
  const changed = old ^ registers.lo(REGISTER_OF[name]);
  if (name === 'cr0') afterCr0(vcpu, changed);
  else if (name === 'cr4') afterCr4(vcpu, old, changed);
  else if (name === 'efer') afterEfer(vcpu, changed);
  else afterCr3(vcpu, oldCr3, lo, hi);
  vcpu.rip += name === 'efer' ? LENGTHS.wrmsr : LENGTHS.movCr;
  return vcpu.enter() ?? DONE;
}

/** kvm_post_set_cr0; with TDP no table depends on WP. */
function afterCr0(vcpu: KvmVcpu, changed: number): void {
  if ((changed & Cr0.pg) !== 0 && (vcpu.registers.lo(Register.cr0) & Cr0.pg) === 0) vcpu.request('flushGuest');
  const paging = (vcpu.registers.lo(Register.cr0) & Cr0.pg) !== 0;
  if (changed === Cr0.wp && !paging && vcpu.kvm.rules.wpNeedsPaging) return;
  if (vcpu.kvm.tdp && changed === Cr0.wp) initMmu(vcpu);
  else if ((changed & (Cr0.pg | Cr0.wp)) !== 0) resetMmu(vcpu);
}

/** kvm_set_cr3, kvm_invalidate_pcid */
function afterCr3(vcpu: KvmVcpu, oldCr3: bigint, lo: number, hi: number): void {
  const { registers, mmu } = vcpu;
  const pcide = (registers.lo(Register.cr4) & Cr4.pcide) !== 0;
  if (registers.value(Register.cr3) !== oldCr3) newPgd(vcpu);
  else updateWalker(vcpu);
  if (pcide && hi < 0) return;
  vcpu.request('sync');
  vcpu.request('flushCurrent');
  if (pcide) mmu.roots.freePrevious((root) => (root.pgdLo & 0xfff) === (lo & 0xfff));
}

/** svm_set_cr4, kvm_post_set_cr4 */
function afterCr4(vcpu: KvmVcpu, old: number, changed: number): void {
  const now = vcpu.registers.lo(Register.cr4);
  const set = now & ~old;
  if (vcpu.parts.vendor === 'amd' && vcpu.kvm.tdp && (changed & Cr4.pge) !== 0) flushTlb(vcpu, LocalFlush.current);
  if ((changed & (Cr4.pse | Cr4.pae | Cr4.la57 | Cr4.smep | Cr4.smap | Cr4.pke)) !== 0) resetMmu(vcpu);
  else initMmu(vcpu);
  if (!vcpu.kvm.tdp && (set & Cr4.pcide) !== 0) vcpu.rootMmu.roots.freeAll();
  if ((changed & Cr4.pge) !== 0 || (changed & old & Cr4.pcide) !== 0) vcpu.request('flushGuest');
  else if ((changed & Cr4.pae) !== 0 || (set & Cr4.smep) !== 0) vcpu.request('flushCurrent');
}

function afterEfer(vcpu: KvmVcpu, changed: number): void {
  if ((changed & (Efer.nxe | Efer.lme)) !== 0) resetMmu(vcpu);
  else initMmu(vcpu);
}
