/** From a machine's configuration to the parts of its hypervisors: formats, options, processors. */
import type { Journal } from '../journal/journal';
import type { Actor } from '../journal/events';
import { hostFrames, PhysicalFrames, type HostFrames } from '../memory/frames';
import { PhysicalMemory } from '../memory/physical-memory';
import type { HostConfig, TableRef, VcpuConfig, VmConfig } from '../program';
import { GuestFormats, loadCr3, resetRegisters, type LoadRules } from '../vcpu/control-registers';
import { Processor } from '../vcpu/processor';
import { Register, Registers } from '../vcpu/registers';
import { eptFormat, nptFormat, pagingFormat, type Format } from '../x86/formats';
import { Hypervisor } from './hypervisor';
import { Kvm } from './kvm';
import { KvmVcpu, type HardwareFormats } from './kvm-vcpu';
import { MemslotStage } from './memslot-stage';
import { ensurePmlBuffer } from './pml';
import { SpteFormat } from './spte';
import { TdpMmu } from './hard/tdp-mmu';
import { Trace } from './trace';

const GUEST_ADDRESS_BITS = 52;

/** What all VMs of a machine share. */
export class Host {
  readonly physical: PhysicalMemory;
  readonly frames: HostFrames;
  readonly trace: Trace;
  private readonly contents: PhysicalFrames;
  private nextVcpu = 0;
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

  /** A VM under KVM of this host, without slots yet. */
  hypervisor(vm: number, config: VmConfig): Hypervisor {
    const { features, maxPhyAddr, kvm: options } = this.config;
    const tdp = config.mmu !== 'soft';
    const ept = config.mmu === 'ept';
    const accessedDirty = features.eptAd && options.eptAd;
    const format = new SpteFormat({
      ept,
      accessedDirty,
      executeOnly: features.eptExecuteOnly,
      nx: features.nx,
      maxPhyAddr,
      suppressVe: options.kernel === 'mainline',
      pml: this.pml(ept),
    });
    const kvm = new Kvm({
      vm,
      trace: this.trace,
      tables: this.physical,
      frames: this.frames.tables,
      format,
      options,
      tdp,
      tdpLevels: this.tdpLevels(ept),
      maxHugeLevel: (ept ? features.ept1G : features.page1G) ? 3 : 2,
    });
    if (tdp && options.tdpMmu) kvm.tdpMmu = new TdpMmu(kvm);
    const maxGfn = 2 ** ((tdp ? maxPhyAddr : GUEST_ADDRESS_BITS) - 12) - 1;
    return new Hypervisor({
      kvm,
      frames: this.frames.guests,
      contents: this.contents,
      zeroFrame: this.frames.zeroPage,
      maxGfn,
      pml: this.pml(ept),
    });
  }

  /** A vCPU of a VM, on a processor of its own. */
  vcpu(hypervisor: Hypervisor, vm: VmConfig, index: number, config: VcpuConfig, actor: Actor): KvmVcpu {
    const { kvm } = hypervisor;
    const number = this.nextVcpu++;
    const { vendor, tlb, maxPhyAddr } = this.config;
    const amd = vendor === 'amd';
    const features = guestFeatures(this.config, kvm.tdp);
    const processor = new Processor(this.physical, amd, tlb, number);
    const registers = new Registers(this.trace.journal, number);
    const stage = new MemslotStage(() => kvm.guest);
    const rules: LoadRules = { features, maxPhyAddr, amd, memory: this.physical, stage, pdptesInMemory: amd && kvm.tdp };
    resetRegisters(registers, kvm.tdp ? config : { ...config, cr4: { ...config.cr4, pke: false, pks: false } });
    // KVM_SET_SREGS reads the PDPTEs of a PAE guest; malformed ones leave the registers empty.
    if (config.paging === 'pae') loadCr3(registers, rules, registers.lo(Register.cr3), registers.hi(Register.cr3));
    const vcpu = new KvmVcpu({
      kvm,
      number,
      index,
      actor,
      registers,
      processor,
      physical: this.physical,
      rules,
      formats: new GuestFormats({ features, maxPhyAddr, amd }),
      vendor,
      hardware: this.hardware(vm),
      vpid: amd || this.config.features.vpid ? number + 1 : 0,
      tlbOn: tlb.on,
      formatNamed: (name) => this.formatNamed(name),
      mmioRead: () => 0x4d4d_494f_0000_0000n + ++this.mmioReads,
    });
    hypervisor.vcpus.push(vcpu);
    // Slots that log from the start are there before the vCPUs.
    if (kvm.pmlActive) ensurePmlBuffer(kvm, vcpu);
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

  private pml(ept: boolean): boolean {
    const { features, kvm } = this.config;
    return ept && features.pml && kvm.pml && features.eptAd && kvm.eptAd;
  }

  /** Nested tables have the host's own levels; EPT a fifth when addresses need it (kvm_mmu_get_tdp_level). */
  private tdpLevels(ept: boolean): 4 | 5 {
    const { features, maxPhyAddr } = this.config;
    return (ept ? features.ept5Level && maxPhyAddr > 48 : features.la57) ? 5 : 4;
  }

  private hardware({ mmu }: VmConfig): HardwareFormats {
    const { features, maxPhyAddr, vendor } = this.config;
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
    return { pae: paging('pae'), four: paging('4-level'), five: paging('5-level'), second: this.second(mmu) };
  }

  /** Format of the tables beneath a VM. */
  second(mmu: VmConfig['mmu']): Format | null {
    const { features, maxPhyAddr, kvm } = this.config;
    if (mmu === 'soft') return null;
    const levels = this.tdpLevels(mmu === 'ept');
    if (mmu === 'npt') {
      return nptFormat({ mode: levels === 5 ? '5-level' : '4-level', nxe: features.nx, page1G: features.page1G, maxPhyAddr });
    }
    const accessedDirty = features.eptAd && kvm.eptAd;
    return eptFormat({ levels, accessedDirty, executeOnly: features.eptExecuteOnly, page1G: features.ept1G, maxPhyAddr });
  }
}

/** Protection keys are offered with TDP only (cpuid.c: kvm_set_cpu_caps). */
function guestFeatures(config: HostConfig, tdp: boolean): HostConfig['features'] {
  return tdp ? config.features : { ...config.features, pku: false, pks: false };
}
