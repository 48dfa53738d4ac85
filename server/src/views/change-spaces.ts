/** The spaces of state changes, read back for people: what a key is a part of, and how that thing stands at a point of a run. */
import { Space, SPACES, VmField } from '../engine/journal/spaces';
import { areaAt, areaThing, pageText, pageWhat } from './change-host';
import { memoryNote, memoryText, memoryWhat, tablesOf } from './change-memory';
import { slotsAt } from '../engine/memory/slot-records';
import { shadowPageAt } from '../engine/mmu/pages/shadow-page';
import { REGISTER_BITS } from '../engine/vcpu/control-registers';
import { Bank, Register } from '../engine/vcpu/registers';
import { lineOf, lineText, lineThing } from './cached';
import { nested } from '../events/guests';
import type { MachineState } from './machine-state';
import { registerName } from '../events/registers';
import { decodeRole, roleWords } from '../events/page-role';
import { bytes, hex, joined } from '../events/wording';

const REGISTER = SPACES[Space.register].key;
const SLOT = SPACES[Space.slot].key;
const SHADOW_PAGE = SPACES[Space.shadowPage].key;
const TRACK = SPACES[Space.track].key;
const DIRTY_LOG = SPACES[Space.dirtyLog].key;

interface SpaceView {
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

/** Named bits of registers, also of what stands in hardware. */
export const BITS_OF_REGISTERS: { readonly [register: number]: { readonly [bit: string]: number } } = {
  [Register.cr0]: REGISTER_BITS.cr0,
  [Register.hwCr0]: REGISTER_BITS.cr0,
  [Register.cr4]: REGISTER_BITS.cr4,
  [Register.hwCr4]: REGISTER_BITS.cr4,
  [Register.efer]: REGISTER_BITS.efer,
  [Register.hwEfer]: REGISTER_BITS.efer,
  [Register.rflags]: REGISTER_BITS.eflags,
};

/** `CR3`, `EPTP`; where a VM stands in a VM also whose, or in which control structure. */
function ownRegisterName(machine: MachineState, thing: number): string {
  const { host } = machine;
  const { vcpu, bank, register } = REGISTER.decode(thing);
  const owner = ownerOf(machine, vcpu, bank, register);
  if (register === (Register.secondRoot as number)) return `${owner}${host.vendor === 'intel' ? 'EPTP' : 'nCR3'}`;
  if (register === (Register.vpid as number)) return `${owner}${host.vendor === 'intel' ? 'VPID' : 'ASID'}`;
  return `${owner}${registerName(register)}`;
}

function ownerOf({ machine, host, vcpus }: MachineState, vcpu: number, bank: Bank, register: Register): string {
  const { vms } = machine;
  let [first, vm] = [0, 0];
  while (vm < vms.length - 1 && vcpu >= first + vms[vm].vcpus.length) first += vms[vm++].vcpus.length;
  const several = vms[vm].vcpus.length > 1 ? `vCPU ${vcpu - first} ` : '';
  if (!nested(machine)) return vcpus > 1 ? `vCPU ${vcpu} ` : '';
  const control = host.vendor === 'intel' ? 'vmcs' : 'vmcb';
  if (bank === Bank.nested) return `${several}${control}02 `;
  return register >= Register.hwCr0 ? `${several}${control}${vms[vm].parent === null ? '01' : '12'} ` : `${vms[vm].name} ${several}`;
}

function registerNote(thing: number, from: string, to: string): string | null {
  const value = (text: string): bigint => BigInt(text.replaceAll('_', ''));
  const changed = value(from) ^ value(to);
  const notes = Object.entries(BITS_OF_REGISTERS[REGISTER.field(thing, 'register')] ?? {})
    .filter(([, mask]) => (changed & BigInt(mask >>> 0)) !== 0n)
    .map(([name, mask]) => `${name.toUpperCase()} ${(value(to) & BigInt(mask >>> 0)) !== 0n ? 'set' : 'cleared'}`);
  return notes.length > 0 ? notes.join(', ') : null;
}

function slotText(machine: MachineState, thing: number): string {
  const { vm, id } = SLOT.decode(thing);
  const slot = slotsAt(machine.words(Space.slot), vm).find((each) => each.id === id);
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
  const { frame, memory } = SHADOW_PAGE.decode(thing);
  const page = shadowPageAt(machine.words(Space.shadowPage), frame, memory);
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
  const { frame, memory } = SHADOW_PAGE.decode(thing);
  const page = shadowPageAt(machine.words(Space.shadowPage), frame, memory);
  if (!page) return null;
  const address = `${memory > 0 ? 'gpa' : 'hpa'} ${hex(frame * 4096)}`;
  const { table } = tablesOf(machine, memory, page.role);
  return joined(nested(machine.machine) && table, `gfn ${hex(page.gfn)}`, ...roleWords(decodeRole(page.role)), `table at ${address}`);
}

/** Pages whose bit is set in one word of a dirty log. */
function dirtyText(machine: MachineState, thing: number): string {
  const { vm, addressSpace, slot, word } = DIRTY_LOG.decode(thing);
  const words = machine.words(Space.dirtyLog);
  const gpa = slotsAt(machine.words(Space.slot), vm).find(({ id }) => id === addressSpace * 0x1_0000 + slot)?.gpa ?? 0;
  const bits = words.get(thing);
  const pages: string[] = [];
  for (let page = 0; page < 64; page++) if ((bits >> BigInt(page)) & 1n) pages.push(hex(gpa + (word * 64 + page) * 4096));
  return pages.length === 0 ? 'clean' : `dirty ${pages.slice(0, 4).join(', ')}${pages.length > 4 ? ` and ${pages.length - 4} more` : ''}`;
}

const VM_FIELDS: { readonly [field: number]: string } = {
  [VmField.validGeneration]: 'mmu_valid_gen',
  [VmField.usedPages]: 'shadow pages in use',
  [VmField.maxPages]: 'shadow pages at most',
  [VmField.indirectPages]: 'indirect shadow pages',
  [VmField.slotGeneration]: 'memslot generation',
  [VmField.slotGeneration + 1]: 'memslot generation',
};

export const SPACE_VIEWS: { readonly [space in Space]: SpaceView } = {
  [Space.memory]: { name: 'memory', thing: itself, what: memoryWhat, text: memoryText, note: memoryNote },

  [Space.register]: {
    name: 'register',
    thing: itself,
    what: ownRegisterName,
    text: (machine, thing) => hex(machine.words(Space.register).get(thing)),
    note: (_, thing, from, to) => registerNote(thing, from, to),
  },

  [Space.slot]: {
    name: 'slot',
    thing: (key) => SLOT.with(key, 'field', 0),
    what: (machine, thing) => `${vmName(machine, SLOT.field(thing, 'vm'))}slot ${SLOT.field(thing, 'id') & 0xffff}`,
    text: slotText,
    note: created,
  },

  [Space.hostPage]: {
    name: 'host page',
    thing: itself,
    what: (_, thing) => pageWhat(thing),
    text: (machine, thing) => pageText(machine, thing) ?? NONE,
    note: created,
  },

  [Space.hostArea]: {
    name: 'host page',
    thing: areaThing,
    what: (machine, thing) => areaAt(machine, thing)?.what ?? null,
    text: (machine, thing) => areaAt(machine, thing)?.text ?? NONE,
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
    thing: (key) => SHADOW_PAGE.with(key, 'field', 0),
    what: shadowPageWhat,
    text: shadowPageText,
    note: (_, __, from, to) => (from === NONE ? 'created' : to === NONE ? 'freed' : null),
  },

  [Space.track]: {
    name: 'write tracking',
    thing: itself,
    what: (machine, thing) => `${vmName(machine, TRACK.field(thing, 'vm'))}gfn ${hex(TRACK.field(thing, 'gfn'))}`,
    text: (machine, thing) => String(machine.words(Space.track).lo(thing)),
    note: (_, __, from, to) => (from === '0' ? 'writes are trapped' : to === '0' ? 'no longer trapped' : null),
  },

  [Space.dirtyLog]: {
    name: 'dirty log',
    thing: itself,
    what: (machine, thing) => `${vmName(machine, DIRTY_LOG.field(thing, 'vm'))}slot ${DIRTY_LOG.field(thing, 'slot')}`,
    text: dirtyText,
  },

  [Space.vm]: {
    name: 'vm',
    thing: itself,
    what: (machine, thing) => {
      const { vm, field } = SPACES[Space.vm].key.decode(thing);
      return `${vmName(machine, vm)}${VM_FIELDS[field] ?? `field ${field}`}`;
    },
    text: (machine, thing) => machine.words(Space.vm).get(thing).toString(),
  },

  // What stands behind the tags of TLB lines shows in these.
  [Space.tlbTag]: { name: 'tlb', thing: () => null, what: () => null, text: () => NONE },
};
