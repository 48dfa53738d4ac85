/**
 * The list of steps: a grid of any length of which only the rows in sight exist. The grid keeps the focus; arrows, pages, Home and End
 * move the selection, Enter opens the source.
 */
import type { StepActor, StepRow } from '../../../server/src/protocol/messages';
import { ACTORS } from '../actors';
import { el } from '../dom';
import { LANE_WIDTH } from './lanes';
import { RowCache } from './row-cache';
import { idOf, ROW_HEIGHT, RowView } from './row-view';
import { ScrollModel } from './scroll-model';

/** Rows drawn above and below those in sight. */
const MARGIN = 4;
const LINE_OF_WHEEL = 3 * ROW_HEIGHT;

interface StepListEvents {
  needRows(from: number, count: number): void;
  /** The user moved the selection; `clicked` by the pointer. */
  selected(row: StepRow, clicked: boolean): void;
  /** Enter or a double click. */
  opened(row: StepRow): void;
}

export class StepList {
  readonly element: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly spacer = el('div', { class: 'spacer' });
  private readonly layer = el('div', { class: 'layer', role: 'rowgroup' });
  private readonly heading = el('div', { class: 'heading', role: 'row', attributes: { 'aria-rowindex': 1 } });
  private readonly empty = el('div', { class: 'empty', attributes: { role: 'status' } });
  private readonly scroll = new ScrollModel(ROW_HEIGHT);
  private readonly cache: RowCache;
  private readonly views: RowView[] = [];
  private actors: readonly StepActor[] = [];
  private position: number | null = null;
  /** The selection lies beyond what is known of the list's length: it is gone to when more is known. */
  private awaited = false;
  /** The selection moved to a row that has not come yet. */
  private pending: { clicked: boolean } | null = null;
  private frame = 0;

  constructor(private readonly events: StepListEvents) {
    this.cache = new RowCache((from, count) => events.needRows(from, count));
    this.scroller = el('div', { class: 'scroller', attributes: { tabindex: -1 } }, this.layer, this.spacer);
    const grid = { 'aria-label': 'Steps of the run', 'aria-colcount': 5, 'aria-multiselectable': 'false', tabindex: 0 };
    this.element = el('div', { class: 'list', role: 'grid', attributes: grid }, this.heading, this.scroller, this.empty);
    this.scroller.addEventListener('scroll', () => {
      this.scroll.scrolled(this.scroller.scrollTop);
      this.draw();
    });
    this.scroller.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    this.element.addEventListener('keydown', (event) => this.key(event));
    this.layer.addEventListener('click', (event) => this.click(event));
    this.layer.addEventListener('dblclick', () => this.open());
    new ResizeObserver(() => this.measure()).observe(this.scroller);
    this.setActors([]);
  }

  focus(): void {
    this.element.focus();
  }

  /** Another run or filter: nothing of the rows is known any more. The place in the list stays. */
  reset(total: number, actors: readonly StepActor[]): void {
    this.cache.clear();
    this.pending = null;
    this.position = null;
    if (actors.join() !== this.actors.join()) this.setActors(actors);
    this.setTotal(total);
  }

  receive(from: number, rows: readonly StepRow[], total: number): void {
    this.cache.put(from, rows);
    if (total !== this.scroll.total) this.setTotal(total);
    this.draw();
  }

  /** Shown instead of rows when there are none. */
  setEmptyText(text: string): void {
    this.empty.textContent = text;
  }

  /** Selects without telling: what was chosen elsewhere. */
  select(position: number | null): void {
    this.position = position;
    this.pending = null;
    this.center();
    this.draw();
  }

  private center(): void {
    this.awaited = this.position !== null && this.position >= this.scroll.total;
    if (this.position === null || this.awaited) return;
    this.scroll.center(this.position);
    this.scroller.scrollTop = this.scroll.scrollTop;
  }

