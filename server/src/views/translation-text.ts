/** The way of an address in writing: for the terminal, and as Markdown for the editor's hover. */
import { bitNames } from '../events/entry-text';
import type { Station, TableEntry, TableOwner, TableWalk, TranslationView } from '../protocol/translation';

/** Lines for the terminal. */
export function translationText(view: TranslationView): string[] {
  const { section } = view.end.section === null && view.now !== null ? view.now : view.end;
  const explained = section === null ? [] : [`explained in docs/outcomes.md#${section}`];
  return [[view.outcome, ...view.notes].join(' · '), ...table(view), ...explained];
}

/**
 * For a hover: the way in one line, what came of it, then entry by entry in a code block, whose columns line up in a monospaced font.
 *
 * @param part `hypervisors`: without the guest's own tables and the memory, but for what the hypervisors' tables have not got
 */
export function translationMarkdown(view: TranslationView, part: 'all' | 'hypervisors' = 'all'): string {
  const lines = table(view, part);
  const head = headline(view);
  return lines.length === 0 ? head : `${head}\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\``;
}

/** `GVA 0x40_0123 → GPA 0x20_0123 → HVA 0x7f00_0020_0123 → HPA 0x61_0123` and what came of it. */
function headline({ stations, outcome, notes }: TranslationView): string {
  const way = stations.filter(({ address }) => address !== null).map(({ space, address }) => `${space} \`${address}\``).join(' → '); // prettier-ignore
  // The last station already says where it led.
  const rest = [outcome.replace(/^→ \w+ \S+?( · |: |$)/, ''), ...notes].filter(Boolean).join(' · ');
  return rest ? `${way}  \n${rest}` : way;
}

interface Row {
  readonly cells: readonly string[];
  readonly note: string;
}

const INDENT = '  ';

/** Of tables that have numbers in their names, where a VM stands in a VM. */
function aboutTables({ table: name, owner, by }: TableWalk): string {
  const whose: { readonly [owner in TableOwner]: string } = { guest: "the guest's", L0: "L0's", L1: "L1's", L2: "L2's" };
  const what = /(01g?|12|02)$/.test(name) ? `tables for ${FOR[/(01g?|12|02)$/.exec(name)![1]]}` : 'own tables';
  return `${name}, ${whose[owner]} ${what}, ${by === null ? 'not used while L2 runs' : by === 'processor' ? 'in hardware' : `walked by ${by}`}`;
}

const FOR: { readonly [owner: string]: string } = { '01': 'L1', '12': 'L2', '02': 'L2', '01g': "L1's memory while L2 runs" };

/** First the way as software would go it, then what hardware has in its place. */
function table(view: TranslationView, part: 'all' | 'hypervisors' = 'all'): string[] {
  const named = view.walks.some(({ owner }) => owner === 'L1' || owner === 'L2');
  const rows: (Row | string)[] = [];
  const indent = named ? INDENT : '';
  const add = (walk: TableWalk): void => {
    if (named) rows.push(aboutTables(walk));
    const missing = ({ via }: TableEntry): boolean => via !== null && via.to === null;
    const entries = part === 'all' || walk.stage !== 'guest' ? walk.entries : walk.entries.filter(missing);
    for (const entry of entries) rows.push(rowOf(walk, entry, indent), ...compact(entry.via, indent + INDENT));
  };
  const [last, first] = partition(view.walks, ({ stage }) => stage === 'shadow');
  for (const walk of first) add(walk);
  if (!named) for (const { then } of first) if (then) add(then);
  const memory = part === 'all' ? memoryRows(view.stations, indent) : [];
  if (named && memory.length > 0) rows.push('memory slots and host memory');
  rows.push(...memory);
  for (const walk of last) add(walk);
  if (named) for (const { then } of view.walks) if (then) add(then);
  const lines = aligned(rows);
  const { cached } = view;
  if (cached === null) return lines;
  return [...lines, [cached.text, cached.stale && `stale: ${cached.stale}`, !cached.serves && 'does not serve this access'].filter(Boolean).join(' · ')]; // prettier-ignore
}

function partition<T>(all: readonly T[], fits: (each: T) => boolean): [T[], T[]] {
  return [all.filter(fits), all.filter((each) => !fits(each))];
}

/** The label, where the entry lies, its value, its bits, where it leads. */
function rowOf({ stage, table: name }: TableWalk, entry: TableEntry, indent: string): Row {
  const label = stage === 'shadow' && name === 'SPT' ? `shadow ${entry.label}` : entry.label;
  const at = entry.at === null ? '' : `${entry.space} ${entry.at}`;
  const to = entry.to === null ? '' : `→ ${entry.to}`;
  const bits = entry.value === null ? '' : bitNames(entry.bits);
  return { cells: [`${indent}${label}[${entry.index}]`, at, entry.value ?? '', to, bits], note: entry.note ?? '' };
}

/** Slots and pages between two addresses. */
function memoryRows(stations: readonly Station[], indent: string): Row[] {
  return stations
    .flatMap(({ links }) => links)
    .filter(({ by }) => by === 'slot' || by === 'page')
    .map(({ label, from, to, note }) => ({
      cells: [`${indent}${label}`, `${from.space.toLowerCase()} ${from.address}`, '', to === null ? '' : `→ ${to}`, ''],
      note: note ?? '',
    }));
}

/** What translates a table's address, in one line: only where it stops is its entry shown. */
function compact(via: TableWalk | null, indent: string): Row[] {
  if (!via) return [];
  if (via.to !== null) return [{ cells: [`${indent}${via.table}`, '', '', `→ hpa ${via.to.address}`, ''], note: '' }];
  return [rowOf(via, via.entries.at(-1)!, indent)];
}

/** @param rows and heads in between, which are no columns */
function aligned(rows: readonly (Row | string)[]): string[] {
  const widths: number[] = [];
  for (const row of rows) if (typeof row === 'object') row.cells.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) => {
    if (typeof row === 'string') return row;
    const { cells, note } = row;
    const line = cells
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd();
    return note ? `${line}  (${note})` : line;
  });
}
