/** The state's tree (the ARIA pattern "Tree View"): rows of open nodes, moved through with the keyboard, with marks of what a step changed. */
import type { StateLink, StateNode, StateOrigin } from '../../../server/src/protocol/state';
import { differing } from '../detail/numbers';
import { el, spoken } from '../dom';
import type { Child } from '../dom';
import type { TreeModel, TreeRow } from './tree-model';

interface TreeEvents {
  /** Open or closed nodes changed: draw again. */
  toggled(): void;
  /** Who wrote and who uses a node is wanted. */
  trace(id: string): void;
  /** Something that an origin leads to was chosen. */
  follow(link: StateLink): void;
}

const CHANGES: { readonly [change in NonNullable<StateNode['change']> | 'within']: { readonly sign: string; readonly about: string } } = {
  new: { sign: '+', about: 'new in this step' },
  gone: { sign: '−', about: 'gone in this step' },
  changed: { sign: '●', about: 'changed by this step' },
  within: { sign: '○', about: 'something inside was changed by this step' },
};

export class TreeView {
  readonly element = el('div', { class: 'tree', role: 'tree', attributes: { tabindex: 0, 'aria-label': 'State of the machine' } });
  private rows: readonly TreeRow[] = [];
  private selected: string | null = null;
  private origin: { readonly id: string; readonly found: StateOrigin | null } | null = null;

  constructor(
    private readonly model: TreeModel,
    private readonly events: TreeEvents,
  ) {
    this.element.addEventListener('keydown', (event) => this.key(event));
  }

  /** @param rows as the model has them */
  draw(rows: readonly TreeRow[]): void {
    this.rows = rows;
    const selected = this.indexOf(this.selected);
    if (selected < 0) this.selected = null;
    const { scrollTop } = this.element;
    this.element.replaceChildren(...rows.flatMap((row, i) => [this.drawRow(row, i), ...this.drawOrigin(row)]));
    this.element.scrollTop = scrollTop;
    this.mark();
  }

  /** Who wrote a node and who uses it, shown beneath it. */
  showOrigin(id: string, found: StateOrigin | null): void {
    if (this.selected !== id) return;
    this.origin = { id, found };
    this.draw(this.rows);
  }

  /** What was shown beneath a node is of another step. */
  forgetOrigin(): void {
    this.origin = null;
  }

  /** Selects a node that is among the rows; false: it is not. */
  select(id: string): boolean {
    if (this.indexOf(id) < 0) return false;
    this.choose(this.indexOf(id));
    return true;
  }

  private indexOf(id: string | null): number {
    return id === null ? -1 : this.rows.findIndex((row) => idOf(row) === id);
  }

  private drawRow(row: TreeRow, index: number): HTMLElement {
    const common = { role: 'treeitem', id: `node-${index}`, on: { click: () => this.clicked(index) } };
    if (row.kind === 'more') {
      const item = el(
        'div',
        { ...common, class: 'node more', attributes: { 'aria-level': row.level } },
        el('span', { text: `${row.left} more…` }),
      );
      indent(item, row.level);
      return item;
    }
    const { node, level, open, at, of } = row;
    const change = node.change ?? (node.within ? 'within' : null);
    const mark = change && CHANGES[change];
    const item = el(
      'div',
      {
        ...common,
        class: ['node', change ?? '', node.stale ? 'stale' : ''].filter(Boolean).join(' '),
        attributes: {
          'aria-level': level,
          'aria-setsize': of,
          'aria-posinset': at,
          'aria-expanded': node.opens ? String(open) : null,
          'data-id': node.id,
        },
      },
      el('span', { class: 'sign', text: mark?.sign ?? '', title: mark?.about, attributes: { 'aria-hidden': 'true' } }),
      el('span', { class: 'opener', text: node.opens ? (open ? '▾' : '▸') : '', attributes: { 'aria-hidden': 'true' } }),
      el('span', { class: 'name', text: node.name }),
      node.range !== null && el('span', { class: 'range', text: node.range }),
      ...valueOf(node),
      node.decoded !== null && el('span', { class: 'decoded', text: node.decoded }),
      node.note !== null && el('span', { class: 'note', text: node.note }),
      mark && spoken(`, ${mark.about}`),
    );
    indent(item, level);
    return item;
  }