  private setActors(actors: readonly StepActor[]): void {
    const shown = ACTORS.filter(({ actor }) => actors.includes(actor));
    this.actors = shown.map(({ actor }) => actor);
    this.element.style.setProperty('--lanes', `${Math.max(2, shown.length) * LANE_WIDTH}px`);
    const lanes = el('div', { class: 'cell actor', role: 'columnheader', attributes: { 'aria-label': 'Actor' } });
    for (const { actor, short, name } of shown) lanes.append(el('span', { class: `lane-name ${actor}`, text: short, title: name }));
    const titles: readonly [string, string][] = [
      ['event', 'Event'],
      ['address', 'Address'],
      ['text', 'What happened'],
    ];
    this.heading.replaceChildren(
      el('div', { class: 'cell number', role: 'columnheader', text: 'Step' }),
      lanes,
      ...titles.map(([name, text]) => el('div', { class: `cell ${name}`, role: 'columnheader', text })),
    );
  }

  private setTotal(total: number): void {
    this.scroll.resize(total, this.scroller.clientHeight);
    this.spacer.style.height = `${this.scroll.height}px`;
    this.element.setAttribute('aria-rowcount', String(total + 1));
    this.element.classList.toggle('none', total === 0);
    if (this.awaited) this.center();
    this.draw();
  }

  private measure(): void {
    this.scroll.resize(this.scroll.total, this.scroller.clientHeight);
    this.layer.style.height = `${this.scroller.clientHeight}px`;
    this.scroller.scrollTop = this.scroll.scrollTop;
    this.draw();
  }

  private draw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  private drawNow(): void {
    const { from, to } = this.scroll.seen();
    const first = Math.max(0, from - MARGIN);
    const last = Math.min(this.scroll.total, to + MARGIN);
    this.cache.want(first, last);
    // A row keeps its element while it is in sight: elements are handed out by position, modulo their number.
    while (this.views.length < last - first) {
      const view = new RowView();
      this.views.push(view);
      this.layer.append(view.element);
    }
    const used = new Set<RowView>();
    for (let position = first; position < last; position++) {
      const view = this.views[position % this.views.length];
      used.add(view);
      const shown = {
        position,
        row: this.cache.get(position),
        before: position > 0 ? this.cache.get(position - 1) : undefined,
        actors: this.actors,
      };
      view.show(shown, position * ROW_HEIGHT - this.scroll.top, position === this.position);
    }
    for (const view of this.views) if (!used.has(view)) view.hide();
    const inSight = this.position !== null && this.position >= first && this.position < last;
    if (inSight) this.element.setAttribute('aria-activedescendant', idOf(this.position!));
    else this.element.removeAttribute('aria-activedescendant');
    this.tellPending();
  }

  private wheel(event: WheelEvent): void {
    if (!this.scroll.scaled || event.ctrlKey) return;
    event.preventDefault();
    const unit =
      event.deltaMode === WheelEvent.DOM_DELTA_PIXEL
        ? 1
        : event.deltaMode === WheelEvent.DOM_DELTA_LINE
          ? LINE_OF_WHEEL
          : this.scroller.clientHeight;
    this.scroll.moveTo(this.scroll.top + event.deltaY * unit);
    this.scroller.scrollTop = this.scroll.scrollTop;
    this.draw();
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.position ?? -1;
    const page = this.scroll.pageRows;
    const last = this.scroll.total - 1;
    const targets: { readonly [key: string]: number } = {
      ArrowDown: at + 1,
      ArrowUp: Math.max(0, at - 1),
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: last,
    };
    if (event.key === 'Enter') this.open();
    else if (event.key in targets && last >= 0) this.moveTo(Math.max(0, Math.min(targets[event.key], last)), false);
    else return;
    event.preventDefault();
  }

  private click(event: MouseEvent): void {
    const element = (event.target as Element).closest('.row');
    const view = this.views.find((each) => each.element === element);
    if (view && view.position >= 0) this.moveTo(view.position, true);
  }

  private moveTo(position: number, clicked: boolean): void {
    this.position = position;
    this.pending = { clicked };
    if (this.scroll.bringIntoView(position)) this.scroller.scrollTop = this.scroll.scrollTop;
    this.draw();
  }

  /** Tells of the selection as soon as its row is known. */
  private tellPending(): void {
    const row = this.pending && this.position !== null ? this.cache.get(this.position) : undefined;
    if (!row || !this.pending) return;
    const { clicked } = this.pending;
    this.pending = null;
    this.events.selected(row, clicked);
  }

  private open(): void {
    const row = this.position === null ? undefined : this.cache.get(this.position);
    if (row) this.events.opened(row);
  }
}
