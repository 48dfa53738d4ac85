/** The chosen run beside another one: statements aligned, what differs marked, totals in columns. */
import type { ComparedCount, ComparedLine, ComparedStatement, ComparisonView, Difference } from '../../../server/src/protocol/comparison';
import { DIFFERENCES } from '../../../server/src/protocol/comparison';
import type { RunInfo } from '../../../server/src/protocol/messages';
import { el } from '../dom';
import type { Child } from '../dom';

interface CompareEvents {
  /** @param other id of a run; null: as it was before the last change */
  need(runId: string, other: string | null): void;
  reveal(line: number): void;
}

/** Value of the choice that is no run. */
const BEFORE = 'before';

/** Changed entries that are listed of a statement in a run. */
const MOST_ENTRIES = 8;

export class CompareSection {
  readonly element = el('section', { class: 'compare', attributes: { 'aria-label': 'Compare', tabindex: 0 } });
  private readonly choice = el('select', { attributes: { 'aria-label': 'Compare with' }, on: { change: () => this.choose() } });
  private readonly body = el('div', { class: 'body' });
  private readonly only: HTMLInputElement;
  private run: RunInfo | null = null;
  /** Name of the run that is compared with: it stays chosen when the scenario is run again. */
  private with: string | null = null;
  private asked = '';
  private comparison: ComparisonView | null = null;

  constructor(private readonly events: CompareEvents) {
    this.only = el('input', { attributes: { type: 'checkbox' }, on: { change: () => this.draw() } });
    const head = el(
      'header',
      { class: 'choice' },
      el('label', {}, 'with ', this.choice),
      el('label', { class: 'only' }, this.only, ' differences only'),
    );
    this.element.append(head, this.body);
  }

  /** Is seen, of this run among these. */
  look(run: RunInfo | null, runs: readonly RunInfo[]): void {
    this.run = run;
    const others = runs.filter(({ runId }) => runId !== run?.runId);
    // The same script under another kind or kernel says most.
    const sibling = others.find(({ name }) => blockOf(name) === blockOf(run?.name ?? '')) ?? null;
    const chosen = others.find(({ name }) => name === this.with) ?? (this.with === BEFORE ? null : (sibling ?? null));
    this.choice.replaceChildren(
      ...others.map(({ runId, name }) => el('option', { text: name, attributes: { value: runId, selected: runId === chosen?.runId } })),
      el('option', { text: 'as it was before the last change', attributes: { value: BEFORE, selected: chosen === null } }),
    );
    if (!run) return this.say('Nothing was run.');
    this.ask(run, chosen?.runId ?? null);
  }

  /** An answer to what was asked. */
  show(runId: string, other: string | null, comparison: ComparisonView | null): void {
    if (`${runId} ${other}` !== this.asked) return;
    this.comparison = comparison;
    if (comparison) return this.draw();
    this.say(
      other === null
        ? 'This text is the first that was run, or what was run before is too large to be kept.'
        : 'That run is no more: run the scenario again.',
    );
  }

  private choose(): void {
    const { value, selectedOptions } = this.choice;
    this.with = value === BEFORE ? BEFORE : (selectedOptions[0]?.textContent ?? null);
    if (this.run) this.ask(this.run, value === BEFORE ? null : value);
  }

  private ask({ runId }: RunInfo, other: string | null): void {
    const asked = `${runId} ${other}`;
    if (asked === this.asked) return;
    this.asked = asked;
    this.events.need(runId, other);
  }

  private say(text: string): void {
    this.comparison = null;
    this.body.replaceChildren(el('p', { class: 'hint', text }));
  }

  private draw(): void {
    const view = this.comparison;
    if (!view) return;
    const { differing, lines, runs } = view;
    const verdict = differing === 0 ? 'No difference' : `${differing} of ${lines.length} statements differ`;
    const ended = runs.filter((run) => run.ended !== '').map((run) => `${run.short}: ${run.ended}`);
    const shown = this.only.checked ? lines.filter(({ differs }) => differs.length > 0) : lines;
    this.body.replaceChildren(
      el('p', {
        class: `sum ${differing === 0 ? 'alike' : 'differs'}`,
        text: [verdict, ...ended].join(' · '),
        attributes: { role: 'status' },
      }),
      el(
        'div',
        { class: 'sums' },
        ...[
          drawCounts('Exits by reason', view.exits, runs),
          drawCounts('References by table', view.references, runs),
          drawCounts('kvm_stat', view.statistics, runs),
        ].filter((each) => each !== null),
      ),
      el(
        'div',
        { class: 'scrolled' },
        el(
          'table',
          { class: 'beside' },
          el(
            'thead',
            {},
            el(
              'tr',
              {},
              ...['Line', 'Statement', ...runs.map(({ short }) => short)].map((text) => el('th', { text, attributes: { scope: 'col' } })),
            ),
          ),
          el('tbody', {}, ...shown.map((line) => this.row(line))),
        ),
      ),
    );
  }

