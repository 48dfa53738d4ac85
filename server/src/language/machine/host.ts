/** `host { memory 64M  cpu { … }  tlb { … }  kvm { … } }`: the host, and from its settings what it is. */
import { KERNELS } from '../../engine/program';
import type { Budget as EngineBudget, Features, HostConfig, Kernel, KvmOptions, TlbConfig } from '../../engine/program';
import { rulesOf } from '../../engine/mmu/kernel-rules';
import { bindParts, declaresNothing, noAddress } from '../kind';
import type { FileItemKind } from '../kind';
import type { Context } from '../lower/context';
import { Settings } from '../lower/read-settings';
import type { SourceFile } from '../semantics/source';
import { fileEnv } from '../semantics/values';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Body, ErrorNode, File, Node } from '../syntax/tree';
import { walk } from '../syntax/walk';
import { BUDGET_SETTINGS } from './budget';
import { PAGE_SIZES } from './setting';
import type { Bounds, Setting, SettingSpec, SettingSpecs } from './setting';
import { pagingOf } from './vcpu';

export interface Host extends Base {
  readonly kind: 'host';
  readonly body: Body<Setting | ErrorNode> | null;
}

const rule: Rule<[], Host> = ($) => () => {
  const start = $.CONSUME($.t.word('host')).startOffset;
  const body = $.SUBRULE($.hostSettings, { ARGS: ['host'] });
  return { kind: 'host', body, range: $.since(start) };
};

export const host: FileItemKind<Host> = {
  rule,
  words: {
    declaration: { host: 'The host: memory, processor, TLB, options of KVM. In a script: an act of the VMM or of host memory management.' },
  },
  numbered: 'never',
  line: 'plain',
  bind: bindParts,
  address: noAddress,
  outline: () => ({ name: 'host', symbol: 'module', inner: [] }),
  declare: declaresNothing,
};

const K = 1n << 10n;
const M = 1n << 20n;
const GEOMETRY: Bounds = { least: 1n, most: 64n * K, powerOfTwo: true };

const feature = (about: string, dflt: 'on' | 'off' = 'on'): SettingSpec => ({ takes: 'switch', about, default: dflt });

/** Settings of the host. */
export const HOST_SETTINGS: SettingSpecs = {
  memory: { takes: 'size', bounds: { least: M, most: 1n << 46n, unit: 4n * K }, computed: 'what the slots need, and 1G at least', about: 'Size of host-physical memory. Frames are given out as pages are touched.' },
  pages: { takes: 'size', bounds: PAGE_SIZES, default: '4K', about: 'Size of the host pages that back slots which do not say otherwise: `4K`, `2M` or `1G`. KVM maps no page larger than the host does.' },
  maxphyaddr: { takes: 'number', bounds: { least: 36n, most: 52n }, default: '46', about: 'Width of a physical address in bits, 36 to 52 (CPUID 80000008H:EAX[7:0]). Address bits at and above it are reserved in paging entries (SDM vol. 3A, §4.1.4).' },
  cpu: { takes: 'block', block: 'cpu', about: 'Features of the processor, offered to guests as well.' },
  tlb: { takes: 'switch-or-block', block: 'tlb', default: 'on', about: 'The TLB and paging-structure caches: geometry, or `off` (SDM vol. 3A, §4.10).' },
  kvm: { takes: 'block', block: 'kvm', about: "Options of the host's KVM. Each piece of its cleverness can be switched off." },
}; // prettier-ignore

