/** The selected step: its statement, what it is, what it changed, the way of its address before and after, and its fields. */
import type { StepDetail } from '../../../server/src/protocol/messages';
import type { TranslationView } from '../../../server/src/protocol/translation';
import { actorName } from '../actors';
import { el } from '../dom';
import type { Child } from '../dom';
import { WalkFigure } from '../figure/walk-figure';
import { drawChanges } from './changes';
import { drawStatement } from './statement';

/** Which of the two ways of a step is shown. */
type When = 'before' | 'after';

interface DetailEvents {
  reveal(line: number): void;
  /** Another of the two ways was chosen. */
  when(when: When): void;
}

export class Detail {
  readonly element = el('section', { class: 'detail', attributes: { 'aria-label': 'Selected step', tabindex: 0 } });
  private shown: StepDetail | null = null;
  private readonly figure = new WalkFigure();

  constructor(
    private when: When,
    private readonly events: DetailEvents,
  ) {
    this.clear();
  }

  clear(): void {
    this.shown = null;
    this.element.replaceChildren(el('p', { class: 'hint', text: 'Select a step to see the way of its address and what it changed.' }));
  }

  show(detail: StepDetail): void {
    this.shown = detail;
    const { row, about, fields, statement, changes, ways } = detail;
    const inFigure = this.figure.hasFocus;
    const who = actorName(row.actor);
    const ofStatement = row.kind === 'statement';
    const place = this.place(row.step, row.line);
    const head = el(
      'header',
      { class: `title ${row.kind}` },
      el('span', { class: `badge ${row.actor}`, text: who.short, title: who.name }),
      el('h3', { text: row.event, title: about }),
      el('span', { class: 'text', text: row.text }),
      !ways && place,
    );
    this.fill(
      statement && drawStatement(statement, ofStatement && !ways && place),
      !ofStatement && head,
      this.ways(detail, place),
      changes.length > 0 && section('changed', `What it changed (${changes.length})`, drawChanges(changes)),
      !ofStatement && about && el('p', { class: 'about', text: about }),
      fields.length > 0 && !ofStatement && section('of-fields', 'Fields', drawFields(fields)),
    );
    if (inFigure) this.figure.focus();
  }

  showTranslation(view: TranslationView): void {
    this.shown = null;
    const head = el('header', { class: 'title' }, el('h3', { text: `Translation of ${view.space} ${view.address}` }));
    this.fill(head, el('div', { class: 'when' }, this.figure.controls), this.figure.element);
    this.figure.show(view, null);
  }

  /** A reference of the figure further or back. */
  step(by: 1 | -1): void {
    this.figure.step(by);
  }

  private ways({ row, ways }: StepDetail, place: HTMLElement): Child {
    if (!ways) return null;
    const of = row.kind === 'statement' ? 'this statement' : 'this step';
    const current = row.event === 'table_read' ? row.address : null;
    const choice = (when: When): HTMLElement =>
      el('button', {
        class: `tab${when === this.when ? ' chosen' : ''}`,
        role: 'radio',
        text: when,
        title: `The way of the address ${when} ${of}`,
        attributes: { 'aria-checked': String(when === this.when), tabindex: when === this.when ? 0 : -1 },
        on: { click: () => this.choose(when) },
      });
    const caption = el(
      'div',
      { class: 'when' },
      el(
        'div',
        { class: 'tabs', role: 'radiogroup', attributes: { 'aria-label': 'Way of the address' } },
        choice('before'),
        choice('after'),
      ),
      el('span', { class: 'note', text: `${ways[this.when].access ?? ways[this.when].space} ${ways[this.when].address}` }),
      place,
      this.figure.controls,
    );
    caption.querySelector<HTMLElement>('.tabs')!.addEventListener('keydown', (event) => {
      if (!/^Arrow/.test(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      this.choose(this.when === 'before' ? 'after' : 'before');
      this.element.querySelector<HTMLElement>('.when [aria-checked="true"]')?.focus();
    });
    this.figure.show(ways[this.when], current);
    return el('section', { class: 'way' }, caption, this.figure.element);
  }

  private choose(when: When): void {
    if (when === this.when) return;
    this.when = when;
    this.events.when(when);
    const { scrollTop } = this.element;
    if (this.shown) this.show(this.shown);
    this.element.scrollTop = scrollTop;
  }

  private fill(...children: readonly Child[]): void {
    this.element.replaceChildren(...children.filter((child): child is Node => child instanceof Node));
    this.element.scrollTop = 0;
  }

  private place(step: number, line: number | null): HTMLElement {
    if (line === null) return el('span', { class: 'place', text: `step ${step} · set-up` });
    const go = el('button', {
      class: 'link',
      text: `line ${line + 1}`,
      title: 'Show in the source',
      on: { click: () => this.events.reveal(line) },
    });
    return el('span', { class: 'place' }, `step ${step} · `, go);
  }
}

function section(name: string, title: string, content: HTMLElement): HTMLElement {
  return el('section', { class: name }, el('h4', { class: 'caption', text: title }), content);
}

function drawFields(fields: StepDetail['fields']): HTMLElement {
  const list = el('dl', { class: 'fields' });
  for (const { name, value } of fields) list.append(el('div', {}, el('dt', { text: name }), el('dd', { text: value })));
  return list;
}
