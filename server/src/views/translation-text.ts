/** The way of an address in writing: for the terminal, and as Markdown for the editor's hover. */
import type { TranslationView, WalkHop } from '../protocol/messages';
import { bitNames } from '../events/entry-text';

/** Lines for the terminal. */
export function translationText(view: TranslationView): string[] {
  return [view.outcome, ...table(view)];
}

/**
 * For a hover: the outcome, then the way in a code block, whose columns line up in a monospaced font.
 */
export function translationMarkdown(view: TranslationView): string {
  const lines = table(view);
  const head = headline(view);
  return lines.length === 0 ? head : `${head}\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\``;
}

/** `gva 0x40_0123 → gpa 0x20_0123 → hva 0x7f00_0020_0123 → hpa 0x61_0123` and what came of it. */
function headline({ stations, outcome }: TranslationView): string {
  const way = stations.map(({ space, address }) => `${space} \`${address}\``).join(' → ');
  // The last station already says where it led.
  const rest = outcome.replace(/^→ hpa \S+( · )?/, '');
  return rest ? `${way}  \n${rest}` : way;
}

interface Row {
  readonly cells: readonly string[];
  readonly note: string;
}

const INDENT = '  ';

/** What the tables of a VM in a VM are, by the end of their names. */
const ABOUT: { readonly [owner: string]: string } = {
  '1': "L1's own tables",
  '2': "L2's own tables",
  '01': "L0's tables for L1",
  '12': "L1's tables for L2",
  '02': "L0's tables for L2",
  '01g': "L0's tables for L1's memory while L2 runs",
};

const ORDER: { readonly [stage in WalkHop['stage']]: number } = { guest: 0, l1: 1, slot: 2, host: 2, shadow: 3, ept: 4, npt: 4 };

function table(view: TranslationView): string[] {
  const named = view.hops.some((hop) => hop.table !== null);
  // First the way as software would go it, then what hardware has in its place.
  const hops = named ? [...view.hops].sort((one, other) => ORDER[one.stage] - ORDER[other.stage]) : view.hops;
  const rows: (Row | string)[] = [];
  hops.forEach((hop, i) => {
    if (named && (i === 0 || headOf(hop) !== headOf(hops[i - 1]))) rows.push(headOf(hop));
    const indent = named ? INDENT : '';
    rows.push(rowOf(hop, indent));
    rows.push(...compact(hop.via, indent + INDENT));
  });
  const lines = aligned(rows);
  return view.cached === null ? lines : [...lines, view.cached];
}

/** `EPT12, L1's tables for L2`, and whether hardware walks them. */
function headOf({ table: name, stage, via }: WalkHop): string {
  if (name === null) return 'memory slots and host memory';
  const hardware = stage === 'ept' || stage === 'npt' || stage === 'shadow' || via.length > 0;
  return `${name}, ${ABOUT[name.replace(/^[A-Z]+/, '')] ?? 'tables'}${hardware ? ', in hardware' : ''}`;
}

/** The label, where the entry lies, its value, its bits, where it leads. */
function rowOf(hop: WalkHop, indent: string): Row {
  const index = hop.index === null ? '' : `[${hop.index}]`;
  const at = hop.at === null ? '' : `${hop.atSpace} ${hop.at}`;
  const value = hop.value ?? '';
  const bits = hop.bits ? bitNames(hop.bits) : '';
  const to = hop.to === null ? '' : `→ ${hop.to}`;
  const label = hop.stage === 'shadow' && hop.table === null ? `shadow ${hop.label}` : hop.label;
  return { cells: [`${indent}${label}${index}`, at, value, to, bits], note: hop.note ?? '' };
}

/** What translates a table's address, in one line: only where it stops are its entries shown. */
function compact(via: readonly WalkHop[], indent: string): Row[] {
  const last = via.at(-1);
  if (!last) return [];
  const name = last.table ?? last.label.replace(/\d+$/, '');
  if (last.to !== null) return [{ cells: [`${indent}${name}`, '', '', `→ hpa ${last.to}`, ''], note: '' }];
  return [rowOf(last, indent)];
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
