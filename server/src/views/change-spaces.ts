/** The spaces of state changes, read back for people: what a key is a part of, and how that thing stands at a point of a run. */
import { join } from '../engine/bits';
import { Space } from '../engine/journal/events';
import { dirtyWordOf } from '../engine/memory/dirty-log';
import { areaText, hostThing, pageText } from './change-host';
import { memoryNote, memoryText, memoryWhat, tablesOf } from './change-memory';
import { generationAt, slotsAt } from '../engine/memory/slot-records';
import { GUEST_TABLE_KEYS, shadowPageAt } from '../engine/mmu/pages/shadow-page';
import { VmField } from '../engine/mmu/pages/shadow-pages';
import { VMCS02_BANK } from '../engine/mmu/nested/nested-state';
import { Register, REGISTER_KEYS } from '../engine/vcpu/registers';
import { lineOf, lineText, lineThing } from './cached';
import { nested } from '../events/guests';
import type { MachineState } from './machine-state';
import { decodeRole, roleWords } from '../events/page-role';
import { bytes, hex, joined } from '../events/wording';

export interface SpaceView {
  readonly name: string;
  /** The thing that a key is a part of, as its first key; null: not shown. */
  thing(key: number): number | null;
  /** What the thing is called; null when it is not there at that point. */
  what(machine: MachineState, thing: number): string | null;
  /** How it stands. */
  text(machine: MachineState, thing: number): string;
  /** What the change means; `machine` is the later point. */
  note?(machine: MachineState, thing: number, from: string, to: string): string | null;
}

const NONE = '—';
const itself = (key: number): number => key;
const created = (_machine: MachineState, _key: number, from: string, to: string): string | null =>
  from === NONE ? 'created' : to === NONE ? 'gone' : null;

const vmName = ({ machine }: MachineState, vm: number): string => (machine.vms.length > 1 ? `${machine.vms[vm]?.name ?? vm} ` : '');

/** Bits of registers that paging depends on, by register. */
const REGISTER_BITS: { readonly [register: number]: readonly (readonly [number, string])[] } = {
  [Register.cr0]: [
    [16, 'WP'],
    [31, 'PG'],
  ],
  [Register.cr4]: [
    [4, 'PSE'],
    [5, 'PAE'],
    [7, 'PGE'],
    [12, 'LA57'],
    [17, 'PCIDE'],
    [20, 'SMEP'],
    [21, 'SMAP'],
    [22, 'PKE'],
    [24, 'PKS'],
  ],
  [Register.efer]: [
    [8, 'LME'],
    [10, 'LMA'],
    [11, 'NXE'],
    [12, 'SVME'],
  ],
  [Register.rflags]: [[18, 'AC']],
};

const REGISTER_NAMES: { readonly [register: number]: string } = {
  [Register.rflags]: 'RFLAGS',
  [Register.hwCr0]: 'CR0 in hardware',
  [Register.hwCr3]: 'CR3 in hardware',
  [Register.hwCr4]: 'CR4 in hardware',
  [Register.hwEfer]: 'EFER in hardware',
  [Register.hwPdpte0]: 'PDPTE0 in hardware',
  [Register.hwPdpte1]: 'PDPTE1 in hardware',
  [Register.hwPdpte2]: 'PDPTE2 in hardware',
  [Register.hwPdpte3]: 'PDPTE3 in hardware',
  [Register.pmlAddress]: 'PML address',
  [Register.pmlIndex]: 'PML index',
};

/** `CR3`, `EPTP`; where a VM stands in a VM also whose, or in which control structure. */
function registerName(machine: MachineState, thing: number): string {
  const { host } = machine;
  const number = thing % REGISTER_KEYS;
  const register: Register = number % VMCS02_BANK;
  const owner = ownerOf(machine, Math.floor(thing / REGISTER_KEYS), number);
  if (register === Register.secondRoot) return `${owner}${host.vendor === 'intel' ? 'EPTP' : 'nCR3'}`;
  if (register === Register.vpid) return `${owner}${host.vendor === 'intel' ? 'VPID' : 'ASID'}`;
  return `${owner}${REGISTER_NAMES[register] ?? (Register[register] ?? `register ${register}`).toUpperCase()}`;
}

