/**
 * A walk of tables as a grid. In one dimension it is one row: the address, the entries, the address that they lead to. In two dimensions
 * each of its entries is a row: the address at which it lies, what translates that in the second stage, level by level, then the entry
 * itself; and the last row is of the page.
 */
import type { AddressSpace, TableEntry, TableWalk } from '../protocol/translation';
import { CELL_HEIGHT, cell, cellWidths } from './cell';
import { line, part, text, textWidth } from './shapes';
import type { Font, Part } from './shapes';
import { stop, stopWidth } from './stop';
import { WHOSE, titleOf, usedBy } from './words';

/** Between two entries of a row. */
const GAP = 5.5;
/** Between two rows: an arrow leads through it from the end of one to the start of the next. */
const GUTTER = 6;
const TITLE_HEIGHT = 14;
const TABLE: Font = { size: 10.5, bold: true };
const ABOUT: Font = { size: 9.5 };

export interface Placed {
  readonly parts: readonly Part[];
  readonly height: number;
}

interface Cell {
  readonly walk: TableWalk;
  readonly entry: TableEntry;
}

interface Stop {
  readonly space: AddressSpace;
  readonly address: string;
  /** The walk does not come so far. */
  readonly unreached: boolean;
}

interface Row {
  readonly from: Stop;
  /** By level; of one dimension all entries, of two those of the second stage. */
  readonly cells: ReadonlyMap<number, Cell>;
  readonly to: Stop | Cell | null;
}

/** A walk that can be placed at any width from its least on. */
export class Grid {
  private readonly rows: readonly Row[];
  /** Levels of the columns between the first and the last. */
  private readonly levels: readonly number[];
  private readonly widths: readonly Widths[];

  constructor(
    private readonly walk: TableWalk,
    private readonly current: string | null,
  ) {
    this.rows = secondOf(walk) === null ? [flat(walk)] : square(walk);
    this.levels = [...new Set(this.rows.flatMap(({ cells }) => [...cells.keys()]))].sort((a, b) => b - a);
    this.widths = [
      widest(this.rows.map(({ from }) => from)),
      ...this.levels.map((level) => widest(this.rows.map(({ cells }) => cells.get(level) ?? null))),
      widest(this.rows.map(({ to }) => to)),
    ];
  }

  get leastWidth(): number {
    return this.widths.reduce((sum, [least]) => sum + least, GAP * (this.widths.length - 1));
  }

  place(y: number, width: number): Placed {
    const parts: Part[] = [this.title(y, width)];
    const columns = this.columns(width);
    let top = y + TITLE_HEIGHT;
    for (const [i, row] of this.rows.entries()) {
      const ends = i > 0 ? this.rows[i - 1].to : null;
      if (ends !== null) parts.push(this.turn(columns, top, row.from.unreached));
      parts.push(...this.placeRow(row, columns, top));
      top += CELL_HEIGHT + GUTTER;
    }
    return { parts, height: top - GUTTER - y };
  }

  /** Which tables, whose, and who walks them; how many entries are read. */
  private title(y: number, width: number): Part {
    const tables = [this.walk, secondOf(this.walk)].filter((each) => each !== null);
    const base = y + 10;
    const shapes = [];
    let x = 0;
    const say = (said: string, look: string, font: Font): void => {
      const shape = text(x, base, said, look, font);
      shapes.push(shape);
      x += shape.width;
    };
    for (const [i, { table, owner }] of tables.entries()) {
      if (i > 0) say(' × ', 'about', ABOUT);
      say(table, `table ${tables[i].stage}`, TABLE);
      say(` ${WHOSE[owner]}`, 'about', ABOUT);
    }
    const { by } = this.walk;
    say(`  ${usedBy(this.walk)}`, by === 'processor' ? 'about used' : 'about', ABOUT);
    const count = counted(this.rows.flatMap(entriesOf));
    const wide = textWidth(count, ABOUT);
    if (count && x + wide + GAP < width) shapes.push(text(width - wide, base, count, 'about', ABOUT));
    return part('title', shapes, { name: tables.map(titleOf).join(' · ') });
  }

  /** Left and right edges. What there is to spare goes first to columns that leave something out, then to all but the first. */
  private columns(width: number): readonly (readonly [left: number, right: number])[] {
    const spare = Math.max(0, width - this.leastWidth);
    const wanting = this.widths.map(([least, wanted]) => wanted - least);
    const allWanting = wanting.reduce((sum, each) => sum + each, 0);
    const given = Math.min(spare, allWanting);
    const more = (spare - given) / (this.widths.length - 1);
    let x = 0;
    return this.widths.map(([least], i) => {
      const left = x;
      x += least + (allWanting === 0 ? 0 : (wanting[i] / allWanting) * given) + (i === 0 ? 0 : more);
      const right = x;
      x += GAP;
      return [left, right];
    });
  }

