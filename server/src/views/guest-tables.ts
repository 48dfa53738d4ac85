/** Which guest frames hold paging structures at a point of a run, and of what level: from the roots that the vCPUs have loaded. */
import { Register } from '../engine/vcpu/registers';
import type { EntryKind } from '../engine/x86/entries';
import { entryKind } from '../events/entry-text';
import { addressOf } from './machine-state';
import type { MachineState } from './machine-state';

interface GuestTable {
  readonly level: number;
  readonly kind: EntryKind;
}

/** Tables looked at, at most. */
const MOST = 1024;
const PAGE = 4096;

const found = new WeakMap<MachineState, Map<number, Map<number, GuestTable>>>();

/** Tables of a VM by guest frame. */
export function guestTables(state: MachineState, vm: number): ReadonlyMap<number, GuestTable> {
  let byVm = found.get(state);
  if (!byVm) found.set(state, (byVm = new Map<number, Map<number, GuestTable>>()));
  let tables = byVm.get(vm);
  if (!tables) {
    byVm.set(vm, (tables = new Map<number, GuestTable>()));
    state.machine.vms[vm].vcpus.forEach((_, vcpu) => collect(state, vm, vcpu, tables!));
  }
  return tables;
}

function collect(state: MachineState, vm: number, vcpu: number, tables: Map<number, GuestTable>): void {
  const registers = state.registers(vm, vcpu);
  const format = state.formatsOf(vm).of(registers);
  if (!format) return;
  const kind = entryKind(format);
  const root = addressOf(registers.lo(Register.cr3) & ~0xfff, registers.hi(Register.cr3)) / PAGE;
  const waiting: [number, number][] = [[root, format.pae ? 3 : format.levels]];
  for (let next = waiting.pop(); next && tables.size < MOST; next = waiting.pop()) {
    const [gfn, level] = next;
    if (tables.has(gfn)) continue;
    const hpa = state.hpaOf(vm, gfn * PAGE);
    if (hpa === null) continue;
    tables.set(gfn, { level, kind });
    if (level === 1) continue;
    const size = format.narrow ? 4 : 8;
    for (let at = 0; at < PAGE; at += size) {
      const lo = state.memory.load(hpa + at, 4);
      const hi = format.narrow ? 0 : state.memory.load(hpa + at + 4, 4);
      if ((lo & format.present) !== 0 && (lo & format.large[level]) === 0) waiting.push([addressOf(lo & ~0xfff, hi) / PAGE, level - 1]);
    }
  }
}
