/** Changed words of memory: whose they are, and as entries where they stand in a paging structure. */
import { Space } from '../engine/journal/events';
import { shadowPageAt } from '../engine/mmu/shadow-page';
import type { EntryBit } from '../protocol/messages';
import { levelName } from './decode';
import { bitNames, entryBits, spteBits, spteFormat, spteNote } from './entries';
import { guestTables } from './guest-tables';
import type { MachineState } from './machine-state';
import { levelOf } from '../engine/mmu/role';
import { hex } from './text';

const PAGE = 4096;

/** What a word is: an entry of some table, or data. */
type Word =
  | { readonly is: 'spte'; readonly level: number; readonly index: number; readonly gfn: number }
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
  const page = shadowPageAt(machine.words(Space.shadowPage), frame);
  if (page) return { is: 'spte', level: levelOf(page.role), index: offset / 8, gfn: page.gfn };
  const behind = machine.gpaOf(hpa);
  if (!behind) return { is: 'data', gpa: null, vm: 0 };
  const table = guestTables(machine, behind.vm).get(Math.floor(behind.gpa / PAGE));
  if (!table) return { is: 'data', ...behind };
  const narrow = table.kind === '32-bit';
  return { is: 'entry', level: table.level, index: narrow ? offset / 4 : offset / 8, narrow, ...behind };
}

export function memoryWhat(machine: MachineState, hpa: number): string {
  const word = wordAt(machine, hpa);
  switch (word.is) {
    case 'spte':
      return `${hostTableName(machine, word.level)}[${word.index}] of gfn ${hex(word.gfn)}`;
    case 'entry':
      return `${vmPrefix(machine, word.vm)}${levelName(word.level)}[${word.index}] at gpa ${hex(word.gpa)}`;
    case 'data':
      return word.gpa === null ? `hpa ${hex(hpa)}` : `${vmPrefix(machine, word.vm)}gpa ${hex(word.gpa)}`;
  }
}

function vmPrefix({ machine }: MachineState, vm: number): string {
  return machine.vms.length > 1 ? `${machine.vms[vm].name} ` : '';
}

/** `EPT1`, `NPT1`, `shadow PT`: a table that L0 made. */
function hostTableName({ machine }: MachineState, level: number): string {
  const { mmu } = machine.vms[0];
  return mmu === 'soft' ? `shadow ${levelName(level)}` : `${mmu.toUpperCase()}${level}`;
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
  const ept = word.is === 'spte' && machine.machine.vms[0].mmu === 'ept';
  const mmio = word.is === 'spte' ? spteNote(spteFormat(machine.host, ept), now) : null;
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
  const ept = machine.machine.vms[0].mmu === 'ept';
  return [...entryBits(ept ? 'ept' : 'paging', word.level, value), ...spteBits(spteFormat(machine.host, ept), word.level, value)];
}
