/**
 * Which tables translate a VM's addresses, what they are called, whose they are, and who walks them (mmu-semantics.md §7.2): its own,
 * those of the hypervisor around it, and where a VM stands in a VM those of L1 and of L0.
 */
import type { SpteFormat } from '../../engine/mmu/pages/spte';
import type { MachineConfig } from '../../engine/program';
import { levelName } from '../../events/decode';
import { spteFormat } from '../../events/entry-text';
import { nested } from '../../events/guests';
import type { AddressSpace, TableWalk, WalkStage } from '../../protocol/translation';
import type { Format } from '../../engine/x86/formats';

interface TableNames {
  /** The VM's own. */
  readonly own: string;
  /** Those of L1 for its guest; null: it has none. */
  readonly l1: string | null;
  /** Those of L0 in hardware while the VM runs. */
  readonly l0: string;
}

const made = (by: string): string => (by === 'soft' ? 'SPT' : by.toUpperCase());

export function tableNames(machine: MachineConfig, vm: number): TableNames {
  const { vms, host } = machine;
  const { parent, mmu } = vms[vm];
  if (parent === null) return nested(machine) ? { own: 'PT1', l1: null, l0: `${made(mmu)}01` } : { own: 'PT', l1: null, l0: made(mmu) };
  const around = vms[parent].mmu;
  const shares = mmu === 'soft' && around !== 'soft';
  return { own: 'PT2', l1: `${made(mmu)}12`, l0: `${made(around)}${shares ? (host.kvm.shareEptRoot ? '01' : '01g') : '02'}` };
}

/** Tables as a walk of them is shown. */
export interface Tables extends Pick<TableWalk, 'table' | 'stage' | 'owner' | 'by'> {
  /** Spaces of the addresses that go in and come out. */
  readonly from: AddressSpace;
  readonly to: AddressSpace;
  /** Space that the tables lie in. */
  readonly space: 'ngpa' | 'gpa' | 'hpa';
  /** KVM's entries: its own bits are named too. */
  readonly sptes: SpteFormat | null;
  /** Where the name stands before an entry's: it is not clear which tables these are. */
  readonly named: boolean;
}

/** All tables of a VM. */
export interface TablesOf {
  readonly own: Tables;
  /** L1's for it; null: the VM is no guest's guest. */
  readonly l1: Tables | null;
  /** L0's: shadow tables, EPT or NPT. */
  readonly l0: Tables;
}

export function tablesOf(machine: MachineConfig, vm: number): TablesOf {
  const { vms, host } = machine;
  const { parent, mmu } = vms[vm];
  const names = tableNames(machine, vm);
  const named = nested(machine);
  const inner = parent !== null;
  const soft = mmu === 'soft';
  const outer = inner ? vms[parent].mmu : mmu;
  const [linear, physical]: AddressSpace[] = inner ? ['NGVA', 'NGPA'] : ['GVA', 'GPA'];
  const own: Tables = {
    table: names.own,
    stage: 'guest',
    owner: !named ? 'guest' : inner ? 'L2' : 'L1',
    by: !soft ? 'processor' : inner ? 'L1' : 'L0',
    from: linear,
    to: physical,
    space: inner ? 'ngpa' : 'gpa',
    sptes: null,
    named,
  };
  // Shadow tables of a soft L1 on a hard L0 are what the processor walks, above tables for L1's memory.
  const shadowInL1 = inner && soft && outer !== 'soft';
  const l1: Tables | null = !inner
    ? null
    : {
        table: names.l1!,
        stage: shadowInL1 ? 'shadow' : 'l1',
        owner: 'L1',
        by: shadowInL1 ? 'processor' : 'L0',
        from: soft ? linear : physical,
        to: 'GPA',
        space: 'gpa',
        sptes: vms[parent].hypervisor === 'script' ? null : spteFormat(host, mmu === 'ept'),
        named,
      };
  const stage: WalkStage = outer === 'soft' ? 'shadow' : outer;
  const l0: Tables = {
    table: names.l0,
    stage,
    owner: 'L0',
    by: 'processor',
    from: outer === 'soft' ? linear : shadowInL1 ? 'GPA' : physical,
    to: 'HPA',
    space: 'hpa',
    sptes: spteFormat(host, outer === 'ept'),
    named,
  };
  return { own, l1, l0 };
}

/** `PML4`, `EPT4`, `NPT1`, `PDPTE`. */
export function labelOf(format: Format, level: number): string {
  if (format.ept) return `EPT${level}`;
  if (format.userOnly) return `NPT${level}`;
  return format.pae && level === 3 ? 'PDPTE' : levelName(level);
}

/** Which entry, in a sentence: `PT[0]`, `shadow PT[0]`, `EPT1[9]`; where a VM stands in a VM with the tables before it. */
export function entryName({ table, stage, named }: Tables, label: string, index: number): string {
  const entry = `${label}[${index}]`;
  if (named) return `${table} ${entry}`;
  return stage === 'shadow' ? `shadow ${entry}` : entry;
}
