/** From a machine's configuration to the parts of its hypervisors: formats, options, processors. */
import type { Journal } from '../../journal/journal';
import { Actor } from '../../journal/events';
import { hostFrames, IDENTITY_FRAMES, PhysicalFrames, type HostFrames } from '../../memory/frames';
import { PhysicalMemory } from '../../memory/physical-memory';
import type { HostConfig, TableRef, VcpuConfig, VmConfig } from '../../program';
import { cpuidOf, offeredFeatures } from '../../vcpu/guest-cpuid';
import { GuestFormats, loadCr3, resetRegisters, type LoadRules } from '../../vcpu/control-registers';
import { Processor } from '../../vcpu/processor';
import { Register, Registers } from '../../vcpu/registers';
import type { Tlb } from '../../vcpu/tlb';
import { eptFormat, nptFormat, pagingFormat, type Format } from '../../x86/formats';
import type { Cpu } from '../vcpu/cpu';
import { Hypervisor } from './hypervisor';
import { MachineMemory } from '../../memory/hypervisor-memory';
import { Kvm } from '../pages/kvm';
import { Activity } from '../vcpu/activity';
import { KvmVcpu } from '../vcpu/kvm-vcpu';
import type { HardwareFormats, VcpuParts } from '../vcpu/vcpu-parts';
import type { VcpuMode } from '../vcpu/vcpu-mode';
import { MemslotStage } from '../contexts/memslot-stage';
import type { L1 } from '../nested/l1';
import { L2ByKvm } from '../nested/l2-by-kvm';
import { GuestControl } from '../nested/guest-control';
import { NestedCpu } from '../nested/nested-cpu';
import { Nesting } from '../nested/nested-state';
import { L2ByScript } from '../nested/l2-by-script';
import { ensurePmlBuffer } from '../logging/pml';
import { SpteFormat, spteOptions } from '../pages/spte';
import { TdpMmu } from '../hard/tdp-mmu';
import { Trace } from '../trace';

const GUEST_ADDRESS_BITS = 52;

/** What all VMs of a machine share. */
export class Host {
  readonly physical: PhysicalMemory;
  readonly frames: HostFrames;
  readonly trace: Trace;
  private readonly contents: PhysicalFrames;
  private readonly processors = new Map<KvmVcpu, Processor>();
  /** Of vCPUs whose guests run guests. */
  private readonly nestings = new Map<KvmVcpu, Nesting>();
  private nextVcpu = 0;
  readonly activity = new Activity();
  private mmioReads = 0n;

  constructor(
    readonly config: HostConfig,
    journal: Journal,
    budget: number,
  ) {
    this.physical = new PhysicalMemory(journal, budget);
    this.frames = hostFrames(config.memory);
    this.trace = new Trace(journal);
    this.contents = new PhysicalFrames(this.physical);
  }

  /**
   * A VM without slots yet.
   *
   * @param l1 the guest in which its KVM runs; null: KVM of this host
   */
  hypervisor(vm: number, config: VmConfig, l1: L1 | null = null): Hypervisor {
    const { features, maxPhyAddr, kvm: options } = this.config;
    const tdp = config.mmu !== 'soft';
    const ept = config.mmu === 'ept';
    const format = new SpteFormat(spteOptions(this.config, ept, this.pml(ept, l1)));
    const zeroPages = l1 === null ? this.frames.zeroPages : { small: l1.zeroPage(), huge: () => -1 };
    const kvm = new Kvm({
      vm,
      memoryOf: l1 === null ? 0 : vm,
      trace: this.trace,
      tables: l1?.memory ?? new MachineMemory(this.physical),
      frames: l1?.frames ?? this.frames.tables,
      zeroPage: zeroPages.small,
      format,
      options,
      tdp,
      tdpLevels: this.tdpLevels(ept),
      maxHugeLevel: (ept ? features.ept1G : features.page1G) ? 3 : 2,
    });
    l1?.kvm.inside.push(kvm);
    if (tdp && options.tdpMmu) kvm.tdpMmu = new TdpMmu(kvm);
    const maxGfn = 2 ** ((tdp ? maxPhyAddr : GUEST_ADDRESS_BITS) - 12) - 1;
    return new Hypervisor({
      kvm,
      actor: l1 === null ? Actor.L0 : Actor.L1,
      frames: l1 === null ? this.frames.guests : IDENTITY_FRAMES,
      contents: l1?.memory ?? this.contents,
      zeroPages,
      maxGfn,
      pml: this.pml(ept, l1),
    });
  }

