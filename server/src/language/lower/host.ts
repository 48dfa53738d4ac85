/** The host and the budget, from their settings. */
import type { Budget, Features, HostConfig, KvmOptions, TlbConfig } from '../../engine/program';
import { walk } from '../syntax/tree';
import type { File, Node } from '../syntax/tree';
import type { SourceFile } from '../semantics/source';
import { fileEnv } from '../semantics/values';
import type { Context } from './context';
import { Settings } from './settings';
import { pagingOf } from './vcpus';

/** All of a host but its vendor, which follows from the VMs that run on it. */
export interface HostPlan {
  readonly config: Omit<HostConfig, 'vendor'>;
  /** Vendor when neither EPT nor NPT is in use. */
  readonly vendor: HostConfig['vendor'];
  readonly budget: Budget;
}

/**
 * The host that the main file describes; imported files lend theirs to nobody.
 *
 * @param files of the scenario, the main one first
 */
export function planHost(context: Context, files: readonly SourceFile[]): HostPlan {
  const [file] = files;
  const env = fileEnv(file);
  const host = new Settings(context, 'host', onlyBody(context, file, 'host'), env);
  const budget = new Settings(context, 'budget', onlyBody(context, file, 'budget'), env);
  const cpu = new Settings(context, 'cpu', host.inside('cpu'), env);
  const kvm = new Settings(context, 'kvm', host.inside('kvm'), env);
  const tlb = new Settings(context, 'tlb', host.inside('tlb'), env);
  const maxPhyAddr = host.number('maxphyaddr');
  const memory = host.number('memory');
  if (memory > 2 ** maxPhyAddr) {
    const node = host.node('memory') ?? host.node('maxphyaddr')!;
    context.report(env, node, 'out-of-range', `memory does not fit in ${maxPhyAddr} bits of physical address (maxphyaddr)`);
  }
  const features = featuresOf(cpu, files.some(usesFiveLevels));
  checkFeatures(context, env, cpu, features);
  return {
    config: { memory, pageSize: host.number('pages'), maxPhyAddr, features, tlb: tlbOf(host, tlb), kvm: kvmOf(kvm) },
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
    vpid: cpu.switch('vpid'),
  };
}

function checkFeatures(context: Context, env: { readonly file: SourceFile }, cpu: Settings, features: Features): void {
  const pml = cpu.node('pml');
  if (pml && features.pml && !features.eptAd) {
    context.report(env, pml, 'feature-conflict', 'PML needs accessed and dirty flags in EPT: ept_ad is off');
  }
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
    dirtyLogInitiallySet: kvm.switch('dirty_log_initially_set'),
    shareEptRoot: kvm.switch('share_ept_root'),
    vmreads: kvm.number('vmreads'),
    vmwrites: kvm.number('vmwrites'),
    kernel: kvm.choice('kernel') === 'mainline' ? 'mainline' : '6.1',
  };
}
