/** A recorded guest's machine for the engine ("How they were made" of test/kvm-traces/README.md). */
import type {
  Features,
  Kernel,
  KvmOptions,
  MachineConfig,
  MemoryImage,
  SlotConfig,
  VcpuConfig,
  VmConfig,
} from '../../server/src/engine/program';
import { hasPml, hasTdpMmu, isIntel, isSoft } from './mode';
import type { Mode } from './mode';
import { GUEST } from './scenario';
import type { Scenario } from './scenario';
import type { VmmMemory } from './vmm-memory';

const FEATURES: Features = {
  la57: false,
  nx: true,
  smep: true,
  smap: true,
  pcid: false,
  pku: false,
  pks: false,
  page1G: true,
  pse36: true,
  eptAd: true,
  eptExecuteOnly: true,
  ept1G: true,
  ept5Level: false,
  pml: false,
  vmcsShadowing: false,
  decodeAssists: false,
  vpid: true,
};

const KVM: Omit<KvmOptions, 'kernel' | 'slotZapAll'> = {
  prefetch: true,
  unsync: true,
  largePages: true,
  fastPageFault: true,
  cachedRoots: 3,
  flooding: 3,
  tdpMmu: true,
  pml: false,
  eptAd: true,
  nrMmuPages: 0,
  dirtyLogInitiallySet: false,
  shareEptRoot: false,
  allowSmallerMaxPhyAddr: false,
  vmreads: 0,
  vmwrites: 0,
};

/** The machine of a scenario in a mode and under a kernel; its slots take their memory from the VMM. */
export function machineConfig(scenario: Scenario, mode: Mode, kernel: Kernel, vmm: VmmMemory): MachineConfig {
  const { cpu } = scenario;
  const intel = isIntel(mode);
  return {
    host: {
      vendor: intel ? 'intel' : 'amd',
      memory: 2 ** 35,
      pageSize: 4096,
      maxPhyAddr: cpu.maxPhyAddr,
      features: { ...FEATURES, la57: cpu.la57, pml: hasPml(mode), vmcsShadowing: intel },
      rmwLoadsFirst: !intel,
      // Empty at the start of each operation, and nothing within one depends on it.
      tlb: { on: false, l1: { sets: 1, ways: 1 }, l2: { sets: 1, ways: 1 }, pagingStructureEntries: 0 },
      kvm: { ...KVM, kernel, slotZapAll: scenario.slotZapAll, tdpMmu: hasTdpMmu(mode), pml: hasPml(mode) },
    },
    vms: [
      {
        name: scenario.name,
        parent: null,
        mmu: isSoft(mode) ? 'soft' : intel ? 'ept' : 'npt',
        hypervisor: scenario.nested === null ? 'kvm' : 'script',
        slots: scenario.slots.map((slot): SlotConfig => vmm.config(slot)),
        memory: images(scenario),
        vcpus: Array.from({ length: cpu.vcpus }, (_, index) => vcpu(scenario, index === 0 ? cpu.cr3 : cpu.cr3b)),
      },
      ...nestedVm(scenario),
    ],
  };
}

function vcpu({ cpu }: Scenario, cr3: bigint): VcpuConfig {
  const bit = (value: bigint, n: number): boolean => ((value >> BigInt(n)) & 1n) !== 0n;
  return {
    name: 'vcpu',
    paging: cpu.paging,
    cr3,
    cr0: { wp: bit(cpu.cr0, 16) },
    cr4: {
      pse: bit(cpu.cr4, 4),
      pge: bit(cpu.cr4, 7),
      pcide: bit(cpu.cr4, 17),
      smep: bit(cpu.cr4, 20),
      smap: bit(cpu.cr4, 21),
      pke: bit(cpu.cr4, 22),
      pks: bit(cpu.cr4, 24),
    },
    efer: { nxe: bit(cpu.efer, 11) },
    eflagsAc: false,
    pkru: 0,
    pkrs: 0,
    cpl: 0,
  };
}

/** L2: its memory is a part of L1's, which L1 takes it to be from the start. */
function nestedVm(scenario: Scenario): VmConfig[] {
  const { nested } = scenario;
  if (nested === null) return [];
  const { root, ramBase, paging, l2Cr3, extension } = nested;
  const home = scenario.slots.find(({ gpa, size }) => gpa <= ramBase && ramBase < gpa + size);
  if (home === undefined) throw new Error("L2's memory is in no slot of L1");
  const slot: SlotConfig = {
    id: 0,
    gpa: 0,
    size: home.gpa + home.size - ramBase,
    hva: ramBase,
    readonly: false,
    logDirty: false,
    backing: { pageSize: 4096, populated: true },
    origin: 0,
  };
  return [
    {
      name: 'L2',
      parent: GUEST.vm,
      mmu: paging === 'shadow' ? 'soft' : extension.isa === 'svm' ? 'npt' : 'ept',
      hypervisor: 'kvm',
      control:
        extension.isa === 'svm'
          ? { address: extension.vmcb, vpid: extension.asid, root }
          : { address: extension.vmcs, vpid: extension.vpid, root },
      slots: [slot],
      memory: [],
      vcpus: [vcpu(scenario, BigInt(l2Cr3))],
    },
  ];
}

/** Guest memory at the start as runs of words. */
function images(scenario: Scenario): MemoryImage[] {
  const words = new Map(scenario.words);
  for (const { gpa, bytes } of scenario.bytes) {
    bytes.forEach((byte, i) => {
      const at = gpa + i;
      const word = at - (at % 8);
      words.set(word, (words.get(word) ?? 0n) | (BigInt(byte) << BigInt((at % 8) * 8)));
    });
  }
  const images: { gpa: number; words: bigint[] }[] = [];
  for (const gpa of [...words.keys()].sort((a, b) => a - b)) {
    const last = images.at(-1);
    if (last && last.gpa + last.words.length * 8 === gpa) last.words.push(words.get(gpa)!);
    else images.push({ gpa, words: [words.get(gpa)!] });
  }
  return images.map(({ gpa, words }) => ({ gpa, words: BigUint64Array.from(words) }));
}