/** Features of the processor. */
export const CPU_SETTINGS: SettingSpecs = {
  vendor: {
    takes: 'choice', default: 'intel',
    about: 'Whose processor it is where no EPT or NPT says so: with soft MMU alone it decides how exits are called and numbered.',
    choices: { intel: 'Intel: VMX.', amd: 'AMD: SVM.' },
  },
  la57: {
    takes: 'switch', computed: 'on where 5-level paging is used',
    about: '5-level paging: 57-bit linear addresses (SDM vol. 3A, §4.5). When it is not given, the processor has it exactly if some vCPU or tables of the scenario use 5-level paging: a host that has it runs NPT with five levels, so that a 4-level guest costs 29 references a cold walk instead of 24.',
  },
  nx: feature('Execute-disable, bit 63 of PAE and 64-bit entries, enabled by EFER.NXE (SDM vol. 3A, §4.6).'),
  smep: feature('Supervisor-mode execution prevention, enabled by CR4.SMEP (SDM vol. 3A, §4.6).'),
  smap: feature('Supervisor-mode access prevention, enabled by CR4.SMAP and suspended by EFLAGS.AC (SDM vol. 3A, §4.6).'),
  pcid: feature('Process-context identifiers: CR3 bits 11:0 tag the TLB, enabled by CR4.PCIDE (SDM vol. 3A, §4.10.1).'),
  pku: feature('Protection keys for user pages, enabled by CR4.PKE, rights in PKRU (SDM vol. 3A, §4.6.2).'),
  pks: feature('Protection keys for supervisor pages, enabled by CR4.PKS, rights in IA32_PKRS (SDM vol. 3A, §4.6.2).'),
  page1g: feature('1-GByte pages in 4- and 5-level paging.'),
  pse36: feature('PSE-36: 4-MByte pages of 32-bit paging reach physical addresses above 4G (SDM vol. 3A, §4.3).'),
  ept_ad: feature('Accessed and dirty flags in EPT entries (SDM vol. 3C, "Accessed and Dirty Flags for EPT").'),
  ept_execute_only: feature('EPT entries may allow execution alone (IA32_VMX_EPT_VPID_CAP bit 0).'),
  ept_1g: feature('1-GByte pages in EPT (IA32_VMX_EPT_VPID_CAP bit 17).'),
  ept_5level: feature('EPT page walks of length 5 (IA32_VMX_EPT_VPID_CAP bit 7).'),
  pml: feature('Page-modification logging: the processor logs pages whose EPT dirty flag it sets (SDM vol. 3C, "Page-Modification Logging").'),
  vmcs_shadowing: feature("VMREAD and VMWRITE by an L1 hypervisor without VM exits (SDM vol. 3C, 'VMCS Shadowing')."),
  decode_assists: feature('AMD: exits by accesses to control registers and by INVLPG say their operands (APM vol. 2, "Decode Assists"); when off, KVM emulates the instruction.'),
  vpid: feature('Virtual-processor identifiers tag the TLB, so VM entries and exits need not flush it.'),
}; // prettier-ignore

/** Geometry of the TLB. */
export const TLB_SETTINGS: SettingSpecs = {
  l1: { takes: 'geometry', bounds: GEOMETRY, default: '16 x 4', about: 'First-level TLB: sets x ways; the number of sets is a power of two.' },
  l2: { takes: 'geometry', bounds: GEOMETRY, default: '128 x 8', about: 'Second-level TLB: sets x ways; the number of sets is a power of two.' },
  paging_structures: { takes: 'number', bounds: { least: 0n, most: 4n * K }, default: '32', about: 'Entries of each paging-structure cache; 0 is none (SDM vol. 3A, §4.10.3).' },
}; // prettier-ignore

/** Options of the host's KVM. */
export const KVM_SETTINGS: SettingSpecs = {
  kernel: {
    takes: 'choice', default: '6.1',
    about: 'The kernel whose behaviour is followed where kernels differ (docs/kernels.md).',
    choices: Object.fromEntries(Object.entries(KERNELS).map(([kernel, release]) => [kernel, `Linux ${release}.`])),
  },
  prefetch: { takes: 'switch', default: 'on', about: 'After a fault, map neighbours of the address too (`direct_pte_prefetch`, `pte_prefetch`): soft MMU, nested shadows and the older direct MMU.' },
  unsync: { takes: 'switch', default: 'on', about: 'Let a level-1 guest table go out of sync: writes to it are free until the next flush (`mmu_try_to_unsync_pages`). When off, every write to it is emulated.' },
  large_pages: { takes: 'switch', default: 'on', about: 'Map 2M and 1G at once where slot, host page and guest page allow it.' },
  fast_page_fault: { takes: 'switch', default: 'on', about: 'Fix write-protection of dirty logging without the MMU lock (`fast_page_fault`).' },
  cached_roots: { takes: 'number', bounds: { least: 0n, most: 3n }, default: '3', about: 'Previous roots that a vCPU keeps, 0 to 3 (`KVM_MMU_NUM_PREV_ROOTS`).' },
  flooding: { takes: 'number', bounds: { least: 0n, most: 1000n }, default: '3', about: 'Emulated writes to a shadowed table, with no use in between, after which its shadow page is zapped; 0 is never (`detect_write_flooding`).' },
  tdp_mmu: { takes: 'switch', default: 'on', about: "The TDP MMU for EPT and NPT (module parameter `kvm.tdp_mmu`); off: the older direct MMU with shadow pages and reverse maps." },
  pml: { takes: 'switch', default: 'on', about: 'Dirty logging by page-modification logging, where the processor has it (`kvm_intel.pml`).' },
  ept_ad: { takes: 'switch', default: 'on', about: 'Accessed and dirty flags in EPT, where the processor has them (`kvm_intel.eptad`).' },
  nr_mmu_pages: { takes: 'number', bounds: { least: 0n, most: 1n << 31n }, default: '0', about: "Shadow pages at most (KVM_SET_NR_MMU_PAGES); 0 is KVM's own limit, 2 % of the guest's pages and at least 64." },
  slot_zap_all: { takes: 'switch', default: 'on', about: 'A slot that is deleted or moved takes everything of the VM with it (KVM_X86_QUIRK_SLOT_ZAP_ALL). When off, as kernel 6.12 offers it, only leaves of its frames go, and shadow pages of guest tables in it.' },
  dirty_log_initially_set: { takes: 'switch', default: 'off', about: 'A new dirty log is all ones, and pages are protected when the log is cleared (KVM_DIRTY_LOG_INITIALLY_SET with manual protect).' },
  share_ept_root: { takes: 'switch', default: 'off', about: 'One EPT root for L1 and for the L2 of an L1 with a soft MMU, as kernels before guest_mode was part of the role.' },
  allow_smaller_maxphyaddr: { takes: 'switch', default: 'off', about: 'Under EPT a guest whose CPUID has fewer address bits than the processor gets reserved-bit faults for those above: KVM intercepts #PF and looks at EPT violations beyond them (`kvm_intel.allow_smaller_maxphyaddr`). Soft MMU does so anyway.' },
  vmreads: { takes: 'number', bounds: { least: 0n, most: 1000n }, default: '0', about: 'VMREADs that an L1 makes for each exit reflected to it; each is a VM exit without VMCS shadowing.' },
  vmwrites: { takes: 'number', bounds: { least: 0n, most: 1000n }, default: '0', about: 'VMWRITEs that an L1 makes for each exit reflected to it; each is a VM exit without VMCS shadowing.' },
}; // prettier-ignore

