/** The way of an address in writing: for the terminal, and as Markdown for the editor's hover. */
import type { TranslationView, WalkHop } from '../protocol/messages';
import { bitNames } from './entries';

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

function table(view: TranslationView): string[] {
  const rows: Row[] = [];
  for (const hop of view.hops) {
    rows.push(rowOf(hop, ''));
    rows.push(...compact(hop.via, INDENT));
  }
  const lines = aligned(rows);
  return view.cached === null ? lines : [...lines, view.cached];
}

/** The label, where the entry lies, its value, its bits, where it leads. */
function rowOf(hop: WalkHop, indent: string): Row {
  const index = hop.index === null ? '' : `[${hop.index}]`;
  const at = hop.at === null ? '' : `${hop.atSpace} ${hop.at}`;
  const value = hop.value ?? '';
  const bits = hop.bits ? bitNames(hop.bits) : '';
  const to = hop.to === null ? '' : `→ ${hop.to}`;
  const label = hop.stage === 'shadow' ? `shadow ${hop.label}` : hop.label;
  return { cells: [`${indent}${label}${index}`, at, value, to, bits], note: hop.note ?? '' };
}

/** What translates a table's address, in one line: only where it stops are its entries shown. */
function compact(via: readonly WalkHop[], indent: string): Row[] {
  const last = via.at(-1);
  if (!last) return [];
  const name = last.label.replace(/\d+$/, '');
  if (last.to !== null) return [{ cells: [`${indent}${name}`, '', '', `→ hpa ${last.to}`, ''], note: '' }];
  return [rowOf(last, indent)];
}

function aligned(rows: readonly Row[]): string[] {
  const widths: number[] = [];
  for (const { cells } of rows) cells.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map(({ cells, note }) => {
    const line = cells
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd();
    return note ? `${line}  (${note})` : line;
  });
}
