/** One run under one kind of MMU virtualization, with one kernel: its VMs, and what is known of them as the script goes on. */
import { lowOf, highOf, toBigInt } from '../../engine/bits';
import { Journal } from '../../engine/journal/journal';
import { PhysicalMemory } from '../../engine/memory/physical-memory';
import type { Cpuid, HostConfig, Kernel, MmuKind, PagingMode, RegisterName } from '../../engine/program';
import { LOAD_REFUSED, loadCr0, loadCr3, loadCr4, loadEfer, pagingModeOf, resetRegisters } from '../../engine/vcpu/control-registers';
import type { LoadRules } from '../../engine/vcpu/control-registers';
import { cpuidOf } from '../../engine/vcpu/guest-cpuid';
import { REGISTER_OF, Registers } from '../../engine/vcpu/registers';
import type { Under } from '../syntax/tree';
import type { HostFacts, HostPlan } from '../machine/host';
import { regionOf, SlotTracker } from './slots';
import type { TablesPlan, VmPlan } from './vm-plan';
import type { Named } from '../semantics/scopes';

/** A VM in the run's machine. */
export interface RunVm {
  readonly index: number;
  readonly plan: VmPlan;
  readonly mmu: MmuKind;
  readonly slots: SlotTracker;
  readonly registers: readonly RegisterTracker[];
}

export class RunState {
  readonly vms: readonly RunVm[];
  /** The run's VM, and the ones around it, outwards. */
  readonly chain: readonly RunVm[];
  readonly host: HostFacts;
  /** VMs inside VMs whose control structure names tables to run by. */
  readonly rooted = new Set<RunVm>();
  /** Guests that scripts entered last, by the VM around them. */
  private readonly entered = new Map<VmPlan, RunVm>();

  /**
   * @param plans of the machine, parents first
   * @param kernel null: that of the host
   */
  constructor(host: HostPlan, plans: readonly VmPlan[], kinds: ReadonlyMap<VmPlan, MmuKind>, runVm: VmPlan, kernel: Kernel | null) {
    const { config } = host;
    const kvm = kernel === null ? config.kvm : { ...config.kvm, kernel };
    this.host = { ...config, kvm, vendor: vendorOf(host, plans, [...kinds.values()]) };
    this.vms = plans.map((plan, index) => {
      const mmu = kinds.get(plan) ?? plan.mmu;
      const registers = plan.vcpus.map(
        ({ config }) =>
          new RegisterTracker(
            config,
            this.host.vendor === 'amd',
            cpuidOf(this.host, plan, mmu !== 'soft'),
            mmu === 'soft' ? plan.cpuid : this.host,
          ),
      );
      return { index, plan, mmu, slots: new SlotTracker(mmu, this.host.maxPhyAddr), registers };
    });
    for (const { plan, slots } of this.vms) for (const { config } of plan.slots) slots.set(regionOf(config));
    for (const vm of this.vms) if (vm.plan.control?.config.root !== undefined) this.rooted.add(vm);
    const chain: RunVm[] = [];
    for (let plan: VmPlan | null = runVm; plan; plan = plan.parent) chain.push(this.vmOf(plan)!);
    this.chain = chain;
  }

  get outermost(): RunVm {
    return this.chain[this.chain.length - 1];
  }

  enter(guest: RunVm): void {
    if (guest.plan.parent) this.entered.set(guest.plan.parent, guest);
  }

  /** Whose control structure a hypervisor works on: of the guest that it entered last, or else of its first. */
  currentGuest({ plan }: RunVm): RunVm | null {
    return this.entered.get(plan) ?? this.vms.find((vm) => vm.plan.parent === plan) ?? null;
  }

  vmOf(plan: VmPlan): RunVm | null {
    return this.vms.find((vm) => vm.plan === plan) ?? null;
  }

  vmNamed(named: Named): RunVm | null {
    return this.vms.find((vm) => vm.plan.named === named) ?? null;
  }

  /** Tables with the VM in whose memory they lie. */
  tablesOf(named: Named): { readonly vm: RunVm; readonly tables: TablesPlan } | null {
    for (const vm of this.vms) {
      const tables = vm.plan.tables.get(named);
      if (tables) return { vm, tables };
    }
    return null;
  }

  /** Whether the run's kinds of MMU and its kernel are among these; null: they always are. */
  isUnder(under: Under | null): boolean {
    if (!under) return true;
    const { kinds, kernels } = under;
    if (kernels.length > 0 && !kernels.some(({ text }) => text === this.host.kvm.kernel)) return false;
    if (kinds.length === 0) return kernels.length > 0;
    return kinds.some(({ levels }) => levels.length > 0 && levels.every(({ text }, level) => this.chain[level]?.mmu === text));
  }
}

function vendorOf(host: HostPlan, plans: readonly VmPlan[], kinds: readonly MmuKind[]): HostConfig['vendor'] {
  if (kinds.includes('npt')) return 'amd';
  if (kinds.includes('ept')) return 'intel';
  const formats = new Set(plans.flatMap((plan) => [...plan.tables.values()].map(({ shape }) => shape.name)));
  if (formats.has('npt') !== formats.has('ept')) return formats.has('npt') ? 'amd' : 'intel';
  return host.vendor;
}

const silent = new Journal(1, 1);
silent.on = false;
const NOWHERE = new PhysicalMemory(silent, 0);

/** The registers of a vCPU as the script goes on, by the rules of the engine. */
export class RegisterTracker {
  /** False once a handler, which may run or not, has loaded one. */
  known = true;
  private readonly registers = new Registers(silent, 0);
  readonly rules: LoadRules;

  /**
   * @param cpuid what loads that exit go by
   * @param cr3 what those of CR3 do, which exit under soft MMU alone
   */
  constructor(config: Parameters<typeof resetRegisters>[1], amd: boolean, { features }: Cpuid, { maxPhyAddr }: Cpuid) {
    resetRegisters(this.registers, config);
    this.rules = { features, maxPhyAddr, amd, memory: NOWHERE, stage: null, pdptesInMemory: true };
  }

  get paging(): PagingMode {
    return pagingModeOf(this.registers);
  }

  value(name: RegisterName): bigint {
    return this.registers.value(REGISTER_OF[name]);
  }

  /** What the register holds after these bits are written. */
  merged(name: RegisterName, value: bigint, mask: bigint): bigint {
    return (this.value(name) & ~mask) | (value & mask);
  }

  /** @returns false when the processor refuses with #GP(0), which changes nothing */
  load(name: RegisterName, value: bigint): boolean {
    const lo = lowOf(value);
    const hi = highOf(value);
    const { registers, rules } = this;
    switch (name) {
      case 'cr0':
        return (loadCr0(registers, rules, lo, hi) & LOAD_REFUSED) === 0;
      case 'cr3':
        return (loadCr3(registers, rules, lo, hi) & LOAD_REFUSED) === 0;
      case 'cr4':
        return (loadCr4(registers, rules, lo, hi) & LOAD_REFUSED) === 0;
      case 'efer':
        return (loadEfer(registers, rules, lo, hi) & LOAD_REFUSED) === 0;
      case 'pkru':
      case 'pkrs':
        if (hi !== 0) return false;
        break;
      case 'eflags':
        break;
    }
    registers.setValue(REGISTER_OF[name], toBigInt(lo, hi));
    return true;
  }
}