/** A host without its memory, which follows from what the run's slots need where nothing is said of it. */
export type HostFacts = Omit<HostConfig, 'memory'>;

/** All of a host but its vendor, which follows from the VMs that run on it. */
export interface HostPlan {
  readonly config: Omit<HostFacts, 'vendor'>;
  /** Bytes of host-physical memory; null: what the slots of a run need. */
  readonly memory: number | null;
  /** Vendor when neither EPT nor NPT is in use. */
  readonly vendor: HostConfig['vendor'];
  readonly budget: EngineBudget;
}

/**
 * The host that the main file describes; imported files lend theirs to nobody.
 *
 * @param files of the scenario, the main one first
 */
export function planHost(context: Context, files: readonly SourceFile[]): HostPlan {
  const [file] = files;
  const env = fileEnv(file);
  const host = new Settings(context, HOST_SETTINGS, onlyBody(context, file, 'host'), env);
  const budget = new Settings(context, BUDGET_SETTINGS, onlyBody(context, file, 'budget'), env);
  const cpu = new Settings(context, CPU_SETTINGS, host.inside('cpu'), env);
  const kvm = new Settings(context, KVM_SETTINGS, host.inside('kvm'), env);
  const tlb = new Settings(context, TLB_SETTINGS, host.inside('tlb'), env);
  const options = kvmOf(kvm);
  checkQuirks(context, env, kvm, options);
  const maxPhyAddr = host.number('maxphyaddr');
  const memory = host.has('memory') ? host.number('memory') : null;
  if (memory !== null && memory > 2 ** maxPhyAddr) {
    const node = host.node('memory') ?? host.node('maxphyaddr')!;
    context.report(env, node, 'out-of-range', `memory does not fit in ${maxPhyAddr} bits of physical address (maxphyaddr)`);
  }
  const features = featuresOf(cpu, files.some(usesFiveLevels));
  checkFeatures(context, env, cpu, features);
  return {
    memory,
    config: { pageSize: host.number('pages'), maxPhyAddr, features, tlb: tlbOf(host, tlb), kvm: options },
    vendor: cpu.choice('vendor') === 'amd' ? 'amd' : 'intel',
    budget: { steps: budget.number('steps'), events: budget.number('events'), memory: budget.number('memory') },
  };
}

/** Items of the file's block of that kind; a second block is refused. */
function onlyBody(context: Context, file: SourceFile, kind: 'host' | 'budget'): readonly Node[] {
  const found = (file.parsed.tree satisfies File).items.filter((item) => item.kind === kind);
  for (const item of found.slice(1)) {
    const related = [{ file, node: headOf(found[0], kind), message: `${kind} is described here first` }];
    context.report({ file }, headOf(item, kind), 'set-twice', `there is one ${kind}; put these settings into the first`, { related });
  }
  return found.flatMap((item) => (item.kind === kind ? (item.body?.items ?? []) : []));
}