  /** A vCPU of a VM, on a processor of its own. */
  vcpu(hypervisor: Hypervisor, vm: VmConfig, index: number, config: VcpuConfig): KvmVcpu {
    this.trace.journal.actor = Actor.L0;
    this.trace.emit('kvm_vcpu_reset', { vcpu: index });
    const processor = new Processor(this.physical, this.config.vendor === 'amd', this.config.tlb, this.nextVcpu);
    const vpid = this.config.vendor === 'amd' || this.config.features.vpid ? this.nextVcpu + 1 : 0;
    const hardware = this.hardware(vm, this.config.maxPhyAddr);
    const vcpu = this.vcpuOn(processor, hypervisor, vm, index, config, Actor.L0, vpid, hardware);
    this.processors.set(vcpu, processor);
    return vcpu;
  }

  /** A vCPU of a VM in an L1 VM, on one of the vCPUs of that. */
  nestedVcpu(l1: L1, hypervisor: Hypervisor, vm: VmConfig, index: number, config: VcpuConfig, byScript: boolean): KvmVcpu {
    const acts = l1.vcpus[index % l1.vcpus.length];
    this.trace.journal.actor = Actor.L1;
    this.trace.emit('kvm_vcpu_reset', { vcpu: index });
    const { kvm: options, vendor, features } = this.config;
    const exits = vendor === 'intel' && !features.vmcsShadowing && !byScript;
    // What a script's hypervisor reads and writes is the script's to say.
    const accesses = { reads: exits ? options.vmreads : 0, writes: exits ? options.vmwrites : 0 };
    const vpid = vendor === 'amd' || features.vpid ? vpidOf(vm, index) : 0;
    const control = new GuestControl(vm.control?.address ?? l1.control(), vpid);
    const cpu = new NestedCpu(l1, acts, this.nestingFor(acts.vcpu), control, accesses);
    const mode = (vcpu: KvmVcpu): VcpuMode =>
      byScript
        ? new L2ByScript(vcpu, cpu, { root: vm.control?.root ?? 0, vpid, shadowing: features.vmcsShadowing })
        : new L2ByKvm(vcpu, cpu);
    // L1's tables are walked by KVM, which goes by what it shows to L1 (mmu.c: reset_rsvds_bits_mask_ept).
    const hardware = this.hardware(vm, acts.vcpu.parts.rules.maxPhyAddr);
    return (control.guest = this.vcpuOn(cpu, hypervisor, vm, index, config, Actor.L1, vpid, hardware, mode));
  }

  get tlbs(): readonly Tlb[] {
    return [...this.processors.values()].map(({ tlb }) => tlb);
  }

  /** What the host keeps for the guests of a vCPU's guest; null: it runs none. */
  nestingOf(vcpu: KvmVcpu): Nesting | null {
    return this.nestings.get(vcpu) ?? null;
  }

  private nestingFor(vcpu: KvmVcpu): Nesting {
    let nesting = this.nestings.get(vcpu);
    if (nesting !== undefined) return nesting;
    nesting = new Nesting(vcpu, this.processors.get(vcpu)!.invalidations);
    this.nestings.set(vcpu, nesting);
    vcpu.guests = nesting;
    return nesting;
  }

