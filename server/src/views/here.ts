/** What names of a machine's parts stand for at a point of a run, in a line each: registers, a VM, its hypervisor's tables, VMM addresses. */
import { Space, SPACES } from '../engine/journal/spaces';
import { slotsAt } from '../engine/memory/slot-records';
import { bytes, hex, joined, plural } from '../events/wording';
import { addressOf } from './machine-state';
import type { MachineState } from './machine-state';
import { vcpuThings } from './state/registers';
import { rootedTables } from './state/table-roots';
import { pageLink } from './way/links';

interface Performer {
  readonly vm: number;
  readonly vcpu: number;
}

/** `CR3 = 0x1000 · root at gpa 0x1000`; null: it is no register that a vCPU has. @param name as the language has it, `cr3` */
export function registerHere(state: MachineState, { vm, vcpu }: Performer, name: string): string | null {
  const register = vcpuThings(state)
    .find(({ part }) => part === `${vm}.${vcpu}`)
    ?.inside?.()
    .find(({ part }) => part === name);
  return register ? joined(`${register.name} = ${register.value}`, register.decoded) : null;
}

/** A VM's memory and its vCPUs: `slots of 16M · vCPU 0: CR3 0x1000, 4-level paging`. */
export function vmHere(state: MachineState, vm: number): string {
  const slots = slotsAt(state.words(Space.slot), vm);
  const size = slots.reduce((sum, each) => sum + each.size, 0);
  const vcpus = vcpuThings(state).filter(({ part }) => part.startsWith(`${vm}.`));
  return joined(
    slots.length === 0 ? 'no slot' : `${plural(slots.length, 'slot')} of ${bytes(size)}`,
    ...vcpus.map(({ decoded, inside }, i) => {
      const cr3 = inside?.().find(({ part }) => part === 'cr3')?.value;
      return `vCPU ${i}: ${decoded}${cr3 === undefined ? '' : `, CR3 ${cr3}`}`;
    }),
  );
}

/** The tables that L0 has in hardware for a VM, or its TLB; null: there are no such ones. @param name `tdp`, `shadow` or `tlb` */
export function tablesHere(state: MachineState, { vm, vcpu }: Performer, name: string): string | null {
  if (name === 'tlb') return `${plural(cachedLines(state, state.vcpuNumber(vm, vcpu)), 'translation')} cached`;
  const found = rootedTables(state).find((each) => each.vm === vm && each.which === 'l0' && (each.tables.stage === 'shadow') === (name === 'shadow')); // prettier-ignore
  if (!found) return null;
  const { tables, walker } = found;
  return `${tables.table}: root at hpa ${hex(addressOf(walker.rootLo & ~0xfff, walker.rootHi))}, ${walker.format.levels} levels`;
}

function cachedLines(state: MachineState, processor: number): number {
  const { key } = SPACES[Space.tlb];
  const lines = new Set<number>();
  for (const each of state.words(Space.tlb).keys()) if (key.field(each, 'processor') === processor) lines.add(key.field(each, 'line'));
  return lines.size;
}

/** An address of a VM's VMM: `slot 0 → gpa 0x20_0123 · host page of 4K → hpa 0x61_0123`; null: no slot has it. */
export function hvaHere(state: MachineState, vm: number, hva: number): string | null {
  const slot = slotsAt(state.words(Space.slot), vm).find((each) => hva >= each.hva && hva < each.hva + each.size);
  if (!slot) return null;
  const gpa = slot.gpa + hva - slot.hva;
  const [step] = state.slotSteps(vm, gpa);
  const inside = state.machine.vms[vm].parent !== null;
  const page = pageLink(step, inside ? 'L1' : 'L0', inside);
  const below = step.below === null ? '' : ` → ${inside ? 'gpa' : 'hpa'} ${hex(step.below)}`;
  return joined(`slot ${slot.id & 0xffff} → ${inside ? 'ngpa' : 'gpa'} ${hex(gpa)}`, `${page.label}${below}`, page.note);
}