function headOf(item: Node, word: string): { readonly range: Node['range'] } {
  return { range: { start: item.range.start, end: item.range.start + word.length } };
}

/** A vCPU or tables of a file use 5-level paging. */
function usesFiveLevels(file: SourceFile): boolean {
  for (const vm of file.parsed.tree.items) {
    if (vm.kind !== 'vm') continue;
    for (const node of walk(vm)) {
      if (node.kind === 'vcpu' && pagingOf(node.body?.items ?? []) === '5-level') return true;
      if (node.kind === 'tables' && node.format?.text === '5-level') return true;
    }
  }
  return false;
}

function featuresOf(cpu: Settings, fiveLevels: boolean): Features {
  return {
    la57: cpu.has('la57') ? cpu.switch('la57') : fiveLevels,
    nx: cpu.switch('nx'),
    smep: cpu.switch('smep'),
    smap: cpu.switch('smap'),
    pcid: cpu.switch('pcid'),
    pku: cpu.switch('pku'),
    pks: cpu.switch('pks'),
    page1G: cpu.switch('page1g'),
    pse36: cpu.switch('pse36'),
    eptAd: cpu.switch('ept_ad'),
    eptExecuteOnly: cpu.switch('ept_execute_only'),
    ept1G: cpu.switch('ept_1g'),
    ept5Level: cpu.switch('ept_5level'),
    pml: cpu.switch('pml'),
    vmcsShadowing: cpu.switch('vmcs_shadowing'),
    decodeAssists: cpu.switch('decode_assists'),
    vpid: cpu.switch('vpid'),
  };
}

function checkFeatures(context: Context, env: { readonly file: SourceFile }, cpu: Settings, features: Features): void {
  const pml = cpu.node('pml');
  if (pml && features.pml && !features.eptAd) {
    context.report(env, pml, 'feature-conflict', 'PML needs accessed and dirty flags in EPT: ept_ad is off');
  }
}

/** A quirk is written off that none of the kernels that the file runs with has a switch for. */
function checkQuirks(context: Context, env: { readonly file: SourceFile }, kvm: Settings, { slotZapAll, kernel }: KvmOptions): void {
  const written = kvm.node('slot_zap_all');
  if (!written || slotZapAll) return;
  const kernels = kernelsOf(env.file, kernel);
  if (kernels.some((each) => rulesOf(each).slotZapAllIsQuirk)) return;
  const has = kernels.length === 1 ? `kernel ${kernels[0]} has` : `kernels ${kernels.join(', ')} have`;
  const message = `${has} no such quirk (KVM_CAP_DISABLE_QUIRKS2 fails with EINVAL): a slot that goes takes everything with it`;
  context.warn(env, written, 'feature-conflict', message);
}

/** The kernels with which a file runs: those that its runs name, and its host's. */
function kernelsOf(file: SourceFile, own: Kernel): Kernel[] {
  const named = file.parsed.tree.items.map((item) => (item.kind === 'run' ? (item.under?.kernels ?? []) : null));
  const all = named.flatMap((kernels) => (kernels?.length === 0 ? [own] : (kernels ?? []).map(({ text }) => text as Kernel)));
  const known = all.filter((kernel) => Object.hasOwn(KERNELS, kernel));
  return known.length === 0 ? [own] : [...new Set(known)];
}

function tlbOf(host: Settings, tlb: Settings): TlbConfig {
  return {
    on: host.node('tlb')?.body ? true : host.switch('tlb'),
    l1: tlb.geometry('l1'),
    l2: tlb.geometry('l2'),
    pagingStructureEntries: tlb.number('paging_structures'),
  };
}

function kvmOf(kvm: Settings): KvmOptions {
  return {
    prefetch: kvm.switch('prefetch'),
    unsync: kvm.switch('unsync'),
    largePages: kvm.switch('large_pages'),
    fastPageFault: kvm.switch('fast_page_fault'),
    cachedRoots: kvm.number('cached_roots'),
    flooding: kvm.number('flooding'),
    tdpMmu: kvm.switch('tdp_mmu'),
    pml: kvm.switch('pml'),
    eptAd: kvm.switch('ept_ad'),
    nrMmuPages: kvm.number('nr_mmu_pages'),
    slotZapAll: kvm.switch('slot_zap_all'),
    dirtyLogInitiallySet: kvm.switch('dirty_log_initially_set'),
    shareEptRoot: kvm.switch('share_ept_root'),
    allowSmallerMaxPhyAddr: kvm.switch('allow_smaller_maxphyaddr'),
    vmreads: kvm.number('vmreads'),
    vmwrites: kvm.number('vmwrites'),
    kernel: kvm.choice('kernel') as Kernel,
  };
}
