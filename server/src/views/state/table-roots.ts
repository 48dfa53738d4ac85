/** The page tables of every vCPU: the guest's own, those of the hypervisor around it, those in hardware. */
import { Space, SPACES } from '../../engine/journal/spaces';
import { Bank, Register } from '../../engine/vcpu/registers';
import type { Walker } from '../../engine/x86/walker';
import { hex, joined } from '../../events/wording';
import { addressOf } from '../machine-state';
import type { MachineState } from '../machine-state';
import { PhysicalMemoryOf } from '../way/memory';
import { labelOf, tablesOf } from '../way/tables';
import type { Tables } from '../way/tables';
import { walkersOf } from '../way/walkers';
import { tableThings, touchedBelow } from './table-entries';
import type { Table } from './table-entries';
import { touches } from './thing';
import type { Thing, Word } from './thing';

/** Tables of a VM by whose they are, for the parts of paths. */
type Which = 'own' | 'l1' | 'l0';

interface Rooted {
  readonly which: Which;
  readonly vm: number;
  readonly vcpu: number;
  readonly tables: Tables;
  readonly walker: Walker;
}

/** All tables that vCPUs have in use; each root once. */
export function rootedTables(state: MachineState): Rooted[] {
  const found = new Map<string, Rooted>();
  state.machine.vms.forEach(({ vcpus }, vm) =>
    vcpus.forEach((_, vcpu) => {
      const tables = tablesOf(state.machine, vm);
      const { guest, l1, shadow, second } = walkersOf(state, vm, vcpu);
      const add = (which: Which, of: Tables | null, walker: Walker | null): void => {
        if (!of || !walker) return;
        const owner = which === 'l0' ? '' : vm;
        const name = `${which} ${owner} ${of.table} ${walker.format.name} ${walker.rootLo} ${walker.rootHi} ${walker.pdptes ? vcpu : ''}`;
        if (!found.has(name)) found.set(name, { which, vm, vcpu, tables: of, walker });
      };
      add('own', tables.own, guest);
      add('l1', tables.l1, l1);
      add('l0', tables.l0, shadow ?? second);
    }),
  );
  return [...found.values()];
}

/** The table at the root, to be read. */
export function rootTable(state: MachineState, { which, vm, vcpu, tables, walker }: Rooted): Table {
  const { format, stage } = walker;
  const memory = stage instanceof PhysicalMemoryOf ? stage : null;
  return {
    state,
    tables,
    format,
    stage: walker.stageNumber,
    vm,
    own: which === 'own',
    level: format.pae ? 3 : format.levels,
    address: addressOf(walker.rootLo, walker.rootHi),
    base: 0n,
    pdptes: walker.pdptes && { halves: walker.pdptes, words: pdpteWords(state, which, vm, vcpu) },
    hpaOf: (address) => (memory ? memory.hpaOf(address) : address),
  };
}

/** Words of the PDPTE registers: the guest's own, or those that hardware has with shadow tables. */
function pdpteWords(state: MachineState, which: Which, vm: number, vcpu: number): Word[] {
  const { vms } = state.machine;
  const { parent } = vms[vm];
  const inHardware = which === 'l0' && parent !== null;
  const number = inHardware ? state.vcpuNumber(parent, vcpu % vms[parent].vcpus.length) : state.vcpuNumber(vm, vcpu);
  const first = which === 'own' ? Register.pdpte0 : Register.hwPdpte0;
  const bank = inHardware ? Bank.nested : Bank.own;
  return [0, 1, 2, 3].map((i) => ({
    space: Space.register,
    key: SPACES[Space.register].key.encode({ vcpu: number, bank, register: first + i }),
  }));
}

/** One thing a root. */
export function tableRoots(state: MachineState): Thing[] {
  const { vms } = state.machine;
  return rootedTables(state).map((rooted) => {
    const { which, vm, vcpu, tables, walker } = rooted;
    const table = rootTable(state, rooted);
    const several = vms[vm].vcpus.length > 1;
    const of = which === 'l0' ? null : vms.length > 1 ? vms[vm].name : null;
    return {
      part: `${which}.${vm}.${vcpu}`,
      name: tables.table,
      value: hex(table.address),
      decoded: joined(
        `${labelOf(walker.format, table.level)} at ${tables.space} ${hex(table.address)}`,
        which === 'own' ? walker.format.name : null,
        `${tables.from} → ${tables.to}`,
        [of, several && `vCPU ${vcpu}`].filter(Boolean).join(' '),
        tables.by === 'processor' ? 'walked by the processor' : `walked by ${tables.by}`,
      ),
      inside: () => tableThings(table),
      touchedBy: (touched) =>
        touchedBelow(table, touched) ||
        touches(touched, Space.register, (key) => table.pdptes?.words.some((word) => word.key === key) ?? false),
    } satisfies Thing;
  });
}
