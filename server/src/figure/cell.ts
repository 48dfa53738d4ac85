/** An entry of a paging structure as a cell: its number in the order of reading, its name, its bits, and beneath them its value. */
import type { EntryBit, TableEntry, TableWalk } from '../protocol/translation';
import { box, line, part, text, textWidth } from './shapes';
import type { Font, Part, Shape } from './shapes';
import { entryName } from './words';

export const CELL_HEIGHT = 27;
const MARGIN = 3.5;
const GAP = 3.5;
/** Base lines of the two lines of text. */
const FIRST = 11;
const SECOND = 22.5;
const RADIUS = 6;

const LABEL: Font = { size: 9.5, mono: true, bold: true };
const BITS: Font = { size: 9, mono: true };
const VALUE: Font = { size: 9, mono: true };
const NUMBER: Font = { size: 8.5, mono: true, bold: true };

const MARK = 2 * RADIUS + GAP;
/** Between two bits. */
const SPACE = 3.5;
/** There are more bits. */
const DOTS = '…';
/** Bits that a cell should have room for: rights, and what is set by use. */
const MOST_WANTED = 4;

/** The bits that must be seen: those that stop the access. */
const denying = ({ bits }: TableEntry): readonly EntryBit[] => bits.filter(({ denies }) => denies);

function bitsWidth(bits: readonly EntryBit[]): number {
  return bits.reduce((sum, { name }) => sum + textWidth(name, BITS) + SPACE, 0);
}

function labelText({ label, index }: TableEntry): string {
  return `${label}[${index}]`;
}

/** What stands in place of the value or behind it. */
function valueText({ value, note }: TableEntry): string {
  if (value === null) return 'no memory';
  return value === '0x0' && note === 'not present' ? '0x0, not present' : value;
}

/** Bits that say something here: those that are set, and those that stop the access. */
function telling(entry: TableEntry): readonly EntryBit[] {
  return isZero(entry) ? denying(entry) : entry.bits.filter(({ set, denies }) => set || denies);
}

function isZero({ value }: TableEntry): boolean {
  return value === null || value === '0x0';
}

/** Widths of an entry's cell: the least, in which nothing is left out that must be seen, and that in which what matters most is seen. */
export function cellWidths(entry: TableEntry): readonly [least: number, wanted: number] {
  const [must, all] = [denying(entry), telling(entry)];
  const most = all.filter(({ denies }) => !denies).slice(0, Math.max(0, MOST_WANTED - must.length));
  const label = MARK + textWidth(labelText(entry), LABEL) + GAP;
  const value = textWidth(valueText(entry), VALUE);
  const width = (bits: readonly EntryBit[]): number => {
    const dots = bits.length < all.length ? textWidth(DOTS, BITS) + SPACE : 0;
    return Math.ceil(2 * MARGIN + Math.max(label + bitsWidth(bits) + dots, value));
  };
  return [width(must), width([...must, ...most])];
}

/** @param current address of the entry that is in question */
export function cell(walk: TableWalk, entry: TableEntry, x: number, y: number, width: number, current: string | null): Part {
  const { state, decides, was, at } = entry;
  const look = [
    'entry',
    walk.stage,
    state,
    decides && `decides ${decides}`,
    was !== null && 'changed',
    current !== null && at === current && 'current',
  ].filter(Boolean);
  const left = x + MARGIN;
  const label = text(left + MARK, y + FIRST, labelText(entry), 'label', LABEL);
  const shapes: Shape[] = [
    box(x, y, width, CELL_HEIGHT, 'ground'),
    ...mark(entry, left, y),
    label,
    ...bitShapes(entry, label.x + label.width + GAP, x + width - MARGIN, y + FIRST),
    text(left, y + SECOND, valueText(entry), 'value', VALUE),
  ];
  if (was !== null) shapes.push(box(x + width - 6, y + CELL_HEIGHT - 6, 4, 4, 'change', 2));
  return part(look.join(' '), shapes, { name: entryName(walk, entry), of: { walk, entry } });
}

/** The number of the reference; a ring for what a cache spares. */
function mark({ reference, state }: TableEntry, x: number, y: number): Shape[] {
  if (reference === null) return state === 'cached' ? [box(x + RADIUS - 4, y + FIRST - RADIUS - 0.5, 6, 6, 'spared', 3)] : [];
  const digits = textWidth(String(reference), NUMBER);
  const wide = Math.max(2 * RADIUS, digits + 3);
  return [
    box(x, y + FIRST - RADIUS - 3.5, wide, 2 * RADIUS, 'disc', RADIUS),
    text(x + (wide - digits) / 2, y + FIRST - 0.4, String(reference), 'number', NUMBER),
  ];
}

/** Bits from the right: those that stop the access struck through, the others as many as there is room for. */
function bitShapes(entry: TableEntry, from: number, to: number, y: number): Shape[] {
  const all = telling(entry);
  const most = to - from;
  if (bitsWidth(all) <= most) return bitRow(all, to, y);
  const dots = textWidth(DOTS, BITS) + SPACE;
  const shown = new Set(denying(entry));
  for (const bit of all) {
    if (bitsWidth([...shown, bit]) + dots > most) break;
    shown.add(bit);
  }
  const row = bitRow(
    all.filter((bit) => shown.has(bit)),
    to - dots,
    y,
  );
  return [...row, text(to - textWidth(DOTS, BITS), y, DOTS, 'bit', BITS)];
}

function bitRow(bits: readonly EntryBit[], to: number, y: number): Shape[] {
  const shapes: Shape[] = [];
  let x = to - bitsWidth(bits) + SPACE;
  for (const { name, denies } of bits) {
    const shape = text(x, y, name, denies ? 'bit denies' : 'bit', denies ? { ...BITS, bold: true } : BITS);
    shapes.push(shape);
    if (denies) shapes.push(line([[x - 1.5, y - 3], [x + shape.width + 1.5, y - 3]], 'strike')); // prettier-ignore
    x += shape.width + SPACE;
  }
  return shapes;
}