function ownerOf({ machine, host, vcpus }: MachineState, vcpu: number, number: number): string {
  const { vms } = machine;
  let [first, vm] = [0, 0];
  while (vm < vms.length - 1 && vcpu >= first + vms[vm].vcpus.length) first += vms[vm++].vcpus.length;
  const several = vms[vm].vcpus.length > 1 ? `vCPU ${vcpu - first} ` : '';
  if (!nested(machine)) return vcpus > 1 ? `vCPU ${vcpu} ` : '';
  const control = host.vendor === 'intel' ? 'vmcs' : 'vmcb';
  if (number >= VMCS02_BANK) return `${several}${control}02 `;
  return number >= Register.hwCr0 ? `${several}${control}${vms[vm].parent === null ? '01' : '12'} ` : `${vms[vm].name} ${several}`;
}

function registerNote(thing: number, from: string, to: string): string | null {
  const value = (text: string): bigint => BigInt(text.replaceAll('_', ''));
  const changed = value(from) ^ value(to);
  const notes = (REGISTER_BITS[(thing % REGISTER_KEYS) % VMCS02_BANK] ?? [])
    .filter(([bit]) => (changed >> BigInt(bit)) & 1n)
    .map(([bit, name]) => `${name} ${(value(to) >> BigInt(bit)) & 1n ? 'set' : 'cleared'}`);
  return notes.length > 0 ? notes.join(', ') : null;
}

const SLOT_KEYS = 2 ** 32;

function slotText(machine: MachineState, thing: number): string {
  const vm = Math.floor(thing / SLOT_KEYS);
  const slot = slotsAt(machine.words(Space.slot), vm).find(({ id }) => id === (thing % SLOT_KEYS) / 8);
  if (!slot) return NONE;
  return joined(
    `gpa ${hex(slot.gpa)} +${bytes(slot.size)}`,
    `hva ${hex(slot.hva)}`,
    slot.readonly && 'read-only',
    slot.logDirty && 'logs',
    slot.invalid && 'INVALID',
  );
}

function shadowPageText(machine: MachineState, thing: number): string {
  const page = shadowPageAt(machine.words(Space.shadowPage), thing / 8);
  if (!page) return NONE;
  return (
    joined(
      page.unsync && 'unsync',
      page.rootCount > 0 && `root ${page.rootCount}`,
      page.flooding > 0 && `${page.flooding} emulated writes`,
    ) || 'in use'
  );
}

function shadowPageWhat(machine: MachineState, thing: number): string | null {
  const page = shadowPageAt(machine.words(Space.shadowPage), thing / 8);
  if (!page) return null;
  const vm = Math.floor(thing / GUEST_TABLE_KEYS);
  const address = `${vm > 0 ? 'gpa' : 'hpa'} ${hex(((thing % GUEST_TABLE_KEYS) / 8) * 4096)}`;
  const { table } = tablesOf(machine, vm, page.role);
  return joined(nested(machine.machine) && table, `gfn ${hex(page.gfn)}`, ...roleWords(decodeRole(page.role)), `table at ${address}`);
}

const TRACK_KEYS = 2 ** 40;

/** Pages whose bit is set in one word of a dirty log. */
function dirtyText(machine: MachineState, thing: number): string {
  const { vm, slot, firstPage } = dirtyWordOf(thing);
  const words = machine.words(Space.dirtyLog);
  const gpa = slotsAt(machine.words(Space.slot), vm).find(({ id }) => id === slot)?.gpa ?? 0;
  const bits = words.get(thing);
  const pages: string[] = [];
  for (let page = 0; page < 64; page++) if ((bits >> BigInt(page)) & 1n) pages.push(hex(gpa + (firstPage + page) * 4096));
  return pages.length === 0 ? 'clean' : `dirty ${pages.slice(0, 4).join(', ')}${pages.length > 4 ? ` and ${pages.length - 4} more` : ''}`;
}

