/** Changed words of memory: whose they are, and as entries where they stand in a paging structure. */
import { Space } from '../engine/journal/spaces';
import { shadowPageAt } from '../engine/mmu/pages/shadow-page';
import type { EntryBit } from '../protocol/translation';
import { levelName } from '../events/decode';
import { bitNames, entryBits, spteBits, spteFormat, spteNote } from '../events/entry-text';
import { guestTables } from './guest-tables';
import type { MachineState } from './machine-state';
import { Role, levelOf } from '../engine/mmu/pages/role';
import { hex } from '../events/wording';
import { tableNames } from './way/tables';

const PAGE = 4096;

/** What a word is: an entry of some table, or data. */
type Word =
  | {
      readonly is: 'spte';
      readonly table: string;
      readonly ept: boolean;
      readonly level: number;
      readonly index: number;
      readonly gfn: number;
    }
  | {
      readonly is: 'entry';
      readonly level: number;
      readonly index: number;
      readonly gpa: number;
      readonly vm: number;
      readonly narrow: boolean;
    }
  | { readonly is: 'data'; readonly gpa: number | null; readonly vm: number };

function wordAt(machine: MachineState, hpa: number): Word {
  const frame = Math.floor(hpa / PAGE);
  const offset = hpa % PAGE;
  const index = offset / 8;
  const words = machine.words(Space.shadowPage);
  const page = shadowPageAt(words, frame);
  if (page) return { is: 'spte', ...tablesOf(machine, 0, page.role), level: levelOf(page.role), index, gfn: page.gfn };
  const places = machine.placesOf(hpa);
  const [outer] = places;
  if (!outer) return { is: 'data', gpa: null, vm: 0 };
  for (let vm = 0; vm < machine.machine.vms.length; vm++) {
    if (machine.machine.vms[vm].parent !== outer.vm) continue;
    const made = shadowPageAt(words, Math.floor(outer.gpa / PAGE), vm);
    if (made) return { is: 'spte', ...tablesOf(machine, vm, made.role), level: levelOf(made.role), index, gfn: made.gfn };
  }
  // The innermost VM that has a table there; in none of them it is data of the innermost.
  for (const place of [...places].reverse()) {
    const table = guestTables(machine, place.vm).get(Math.floor(place.gpa / PAGE));
    if (!table) continue;
    const narrow = table.kind === '32-bit';
    return { is: 'entry', level: table.level, index: narrow ? offset / 4 : index, narrow, ...place };
  }
  return { is: 'data', ...places.at(-1)! };
}

/** What a hypervisor's tables are called, and their format. @param vm the guest: of L0 any, as its kind is that of all */
export function tablesOf({ machine }: MachineState, vm: number, role: number): { table: string; ept: boolean } {
  const inner = machine.vms.findIndex(({ parent }) => parent !== null);
  const { mmu, parent } = machine.vms[vm];
  const guestMode = (role & Role.guestMode) !== 0 && inner >= 0;
  const names = tableNames(machine, guestMode ? inner : vm);
  const name = parent === null ? names.l0 : names.l1!;
  return { table: name === 'SPT' ? 'shadow' : name, ept: mmu === 'ept' };
}

export function memoryWhat(machine: MachineState, hpa: number): string {
  const word = wordAt(machine, hpa);
  switch (word.is) {
    case 'spte':
      return `${entryName(word)}[${word.index}] of gfn ${hex(word.gfn)}`;
    case 'entry':
      return `${vmPrefix(machine, word.vm)}${levelName(word.level)}[${word.index}] at ${physical(machine, word.vm)} ${hex(word.gpa)}`;
    case 'data':
      return word.gpa === null ? `hpa ${hex(hpa)}` : `${vmPrefix(machine, word.vm)}${physical(machine, word.vm)} ${hex(word.gpa)}`;
  }
}

const physical = ({ machine }: MachineState, vm: number): string => (machine.vms[vm].parent === null ? 'gpa' : 'ngpa');

/** `EPT1`, `shadow PT`, `SPT12 PT`, `EPT02 PT`: a table that a hypervisor made. */
function entryName({ table, level }: { readonly table: string; readonly level: number }): string {
  return /^(EPT|NPT)$/.test(table) ? `${table}${level}` : `${table} ${levelName(level)}`;
}

function vmPrefix({ machine }: MachineState, vm: number): string {
  return machine.vms.length > 1 ? `${machine.vms[vm].name} ` : '';
}

export function memoryText(machine: MachineState, hpa: number): string {
  return hex(machine.word(hpa));
}

/** What became of an entry: `A, D set`, `now P R/W U/S A`, `cleared`. */
export function memoryNote(machine: MachineState, hpa: number, from: string, to: string): string | null {
  const word = wordAt(machine, hpa);
  if (word.is === 'data') return null;
  const [old, now] = [from, to].map((text) => BigInt(text.replaceAll('_', '')));
  const before = bitsOf(machine, word, old);
  const after = bitsOf(machine, word, now);
  if (now === 0n) return 'cleared';
  const mmio = word.is === 'spte' ? spteNote(spteFormat(machine.host, word.ept), now) : null;
  if (mmio) return mmio;
  const frames = 0x000f_ffff_ffff_f000n;
  if (old === 0n || (old & frames) !== (now & frames)) return `now ${bitNames(after)}`;
  const name = ({ name: text }: EntryBit): string => text;
  const was = new Set(before.filter(({ set }) => set).map(name));
  const is = new Set(after.filter(({ set }) => set).map(name));
  const set = [...is].filter((each) => !was.has(each));
  const cleared = [...was].filter((each) => !is.has(each));
  return (
    [set.length > 0 && `${set.join(', ')} set`, cleared.length > 0 && `${cleared.join(', ')} cleared`].filter(Boolean).join('; ') || null
  );
}

function bitsOf(machine: MachineState, word: Exclude<Word, { is: 'data' }>, value: bigint): EntryBit[] {
  if (word.is === 'entry') return entryBits(word.narrow ? '32-bit' : 'paging', word.level, value);
  const { ept } = word;
  return [...entryBits(ept ? 'ept' : 'paging', word.level, value), ...spteBits(spteFormat(machine.host, ept), word.level, value)];
}
