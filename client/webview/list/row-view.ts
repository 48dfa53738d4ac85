/** One row of the list on the screen; it is used again for other steps as the list is scrolled. */
import type { StepActor, StepRow } from '../../../server/src/protocol/messages';
import { actorName } from '../actors';
import { el } from '../dom';
import { drawLanes } from './lanes';

export const ROW_HEIGHT = 24;

/** What the row shows now; when nothing of it changes, nothing is drawn. */
interface Shown {
  readonly position: number;
  readonly row: StepRow | undefined;
  readonly before: StepRow | undefined;
  readonly actors: readonly StepActor[];
}

export class RowView {
  readonly element = el('div', { class: 'row', role: 'row' });
  private shown: Shown | null = null;

  get position(): number {
    return this.shown?.position ?? -1;
  }

  show(next: Shown, offset: number, selected: boolean): void {
    const { element } = this;
    element.style.transform = `translateY(${offset}px)`;
    element.hidden = false;
    element.setAttribute('aria-selected', String(selected));
    element.classList.toggle('selected', selected);
    const { shown } = this;
    if (shown && shown.position === next.position && shown.row === next.row && shown.before === next.before && shown.actors === next.actors)
      return;
    this.shown = next;
    element.id = idOf(next.position);
    // The heading is row 1.
    element.setAttribute('aria-rowindex', String(next.position + 2));
    element.className = `row ${next.row ? next.row.kind : 'loading'}${selected ? ' selected' : ''}`;
    element.replaceChildren(
      ...(next.row ? cells(next.row, next) : [el('div', { class: 'cell placeholder', role: 'gridcell', text: 'Loading' })]),
    );
  }

  hide(): void {
    this.element.hidden = true;
    this.shown = null;
  }
}

export function idOf(position: number): string {
  return `step-${position}`;
}

function cells(row: StepRow, { before, actors }: Shown): HTMLElement[] {
  const number = el('div', { class: 'cell number', role: 'gridcell', text: String(row.step) });
  const who = actorName(row.actor);
  const lanes = el('div', { class: 'cell actor', role: 'gridcell', title: who.name, attributes: { 'aria-label': who.short } });
  lanes.append(drawLanes(actors, row, before, ROW_HEIGHT));
  if (row.kind === 'statement') {
    const line = row.line === null ? '' : `line ${row.line + 1}`;
    const head = el('div', { class: 'cell statement', role: 'gridcell', title: row.text, attributes: { 'aria-colspan': 3 } });
    head.append(el('span', { class: 'source', text: row.text }), el('span', { class: 'line', text: line }));
    return [number, lanes, head];
  }
  return [
    number,
    lanes,
    el('div', { class: 'cell event', role: 'gridcell', text: row.event }),
    el('div', { class: 'cell address', role: 'gridcell', text: row.address ?? '' }),
    el('div', { class: 'cell text', role: 'gridcell', text: row.text, title: row.text }),
  ];
}