const VM_KEYS = 256;
const VM_FIELDS: { readonly [field: number]: string } = {
  [VmField.validGeneration]: 'mmu_valid_gen',
  [VmField.usedPages]: 'shadow pages in use',
  [VmField.maxPages]: 'shadow pages at most',
  [VmField.indirectPages]: 'indirect shadow pages',
};
const SLOT_GENERATIONS = 16;

export const SPACE_VIEWS: { readonly [space in Space]: SpaceView } = {
  [Space.memory]: { name: 'memory', thing: itself, what: memoryWhat, text: memoryText, note: memoryNote },

  [Space.register]: {
    name: 'register',
    thing: itself,
    what: registerName,
    text: (machine, thing) => hex(machine.words(Space.register).get(thing)),
    note: (_, thing, from, to) => registerNote(thing, from, to),
  },

  [Space.slot]: {
    name: 'slot',
    thing: (key) => key - (key % 8),
    what: (machine, thing) => `${vmName(machine, Math.floor(thing / SLOT_KEYS))}slot ${((thing % SLOT_KEYS) / 8) & 0xffff}`,
    text: slotText,
    note: created,
  },

  [Space.hostPage]: {
    name: 'host page',
    thing: hostThing,
    what: (machine, thing) => pageText(machine, thing)?.what ?? areaText(machine, thing)?.what ?? null,
    text: (machine, thing) => pageText(machine, thing)?.text ?? areaText(machine, thing)?.text ?? NONE,
    note: created,
  },

  [Space.tlb]: {
    name: 'tlb',
    thing: lineThing,
    what: (machine, thing) => lineOf(machine, thing)?.what ?? null,
    text: (machine, thing) => lineText(machine, thing) ?? NONE,
    note: (_, __, from, to) => (from === NONE ? 'cached' : to === NONE ? 'dropped' : 'replaced'),
  },

  [Space.shadowPage]: {
    name: 'shadow page',
    thing: (key) => key - (key % 8),
    what: shadowPageWhat,
    text: shadowPageText,
    note: (_, __, from, to) => (from === NONE ? 'created' : to === NONE ? 'freed' : null),
  },

  [Space.track]: {
    name: 'write tracking',
    thing: itself,
    what: (machine, thing) => `${vmName(machine, Math.floor(thing / TRACK_KEYS))}gfn ${hex(thing % TRACK_KEYS)}`,
    text: (machine, thing) => String(machine.words(Space.track).lo(thing)),
    note: (_, __, from, to) => (from === '0' ? 'writes are trapped' : to === '0' ? 'no longer trapped' : null),
  },

  [Space.dirtyLog]: {
    name: 'dirty log',
    thing: itself,
    what: (machine, thing) => {
      const { vm, slot } = dirtyWordOf(thing);
      return `${vmName(machine, vm)}slot ${slot & 0x7fff}`;
    },
    text: dirtyText,
  },

  [Space.vm]: {
    name: 'vm',
    thing: itself,
    what: (machine, thing) => {
      const field = thing % VM_KEYS;
      return `${vmName(machine, Math.floor(thing / VM_KEYS))}${VM_FIELDS[field] ?? (field >= SLOT_GENERATIONS ? 'memslot generation' : `field ${field}`)}`;
    },
    text: (machine, thing) => {
      const field = thing % VM_KEYS;
      if (field >= SLOT_GENERATIONS)
        return String(generationAt(machine.words(Space.vm), Math.floor(thing / VM_KEYS), field - SLOT_GENERATIONS));
      return String(join(machine.words(Space.vm).lo(thing), 0));
    },
  },
};
