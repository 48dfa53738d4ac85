/** Runs beside each other as lines of text: a line for what is alike, one for each run where they differ, and totals in columns. */
import { joined, plural } from '../../events/wording';
import { DIFFERENCES } from '../../protocol/comparison';
import type { ComparedCount, ComparedLine, ComparedStatement, ComparisonView } from '../../protocol/comparison';

/** Changed entries that are listed of a statement in a run. */
const MOST_ENTRIES = 6;

/** A piece of a line, by what it means. */
export interface TextLine {
  readonly tone: 'title' | 'alike' | 'differs' | 'detail';
  readonly text: string;
}

export function* comparisonLines(view: ComparisonView): Generator<TextLine> {
  const { runs, lines, differing } = view;
  const widest = Math.max(...runs.map(({ short }) => short.length));
  for (const { name, ended } of runs) yield { tone: 'title', text: ended === '' ? name : `${name}: ${ended}` };
  for (const line of lines) yield* statementLines(line, runs, widest);
  for (const [title, counts] of [
    ['exits', view.exits],
    ['references', view.references],
    ['kvm_stat', view.statistics],
  ] as const)
    yield* columns(title, counts, runs);
  const of = plural(lines.length, 'statement');
  yield differing === 0
    ? { tone: 'alike', text: `no difference in ${of}` }
    : { tone: 'differs', text: `${differing} of ${of} ${differing === 1 ? 'differs' : 'differ'}` };
}

/** `→ hpa 0x61_0123 · 2 × EPT_VIOLATION · 24 references`: what a statement came to in a run. */
function cellText(statement: ComparedStatement | null): string {
  if (!statement) return 'not executed';
  const { outcome, exits, references, entries, moreEntries, failed } = statement;
  const changed = entries.length + moreEntries;
  return (
    joined(
      outcome,
      exits.map(({ name, count }) => (count === 1 ? name : `${count} × ${name}`)).join(', '),
      references > 0 && plural(references, 'reference'),
      changed > 0 && `${plural(changed, 'entry', 'entries')} changed`,
      failed.length > 0 && `✗ ${failed.join('; ')}`,
    ) || 'done'
  );
}

function* statementLines({ in: cells, differs }: ComparedLine, runs: ComparisonView['runs'], widest: number): Generator<TextLine> {
  const shown = cells.find((each) => each !== null)!;
  const number = (statement: ComparedStatement): string => (statement.line === null ? '' : String(statement.line + 1)).padStart(4);
  if (differs.length === 0) {
    yield { tone: 'alike', text: `  ${number(shown)}  ${shown.text}  ${cellText(shown)}` };
    return;
  }
  yield { tone: 'differs', text: `≠ ${number(shown)}  ${shown.text}  (${differs.map((each) => DIFFERENCES[each]).join(', ')})` };
  const other = differs.includes('text');
  for (const [index, cell] of cells.entries()) {
    const text = other && cell ? `${number(cell).trim()}: ${cell.text}  ` : '';
    yield { tone: 'detail', text: `        ${runs[index].short.padEnd(widest)}  ${text}${cellText(cell)}` };
    if (!differs.includes('entries') || !cell) continue;
    const rest = cell.entries.length + cell.moreEntries - MOST_ENTRIES;
    for (const { what, note } of cell.entries.slice(0, MOST_ENTRIES))
      yield { tone: 'detail', text: `        ${' '.repeat(widest)}    ${what}: ${note}` };
    if (rest > 0) yield { tone: 'detail', text: `        ${' '.repeat(widest)}    and ${plural(rest, 'more entry', 'more entries')}` };
  }
}

function* columns(title: string, counts: readonly ComparedCount[], runs: ComparisonView['runs']): Generator<TextLine> {
  if (counts.length === 0) return;
  const names = Math.max(title.length, ...counts.map(({ name }) => name.length + 2));
  const widths = runs.map(({ short }, index) => Math.max(short.length, ...counts.map((each) => String(each.counts[index]).length)));
  const row = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(names)}  ${cells.map((cell, index) => cell.padStart(widths[index])).join('  ')}`;
  yield { tone: 'title', text: row(title, runs.map(({ short }) => short)) }; // prettier-ignore
  for (const { name, counts: of } of counts) {
    const same = of.every((count) => count === of[0]);
    yield { tone: same ? 'alike' : 'differs', text: row(`  ${name}`, of.map(String)) };
  }
  if (title === 'kvm_stat' || counts.length === 1) return;
  const sums = runs.map((_, index) => counts.reduce((all, each) => all + each.counts[index], 0));
  yield { tone: 'alike', text: row('  in all', sums.map(String)) };
}