  private row({ in: cells, differs }: ComparedLine): HTMLElement {
    const written = cells.find((each) => each !== null)!;
    const { line } = [...cells].reverse().find((each) => each !== null)!;
    const why = differs.map((each) => DIFFERENCES[each]).join(', ');
    return el(
      'tr',
      { class: differs.length > 0 ? 'differs' : 'alike' },
      el(
        'td',
        { class: 'count' },
        line !== null &&
          el('button', {
            class: 'link',
            text: String(line + 1),
            title: 'Show in the source',
            on: { click: () => this.events.reveal(line) },
          }),
      ),
      el(
        'th',
        { attributes: { scope: 'row' } },
        el('span', { class: 'source', text: written.text }),
        differs.length > 0 && el('span', { class: 'why', text: `≠ ${why}` }),
      ),
      ...cells.map((cell) => drawCell(cell, differs, written)),
    );
  }
}

/** `guest` of `guest under ept with kernel 6.1`. */
function blockOf(name: string): string {
  return name.split(' under ')[0];
}

function drawCell(cell: ComparedStatement | null, differs: readonly Difference[], written: ComparedStatement): HTMLElement {
  if (!cell) return el('td', { class: 'none', text: 'not executed' });
  const part = (what: Difference, text: string): Child =>
    text !== '' && el('span', { class: differs.includes(what) ? `${what} other` : what, text });
  const exits = cell.exits.map(({ name, count }) => (count === 1 ? name : `${count} × ${name}`)).join(', ');
  const changed = cell.entries.length + cell.moreEntries;
  return el(
    'td',
    {},
    cell.text !== written.text && part('text', cell.text),
    part('outcome', cell.outcome),
    part('exits', exits),
    part(
      'references',
      cell.references > 0 ? `${cell.references.toLocaleString('en')} ${cell.references === 1 ? 'reference' : 'references'}` : '',
    ),
    ...cell.failed.map((text) => el('span', { class: 'failed', text: `✗ ${text}` })),
    changed > 0 && drawEntries(cell, differs.includes('entries')),
  );
}

function drawEntries({ entries, moreEntries }: ComparedStatement, differs: boolean): HTMLElement {
  const rest = Math.max(0, entries.length - MOST_ENTRIES) + moreEntries;
  const count = entries.length + moreEntries;
  return el(
    'details',
    { class: differs ? 'entries other' : 'entries' },
    el('summary', { text: `${count} ${count === 1 ? 'entry' : 'entries'} changed` }),
    el(
      'ul',
      {},
      ...entries.slice(0, MOST_ENTRIES).map(({ what, from, to, note }) => el('li', { text: `${what}: ${note}`, title: `${from} → ${to}` })),
      rest > 0 && el('li', { text: `and ${rest.toLocaleString('en')} more` }),
    ),
  );
}

function drawCounts(title: string, counts: readonly ComparedCount[], runs: ComparisonView['runs']): HTMLElement | null {
  if (counts.length === 0) return null;
  const sums = runs.map((_, index) => counts.reduce((all, each) => all + each.counts[index], 0));
  const row = (name: string, of: readonly number[], className: string): HTMLElement =>
    el(
      'tr',
      { class: className },
      el('th', { text: name, attributes: { scope: 'row' } }),
      ...of.map((count) => el('td', { class: 'count', text: count.toLocaleString('en') })),
    );
  return el(
    'table',
    { class: 'columns' },
    el('caption', { text: title }),
    el('thead', {}, el('tr', {}, el('td'), ...runs.map(({ short }) => el('th', { text: short, attributes: { scope: 'col' } })))),
    el(
      'tbody',
      {},
      ...counts.map(({ name, counts: of }) => row(name, of, of.every((count) => count === of[0]) ? 'alike' : 'differs')),
      title !== 'kvm_stat' && counts.length > 1 && row('in all', sums, 'sum'),
    ),
  );
}
