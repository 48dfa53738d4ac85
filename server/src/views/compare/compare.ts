/** Runs beside each other: statements aligned, what differs named, totals in columns. */
import type {
  ChangedEntry,
  ComparedCount,
  ComparedLine,
  ComparedRun,
  ComparedStatement,
  ComparisonView,
  Difference,
} from '../../protocol/comparison';
import type { NamedCount } from '../../protocol/totals';
import { aligned } from './align';
import { distinct } from './distinct';

/** @param runs two or more; the others are aligned with the first
 * @param labels what they are called in columns; without, what of their names is not the same
 */
export function compare(runs: readonly ComparedRun[], labels: readonly string[] = distinct(runs.map(({ name }) => name))): ComparisonView {
  const comparable = comparableTables(runs);
  const lines = rowsOf(runs).map((row): ComparedLine => {
    const differs = differences(row, comparable);
    return { in: differs.includes('entries') ? row.map((cell) => cell && differingFirst(cell, row)) : row, differs };
  });
  return {
    runs: runs.map(({ name, ended }, index) => ({ name, short: labels[index], ended })),
    lines,
    exits: beside(runs, ({ exits }) => exits),
    references: beside(runs, ({ references }) => references),
    statistics: beside(runs, ({ statistics }) => statistics),
    differing: lines.filter(({ differs }) => differs.length > 0).length,
  };
}

type Row = (ComparedStatement | null)[];

/** Rows of aligned statements. A statement that the first run has not gets a row where it stands among those that it has. */
function rowsOf([first, ...others]: readonly ComparedRun[]): Row[] {
  let rows: Row[] = first.statements.map((statement) => [statement]);
  for (const [index, { statements }] of others.entries()) {
    const pairs = aligned(
      rows.map((row) => written(row)),
      statements.map(({ text }) => text),
    );
    const none: Row = new Array<null>(index + 1).fill(null);
    rows = pairs.map(([one, other]) => [...(one === null ? none : rows[one]), other === null ? null : statements[other]]);
  }
  return rows;
}

const written = (row: Row): string => row.find((each) => each !== null)!.text;

function differences(row: Row, { tables, all }: Comparable): Difference[] {
  const there = row.filter((each) => each !== null);
  const differs: Difference[] = [];
  if (there.length < row.length) return ['executed'];
  const of = (what: Difference, text: (statement: ComparedStatement) => string): void => {
    if (there.some((each) => text(each) !== text(there[0]))) differs.push(what);
  };
  of('text', ({ text }) => text);
  of('outcome', ({ outcome, times }) => `${times} ${outcome}`);
  of('expectations', ({ failed }) => failed.join('\n'));
  of('exits', ({ exits }) => counted(exits));
  of('references', ({ references }) => String(references));
  of('entries', ({ entries, moreEntries }) =>
    changed(
      entries.filter(({ what }) => tables.has(tableOf(what))),
      all ? moreEntries : 0,
    ),
  );
  return differs;
}

/** Entries that did not become the same in all other runs stand first. */
function differingFirst(cell: ComparedStatement, row: Row): ComparedStatement {
  const others = row.filter((each) => each !== null && each !== cell).map((each) => new Set(each!.entries.map(became)));
  const alone = (entry: ChangedEntry): boolean => others.some((other) => !other.has(became(entry)));
  return { ...cell, entries: [...cell.entries.filter(alone), ...cell.entries.filter((entry) => !alone(entry))] };
}

/** What it was before follows from the statements before. */
const became = ({ what, to }: ChangedEntry): string => `${what} ${to}`;

function counted(counts: readonly NamedCount[]): string {
  return counts
    .map(({ name, count }) => `${name} ${count}`)
    .sort()
    .join();
}

function changed(entries: readonly ChangedEntry[], more: number): string {
  return [...entries.map(became).sort(), String(more)].join('\n');
}

/** Which tables an entry is of: `EPT1`, `shadow PT`, `l1 PD`. */
const tableOf = (what: string): string => what.slice(0, Math.max(0, what.indexOf('[')));

/** Tables whose entries are compared: those that each run has changed. Shadow tables and EPT are not to be compared with each other. */
interface Comparable {
  readonly tables: ReadonlySet<string>;
  /** They are all that there are. */
  readonly all: boolean;
}

function comparableTables(runs: readonly ComparedRun[]): Comparable {
  const changed = runs.map(({ statements }) => new Set(statements.flatMap(({ entries }) => entries.map(({ what }) => tableOf(what)))));
  const tables = new Set([...changed[0]].filter((table) => changed.every((each) => each.has(table))));
  return { tables, all: changed.every(({ size }) => size === tables.size) };
}

/** Counts by name, in the order in which they come. */
function beside(runs: readonly ComparedRun[], of: (run: ComparedRun) => readonly NamedCount[]): ComparedCount[] {
  const names = new Set(runs.flatMap((run) => of(run).map(({ name }) => name)));
  return [...names].map((name) => ({ name, counts: runs.map((run) => of(run).find((each) => each.name === name)?.count ?? 0) }));
}
