/** One row of the list on the screen; it is used again for other steps as the list is scrolled. */
import type { StepActor, StepRow } from '../../../server/src/protocol/messages';
import { actorName } from '../actors';
import { el } from '../dom';
import { drawFold } from './fold-view';
import { drawLanes } from './lanes';

export const ROW_HEIGHT = 24;

/** What the row shows now; when nothing of it changes, nothing is drawn. */
interface Shown {
  readonly position: number;
  readonly row: StepRow | undefined;
  readonly before: StepRow | undefined;
  readonly actors: readonly StepActor[];
  /** Steps stand beneath their statements. */
  readonly foldable: boolean;
}

export class RowView {
  readonly element = el('div', { class: 'row', role: 'row' });
  private shown: Shown | null = null;

  get position(): number {
    return this.shown?.position ?? -1;
  }

  show(next: Shown, offset: number, { selected, marked }: { selected: boolean; marked: boolean }): void {
    const { element } = this;
    element.style.transform = `translateY(${offset}px)`;
    element.hidden = false;
    element.setAttribute('aria-selected', String(selected || marked));
    element.classList.toggle('selected', selected);
    element.classList.toggle('marked', marked);
    const { shown } = this;
    if (
      shown &&
      shown.position === next.position &&
      shown.row === next.row &&
      shown.before === next.before &&
      shown.actors === next.actors &&
      shown.foldable === next.foldable
    )
      return;
    this.shown = next;
    element.id = idOf(next.position);
    // The heading is row 1.
    element.setAttribute('aria-rowindex', String(next.position + 2));
    element.className = `row ${next.row ? next.row.kind : 'loading'}${selected ? ' selected' : ''}${marked ? ' marked' : ''}`;
    element.classList.toggle('fold', next.row?.fold !== undefined);
    if (next.row?.fold) element.setAttribute('aria-expanded', String(next.row.fold.open));
    else element.removeAttribute('aria-expanded');
    element.setAttribute('aria-level', next.row && !next.row.fold && next.foldable ? '2' : '1');
    if (next.row) element.dataset.vscodeContext = menuOf(next.row);
    element.replaceChildren(
      ...(next.row ? cells(next.row, next) : [el('div', { class: 'cell placeholder', role: 'gridcell', text: 'Loading' })]),
    );
  }

  hide(): void {
    this.element.hidden = true;
    this.element.id = '';
    this.element.classList.remove('selected', 'marked');
    this.element.setAttribute('aria-selected', 'false');
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
  if (row.fold) return [number, lanes, drawFold(row, row.fold)];
  if (row.kind === 'statement') {
    const line = row.line === null ? '' : `line ${row.line + 1}`;
    const head = el('div', { class: 'cell statement', role: 'gridcell', title: row.text, attributes: { 'aria-colspan': 2 } });
    head.append(el('span', { class: 'source', text: row.text }), el('span', { class: 'line', text: line }));
    return [number, lanes, head];
  }
  return [
    number,
    lanes,
    el('div', { class: 'cell event', role: 'gridcell', text: row.event }),
    el('div', { class: 'cell text', role: 'gridcell', text: whatOf(row), title: whatOf(row) }),
  ];
}

/** What happened, with the address that it is about where the words leave it out. */
function whatOf({ text, address }: StepRow): string {
  return address === null || address === '0x0' || text.includes(address) ? text : [text, `at ${address}`].filter(Boolean).join(' ');
}

/** What VS Code's context menu is told of a row: the steps that stand in it. */
function menuOf({ step, fold }: StepRow): string {
  return JSON.stringify({ webviewSection: 'step', preventDefaultContextMenuItems: true, from: step, to: lastStepOf({ step, fold }) });
}

/** The last step of a row: of a folded statement that of the statement. */
export function lastStepOf({ step, fold }: Pick<StepRow, 'step' | 'fold'>): number {
  return fold && !fold.open ? step + fold.steps - 1 : step;
}
