/** Totals of the chosen run: of the whole, or of a statement or a block that is chosen from the list of them. */
import type { PartTables, TotalsTables } from '../../../server/src/protocol/totals';
import { el } from '../dom';
import { drawBar, drawTable } from './tables';

interface TotalsEvents {
  need(runId: string): void;
  reveal(line: number): void;
  /** The whole as a page to take away. */
  report(): void;
}

/** Parts that are listed; further ones are counted. */
const MOST_PARTS = 500;

export class TotalsSection {
  readonly element = el('section', { class: 'totals', attributes: { 'aria-label': 'Totals', tabindex: 0 } });
  private asked: string | null = null;
  private totals: TotalsTables | null = null;
  /** Id of the part that is shown. */
  private part = 'run';

  constructor(private readonly events: TotalsEvents) {}

  /** Is seen, of this run. */
  look(runId: string | null): void {
    if (runId === this.asked) return;
    this.asked = runId;
    if (runId === null) this.element.replaceChildren(el('p', { class: 'hint', text: 'Nothing was run.' }));
    else this.events.need(runId);
  }

  show(totals: TotalsTables): void {
    this.totals = totals;
    this.draw();
  }

  private draw(): void {
    const totals = this.totals;
    if (!totals) return;
    const shown = totals.find(({ id }) => id === this.part) ?? totals[0];
    // Events are many and say least.
    const events = shown.tables.filter(({ title }) => title.includes(' by name'));
    const tables = shown.tables.filter((table) => !events.includes(table)).map(drawTable);
    this.element.replaceChildren(
      this.head(shown),
      el('div', { class: 'tables' }, ...tables),
      this.parts(totals, shown),
      ...events.map(drawTable),
    );
  }

  private head(shown: PartTables): HTMLElement {
    const { part, text, line, times } = shown;
    const whole = part === 'run';
    const often = times > 1 && part === 'statement' ? `${times.toLocaleString('en')} times` : '';
    const go =
      line !== null &&
      el('button', { class: 'link', text: `line ${line + 1}`, title: 'Show in the source', on: { click: () => this.events.reveal(line) } });
    return el(
      'header',
      { class: 'title' },
      el('h3', { text: whole ? 'the whole run' : text }),
      often && el('span', { class: 'note', text: often }),
      el(
        'span',
        { class: 'place' },
        go,
        !whole && el('button', { class: 'link', text: 'the whole run', on: { click: () => this.choose('run') } }),
        whole &&
          el('button', {
            class: 'link',
            text: 'Export report…',
            title: 'Outcomes, figures, steps and totals as a page to take away',
            on: { click: () => this.events.report() },
          }),
      ),
    );
  }

  private parts(totals: TotalsTables, shown: PartTables): HTMLElement {
    const heads = ['Line', 'Part', 'Times', 'Exits', 'References', 'Events'];
    const [most, mostReferences] = [(each: PartTables) => each.exits, (each: PartTables) => each.references].map((of) =>
      Math.max(...totals.slice(1).map(of), 0),
    );
    const rows = totals.slice(0, MOST_PARTS).map((each) => {
      const number = (count: number): string => count.toLocaleString('en');
      const row = el(
        'tr',
        { class: each === shown ? 'chosen' : '' },
        el('td', { class: 'count', text: each.line === null ? '' : String(each.line + 1) }),
        el(
          'td',
          { class: 'part' },
          el('button', {
            class: 'link',
            text: each.part === 'run' ? 'the whole run' : each.text,
            attributes: { 'aria-pressed': String(each === shown) },
            on: { click: () => this.choose(each.id) },
          }),
        ),
        el('td', { class: 'count', text: each.part === 'run' ? '' : number(each.times) }),
        el('td', { class: 'count' }, number(each.exits), each.part !== 'run' && each.exits > 0 && drawBar(each.exits, most)),
        el(
          'td',
          { class: 'count' },
          number(each.references),
          each.part !== 'run' && each.references > 0 && drawBar(each.references, mostReferences),
        ),
        el('td', { class: 'count', text: number(each.events) }),
      );
      return row;
    });
    const rest = totals.length - MOST_PARTS;
    return el(
      'div',
      { class: 'scrolled' },
      el(
        'table',
        { class: 'parts' },
        el('caption', { text: 'By statement and block' }),
        el('thead', {}, el('tr', {}, ...heads.map((text) => el('th', { text, attributes: { scope: 'col' } })))),
        el('tbody', {}, ...rows),
      ),
      rest > 0 && el('p', { class: 'hint', text: `and ${rest.toLocaleString('en')} more` }),
    );
  }

  private choose(part: string): void {
    this.part = part;
    const { scrollTop } = this.element;
    this.draw();
    this.element.scrollTop = part === 'run' ? scrollTop : 0;
    this.element.querySelector<HTMLElement>('.parts [aria-pressed="true"]')?.focus({ preventScroll: true });
  }
}