  private vcpuOn(
    processor: Cpu,
    hypervisor: Hypervisor,
    vm: VmConfig,
    index: number,
    config: VcpuConfig,
    actor: Actor,
    vpid: number,
    hardware: HardwareFormats,
    mode?: (vcpu: KvmVcpu) => VcpuMode,
  ): KvmVcpu {
    const { kvm } = hypervisor;
    const number = this.nextVcpu++;
    const { vendor, tlb } = this.config;
    const amd = vendor === 'amd';
    const offered = { amd, ...cpuidOf(this.config, vm, kvm.tdp) };
    const had = { amd, maxPhyAddr: this.config.maxPhyAddr, features: offeredFeatures(this.config.features, kvm.tdp) };
    const { journal } = this.trace;
    const event = journal.current;
    const registers = new Registers(journal, number);
    const stage = new MemslotStage(kvm);
    const reading = { memory: this.physical, stage, pdptesInMemory: amd && kvm.tdp };
    const rules: LoadRules = { ...offered, ...reading };
    resetRegisters(registers, { ...config, cr4: { ...config.cr4, pke: config.cr4.pke && kvm.tdp, pks: false } });
    // KVM_SET_SREGS reads the PDPTEs of a PAE guest; malformed ones leave the registers empty.
    const loading = { ...rules, due: () => journal.goesOn(event) };
    if (config.paging === 'pae') loadCr3(registers, loading, registers.lo(Register.cr3), registers.hi(Register.cr3));
    const parts: VcpuParts = {
      kvm,
      number,
      index,
      actor,
      registers,
      processor,
      physical: this.physical,
      rules,
      formats: new GuestFormats(offered),
      native: { rules: { ...had, ...reading }, formats: new GuestFormats(had) },
      vendor,
      hardware,
      vpid,
      rmwLoadsFirst: this.config.rmwLoadsFirst === true,
      decodeAssists: !amd || this.config.features.decodeAssists,
      // Whether a processor in a guest caches translations is not for its hypervisor to know.
      tlbOn: tlb.on || actor !== Actor.L0,
      formatNamed: (name) => this.formatNamed(name),
      activity: this.activity,
      mmioRead: () => 0x4d4d_494f_0000_0000n + ++this.mmioReads,
    };
    const vcpu = new KvmVcpu(parts, mode);
    hypervisor.vcpus.push(vcpu);
    // Slots that log from the start are there before the vCPUs.
    if (kvm.pmlActive) ensurePmlBuffer(kvm, vcpu.parts);
    return vcpu;
  }

  /** Tables of a paging mode or of a second stage, as this processor has them. */
  formatNamed(name: TableRef['format']): Format | null {
    const { features, maxPhyAddr, vendor } = this.config;
    if (name === 'none') return null;
    if (name === 'ept' || name === 'npt') return this.second(name);
    const { nx, pse36, page1G } = features;
    return pagingFormat({ mode: name, nxe: nx, pse: true, pse36, page1G, maxPhyAddr, amd: vendor === 'amd' });
  }

  /** A processor's; to guests KVM offers it wherever EPT has accessed and dirty flags, and writes the log itself (nested_vmx_setup_ctls_msrs). */
  private pml(ept: boolean, l1: L1 | null): boolean {
    const { features, kvm } = this.config;
    return ept && (features.pml || l1 !== null) && kvm.pml && features.eptAd && kvm.eptAd;
  }

  /** Nested tables have the host's own levels; EPT a fifth when addresses need it (kvm_mmu_get_tdp_level). */
  private tdpLevels(ept: boolean): 4 | 5 {
    const { features, maxPhyAddr } = this.config;
    return (ept ? features.ept5Level && maxPhyAddr > 48 : features.la57) ? 5 : 4;
  }

  private hardware({ mmu }: VmConfig, maxPhyAddr: number): HardwareFormats {
    const { features, vendor } = this.config;
    const paging = (mode: 'pae' | '4-level' | '5-level'): Format =>
      pagingFormat({
        mode,
        nxe: features.nx,
        pse: true,
        pse36: features.pse36,
        page1G: features.page1G,
        maxPhyAddr,
        amd: vendor === 'amd',
      });
    return {
      pae: paging('pae'),
      four: paging('4-level'),
      five: paging('5-level'),
      second: this.second(mmu, true, maxPhyAddr),
      secondWithoutAd: this.second(mmu, false, maxPhyAddr),
    };
  }

  /** Format of the tables beneath a VM. */
  second(mmu: VmConfig['mmu'], flags = true, maxPhyAddr = this.config.maxPhyAddr): Format | null {
    const { features, kvm } = this.config;
    if (mmu === 'soft') return null;
    const levels = this.tdpLevels(mmu === 'ept');
    if (mmu === 'npt') {
      return nptFormat({ mode: levels === 5 ? '5-level' : '4-level', nxe: features.nx, page1G: features.page1G, maxPhyAddr });
    }
    const accessedDirty = flags && features.eptAd && kvm.eptAd;
    return eptFormat({ levels, accessedDirty, executeOnly: features.eptExecuteOnly, page1G: features.ept1G, maxPhyAddr });
  }
}

/** Each vCPU of a VM has one of its own; none when L1 gives none. */
function vpidOf({ control }: VmConfig, index: number): number {
  const vpid = control?.vpid ?? 1;
  return vpid === 0 ? 0 : vpid + index;
}
