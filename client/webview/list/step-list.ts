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
  /** A statement is folded, or unfolded. */
  toggled(group: number): void;
  /** Out of a step to its statement. */
  out(row: StepRow): void;
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
  /** Where the marking of several rows began; null: one row alone. */
  private anchor: number | null = null;
  /** Statements fold their steps. */
  private foldable = false;
  /** The selection lies beyond what is known of the list's length: it is gone to when more is known. */
  private awaited = false;
  /** The selection moved to a row that has not come yet. */
  private pending: { clicked: boolean } | null = null;
  private frame = 0;

  constructor(private readonly events: StepListEvents) {
    this.cache = new RowCache((from, count) => events.needRows(from, count));
    this.scroller = el('div', { class: 'scroller', attributes: { tabindex: -1 } }, this.layer, this.spacer);
    const grid = { 'aria-label': 'Steps of the run', 'aria-colcount': 4, 'aria-multiselectable': 'true', tabindex: 0 };
    this.element = el('div', { class: 'list', role: 'treegrid', attributes: grid }, this.heading, this.scroller, this.empty);
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
  reset(total: number, actors: readonly StepActor[], digits: number, foldable: boolean): void {
    this.renew();
    this.position = null;
    this.foldable = foldable;
    this.element.style.setProperty('--digits', `${Math.max(4, digits) + 1}ch`);
    if (actors.join() !== this.actors.join()) this.setActors(actors);
    this.setTotal(total);
  }

  /** Other rows stand in the list, as some were folded; the place in it stays. */
  renew(): void {
    this.cache.clear();
    this.pending = null;
    this.anchor = null;
    this.draw();
  }

  /** First and last row that are marked; null when one of them has not come, or none is. */
  get marked(): { readonly first: StepRow; readonly last: StepRow } | null {
    if (this.position === null) return null;
    const ends = [this.anchor ?? this.position, this.position].sort((a, b) => a - b);
    const [first, last] = ends.map((at) => this.cache.get(at));
    return first && last ? { first, last } : null;
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
    this.anchor = null;
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
        foldable: this.foldable,
      };
      const selected = position === this.position;
      view.show(shown, position * ROW_HEIGHT - this.scroll.top, { selected, marked: !selected && this.isMarked(position) });
    }
    for (const view of this.views) if (!used.has(view)) view.hide();
    const inSight = this.position !== null && this.position >= first && this.position < last;
    if (inSight) this.element.setAttribute('aria-activedescendant', idOf(this.position!));
    else this.element.removeAttribute('aria-activedescendant');
    this.tellPending();
  }

  private isMarked(position: number): boolean {
    if (this.anchor === null || this.position === null) return false;
    return position >= Math.min(this.anchor, this.position) && position <= Math.max(this.anchor, this.position);
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
    else if (event.key in targets && last >= 0) this.moveTo(Math.max(0, Math.min(targets[event.key], last)), false, event.shiftKey);
    else if (!this.unfold(event.key)) return;
    event.preventDefault();
  }

  /** Right unfolds, left folds or goes out to the statement. */
  private unfold(key: string): boolean {
    const row = this.position === null ? undefined : this.cache.get(this.position);
    if (!row || !['ArrowRight', 'ArrowLeft', ' '].includes(key)) return false;
    if (row.fold && (key === ' ' || row.fold.open === (key === 'ArrowLeft'))) this.events.toggled(row.fold.group);
    else if (key === 'ArrowLeft' && !row.fold) this.events.out(row);
    else return key === 'ArrowRight';
    return true;
  }

  private click(event: MouseEvent): void {
    const element = (event.target as Element).closest('.row');
    const view = this.views.find((each) => each.element === element);
    if (!view || view.position < 0) return;
    const group = this.cache.get(view.position)?.fold?.group;
    if ((event.target as Element).closest('.twisty') && group !== undefined) return this.events.toggled(group);
    this.moveTo(view.position, true, event.shiftKey);
  }

  /** @param several the rows from where that began are marked */
  private moveTo(position: number, clicked: boolean, several: boolean): void {
    this.anchor = several ? (this.anchor ?? this.position) : null;
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