  private placeRow({ from, cells, to }: Row, columns: ReturnType<Grid['columns']>, y: number): Part[] {
    const middle = y + CELL_HEIGHT / 2;
    const parts: Part[] = [];
    const put = ([left, right]: readonly [number, number], what: Stop | Cell): void => {
      parts.push(
        'entry' in what
          ? cell(what.walk, what.entry, left, y, right - left, this.current)
          : stop(what.space, what.address, left, y, right - left, what.unreached ? 'unreached' : ''),
      );
    };
    put(columns[0], from);
    let edge = columns[0][1];
    const reach = (left: number, look: string): void => {
      parts.push(part(`way ${look}`, [line([[edge, middle], [left, middle]], 'thread', true)])); // prettier-ignore
    };
    for (const [i, level] of this.levels.entries()) {
      const here = cells.get(level);
      if (!here) continue;
      reach(columns[i + 1][0], here.entry.state);
      put(columns[i + 1], here);
      edge = columns[i + 1][1];
    }
    if (to === null) return parts;
    const last = columns[columns.length - 1];
    reach(last[0], 'entry' in to ? to.entry.state : to.unreached ? 'unreached' : '');
    put(last, to);
    return parts;
  }

  /** From the end of the row above to the start of this one. */
  private turn(columns: ReturnType<Grid['columns']>, y: number, unreached: boolean): Part {
    const [left, right] = [columns[0], columns[columns.length - 1]].map(([from, to]) => (from + to) / 2);
    const between = y - GUTTER / 2;
    return part(unreached ? 'way unreached' : 'way', [
      line([[right, y - GUTTER], [right, between], [left, between], [left, y]], 'thread', true),
    ]); // prettier-ignore
  }
}

/** Least and wanted width of a column. */
type Widths = readonly [least: number, wanted: number];

function widest(column: readonly (Stop | Cell | null)[]): Widths {
  const widths = column.map((each): Widths => {
    if (each === null) return [0, 0];
    if ('entry' in each) return cellWidths(each.entry);
    const width = Math.ceil(stopWidth(each.space, each.address));
    return [width, width];
  });
  return [Math.max(...widths.map(([least]) => least)), Math.max(...widths.map(([, wanted]) => wanted))];
}

/** `4 entries read · ○ 16 cached`: how many of each, with the sign of it. */
function counted(entries: readonly TableEntry[]): string {
  const of = (state: TableEntry['state']): number => entries.filter((each) => each.state === state).length;
  const [read, cached] = [of('read'), of('cached')];
  const said = [read > 0 && `${read} ${read === 1 ? 'entry' : 'entries'} read`, cached > 0 && `○ ${cached} cached`];
  return said.filter(Boolean).join(' · ');
}

/** The second stage beneath a walk; null: there is none. */
function secondOf({ entries, then }: TableWalk): TableWalk | null {
  return then ?? entries.find(({ via }) => via !== null)?.via ?? null;
}

function entriesOf({ cells, to }: Row): TableEntry[] {
  const last = to !== null && 'entry' in to ? [to.entry] : [];
  return [...[...cells.values()].map(({ entry }) => entry), ...last];
}

/** An end that the processor, or who walks there, does not come to. */
function isUnreached(entry: TableEntry | undefined): boolean {
  return entry !== undefined && (entry.state === 'unreached' || (entry.decides !== null && entry.decides !== 'mmio'));
}

function flat(walk: TableWalk): Row {
  const { from, to, entries } = walk;
  return {
    from: { ...from, unreached: false },
    cells: cellsOf(walk),
    to: to && { ...to, unreached: isUnreached(entries.at(-1)) },
  };
}

function square(walk: TableWalk): Row[] {
  const { entries, to, then } = walk;
  const rows = entries.map((entry): Row => {
    const { at, via, state } = entry;
    const space = via?.from.space ?? walk.to?.space ?? 'GPA';
    return {
      from: { space, address: at ?? 'register', unreached: state === 'unreached' && isUntouched(via) },
      cells: via ? cellsOf(via) : new Map<number, Cell>(),
      to: { walk, entry },
    };
  });
  if (to === null) return rows;
  const last = then?.entries.at(-1);
  const stopped = isUnreached(entries.at(-1));
  rows.push({
    from: { ...to, unreached: stopped || isUntouched(then) },
    cells: then ? cellsOf(then) : new Map<number, Cell>(),
    to: then?.to ? { ...then.to, unreached: stopped || isUnreached(last) } : null,
  });
  return rows;
}

/** Nothing of a walk is used. */
function isUntouched(walk: TableWalk | null): boolean {
  return walk === null || walk.entries.every(({ state }) => state === 'unreached');
}

function cellsOf(walk: TableWalk): Map<number, Cell> {
  return new Map(walk.entries.map((entry) => [entry.level, { walk, entry }]));
}
