/** The selected step: what it is, what it changed, the way of its address, and its fields. */
import type { StepDetail, TranslationView } from '../../../server/src/protocol/messages';
import { actorName } from '../actors';
import { el } from '../dom';
import type { Child } from '../dom';
import { drawChanges } from './changes';
import { drawWalk } from './walk';

export interface DetailEvents {
  reveal(line: number): void;
}

export class Detail {
  readonly element = el('section', { class: 'detail', attributes: { 'aria-label': 'Selected step', tabindex: 0 } });

  constructor(private readonly events: DetailEvents) {
    this.clear();
  }

  clear(): void {
    this.element.replaceChildren(el('p', { class: 'hint', text: 'Select a step to see the way of its address and what it changed.' }));
  }

  show({ row, about, fields, translation, changes }: StepDetail): void {
    const who = actorName(row.actor);
    const statement = row.kind === 'statement';
    const head = el(
      'header',
      { class: `title ${row.kind}` },
      !statement && el('span', { class: `badge ${row.actor}`, text: who.short, title: who.name }),
      el('h3', { text: statement ? row.text : row.event }),
      !statement && el('span', { class: 'text', text: row.text }),
      this.place(row.step, row.line),
    );
    this.fill(
      head,
      !statement && about && el('p', { class: 'about', text: about }),
      changes.length > 0 && section(`What it changed (${changes.length})`, drawChanges(changes)),
      translation && drawWalk(translation, row.event === 'table_read' ? row.address : null),
      fields.length > 0 && section('Fields', drawFields(fields)),
    );
  }

  showTranslation(view: TranslationView): void {
    const head = el('header', { class: 'title' }, el('h3', { text: `Translation of ${view.space} ${view.address}` }));
    this.fill(head, drawWalk(view, null));
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

function section(title: string, content: HTMLElement): HTMLElement {
  return el('section', {}, el('h4', { class: 'caption', text: title }), content);
}

function drawFields(fields: StepDetail['fields']): HTMLElement {
  const list = el('dl', { class: 'fields' });
  for (const { name, value } of fields) list.append(el('div', {}, el('dt', { text: name }), el('dd', { text: value })));
  return list;
}
