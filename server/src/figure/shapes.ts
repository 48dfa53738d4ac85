/** What a figure consists of, as plain data: who draws it decides on colours and fonts. Lengths are pixels, from the upper left corner. */
import type { TableEntry, TableWalk } from '../protocol/translation';

/** Names of what a shape is, by which its colours are chosen (style.ts). */
type Look = string;

export interface Box {
  readonly kind: 'box';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Radius of the corners. */
  readonly round: number;
  readonly look: Look;
}

export interface Text {
  readonly kind: 'text';
  /** Its left end. */
  readonly x: number;
  /** Its base line. */
  readonly y: number;
  readonly text: string;
  readonly size: number;
  readonly mono: boolean;
  readonly bold: boolean;
  /** No font in use takes more ({@link textWidth}). */
  readonly width: number;
  readonly look: Look;
}

/** A line through points; with an arrow's head at its end. */
export interface Line {
  readonly kind: 'line';
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly arrow: boolean;
  readonly look: Look;
}

export type Shape = Box | Text | Line;

/** An entry of a paging structure in the figure. */
export interface EntryPart {
  readonly walk: TableWalk;
  readonly entry: TableEntry;
}

/** Shapes that are one thing for who looks at them. */
export interface Part {
  readonly look: Look;
  /** What it says, for who does not see it; null: it only decorates. */
  readonly name: string | null;
  /** Null: it is no entry. */
  readonly of: EntryPart | null;
  /** Section of docs/outcomes.md that explains it. */
  readonly section: string | null;
  readonly shapes: readonly Shape[];
}

export interface Figure {
  readonly width: number;
  readonly height: number;
  /** What the figure shows, in a sentence. */
  readonly name: string;
  readonly parts: readonly Part[];
}

export function box(x: number, y: number, width: number, height: number, look: Look, round = 3): Box {
  return { kind: 'box', x, y, width, height, round, look };
}

export function line(points: Line['points'], look: Look, arrow = false): Line {
  return { kind: 'line', points, arrow, look };
}

export interface Font {
  readonly size: number;
  readonly mono?: boolean;
  readonly bold?: boolean;
}

/** @param x of its left end */
export function text(x: number, y: number, said: string, look: Look, { size, mono = false, bold = false }: Font): Text {
  return { kind: 'text', x, y, text: said, size, mono, bold, width: textWidth(said, { size, mono, bold }), look };
}

export function part(look: Look, shapes: readonly Shape[], { name = null, of = null, section = null }: Partial<Part> = {}): Part {
  return { look, name, of, section, shapes };
}

/** Of the em; DejaVu's, which are the widest of the fonts that editors and browsers use. */
const MONO = 0.605;
const BOLD = 1.12;
const OTHERS = 0.64;
const WIDTHS: readonly (readonly [characters: string, width: number])[] = [
  ["ijl|!'.,:;·", 0.33],
  [' ft()[]/r-', 0.42],
  ['mwMW@%→×', 0.99],
  ['ABCDEFGHIJKLNOPQRSTUVXYZ_#+=<>○', 0.79],
];
const WIDTH_OF = new Map(WIDTHS.flatMap(([characters, width]) => [...characters].map((each): [string, number] => [each, width])));

/** Width that no font in use exceeds. */
export function textWidth(said: string, { size, mono = false, bold = false }: Font): number {
  if (mono) return said.length * MONO * size;
  let width = 0;
  for (const character of said) width += WIDTH_OF.get(character) ?? OTHERS;
  return width * size * (bold ? BOLD : 1);
}

/** A text in lines of at most so many pixels; a word that is wider has a line of its own. */
export function wrapped(said: string, most: number, font: Font): string[] {
  const lines: string[] = [];
  for (const word of said.split(' ')) {
    const longer = lines.length > 0 ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length > 0 && textWidth(longer, font) <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