  private drawOrigin(row: TreeRow): HTMLElement[] {
    if (row.kind !== 'node' || !this.origin || this.origin.id !== row.node.id) return [];
    const { found } = this.origin;
    const list = (name: string, links: readonly StateLink[], none: string): HTMLElement =>
      el(
        'div',
        { class: 'links' },
        el('b', { text: name }),
        links.length === 0
          ? el('span', { class: 'none', text: none })
          : el('ul', {}, ...links.map((link) => el('li', {}, this.drawLink(link)))),
      );
    const item = el(
      'div',
      { class: 'origin', role: 'none' },
      found?.stale && list('made stale by', [found.stale], ''),
      list('written by', found?.writers ?? [], 'nobody: it is as it was at the start'),
      found && found.users.length > 0 && list('used by', found.users, ''),
    );
    indent(item, row.level);
    return [item];
  }

  private drawLink(link: StateLink): HTMLElement {
    if (link.step === null && link.node === null) return el('span', { text: link.text });
    const go = link.step === null ? 'Show it in the tree' : `Go to step ${link.step}`;
    return el('button', {
      class: 'link',
      text: link.text,
      title: go,
      on: {
        click: (event) => {
          event.stopPropagation();
          this.events.follow(link);
        },
      },
    });
  }

  private clicked(index: number): void {
    this.choose(index);
    this.activate(index);
    this.element.focus();
  }

  private choose(index: number): void {
    this.selected = idOf(this.rows[index]);
    this.mark();
    this.element.querySelector(`#node-${index}`)?.scrollIntoView({ block: 'nearest' });
  }

  private mark(): void {
    const index = this.indexOf(this.selected);
    this.element.querySelectorAll('[role=treeitem]').forEach((each, i) => each.setAttribute('aria-selected', String(i === index)));
    if (index < 0) this.element.removeAttribute('aria-activedescendant');
    else this.element.setAttribute('aria-activedescendant', `node-${index}`);
  }

  /** Opens or closes; of what does not open, shows who wrote it. */
  private activate(index: number): void {
    const row = this.rows[index];
    if (row.kind === 'more') return this.model.need(row.id, row.from);
    const { node, open } = row;
    if (node.traced && (this.origin?.id !== node.id || !node.opens)) this.events.trace(node.id);
    if (node.opens) this.setOpen(node.id, !open);
  }

  private setOpen(id: string, open: boolean): void {
    this.model.setOpen(id, open);
    this.events.toggled();
  }

  private key(event: KeyboardEvent): void {
    if (!(event.target instanceof Element) || event.target.closest('button')) return;
    const at = this.indexOf(this.selected);
    const last = this.rows.length - 1;
    if (last < 0) return;
    const row = this.rows[at] as TreeRow | undefined;
    switch (event.key) {
      case 'ArrowDown':
        this.choose(Math.min(at + 1, last));
        break;
      case 'ArrowUp':
        this.choose(Math.max(at - 1, 0));
        break;
      case 'Home':
        this.choose(0);
        break;
      case 'End':
        this.choose(last);
        break;
      case 'PageDown':
      case 'PageUp':
        this.choose(Math.max(0, Math.min(at + (event.key === 'PageDown' ? 10 : -10), last)));
        break;
      case 'ArrowRight':
        if (row?.kind === 'node' && row.node.opens && !row.open) this.setOpen(row.node.id, true);
        else if (row?.kind === 'node' && row.open && at < last) this.choose(at + 1);
        break;
      case 'ArrowLeft':
        if (row?.kind === 'node' && row.open) this.setOpen(row.node.id, false);
        else this.choose(this.parentOf(at));
        break;
      case 'Enter':
      case ' ':
        if (row) this.activate(at);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private parentOf(index: number): number {
    for (let at = index - 1; at >= 0; at--) if (this.rows[at].level < this.rows[index].level) return at;
    return Math.max(0, index);
  }
}

function indent(item: HTMLElement, level: number): void {
  item.style.setProperty('--level', String(level - 1));
}

function idOf(row: TreeRow): string {
  return row.kind === 'node' ? row.node.id : `${row.id}/more`;
}

/** The value; where the step changed it the one before, too, with the digits that differ set off. */
function valueOf({ value, was, decoded }: StateNode): Child[] {
  if (!was) return value === null ? [] : [el('span', { class: 'value', text: value })];
  if (value === null || was.value === null || value === was.value) {
    const before = value === was.value ? was.decoded : was.value;
    const now = el('span', { class: 'value', text: value ?? '' });
    return before && before !== decoded
      ? [now, el('span', { class: 'was', text: before }), el('span', { class: 'arrow', text: '→' })]
      : [now];
  }
  const marked = (className: string, text: string, other: string): HTMLElement =>
    el('span', { class: className }, ...differing(text, other).map((part) => el(part.differs ? 'mark' : 'span', { text: part.text })));
  return [marked('was', was.value, value), el('span', { class: 'arrow', text: '→' }), marked('value', value, was.value)];
}
