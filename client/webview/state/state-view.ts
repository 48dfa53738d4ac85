/** The machine's state after the selected step: the tree, and memory slots to scale. Asks only while it is seen. */
import type { MemoryMap, StateLink, StateNodes, StateOrigin } from '../../../server/src/protocol/state';
import { el } from '../dom';
import { drawSlots } from './slots';
import { TreeModel } from './tree-model';
import { TreeView } from './tree-view';

/** What is kept over reloads. */
export interface StateChoices {
  readonly open: readonly string[];
  /** Only what the step changed is shown. */
  readonly changed: boolean;
  /** Memory slots are drawn. */
  readonly slots: boolean;
}

export const NO_CHOICES: StateChoices = { open: ['tables'], changed: false, slots: false };
/** Open nodes that are kept. */
const MOST_KEPT = 200;

interface StateEvents {
  needState(step: number, id: string, from: number, count: number): void;
  needOrigin(step: number, id: string): void;
  needMemory(step: number): void;
  goTo(step: number): void;
  keep(choices: StateChoices): void;
}

export class StateView {
  readonly element: HTMLElement;
  private step: number | null = null;
  private visible = false;
  /** The step that is shown, or asked for. */
  private asked: number | null = null;
  private maps: readonly MemoryMap[] | null = null;
  /** A node that is to be selected as soon as it is known. */
  private wanted: string | null = null;
  private readonly model: TreeModel;
  private readonly tree: TreeView;
  private readonly title = el('span', { class: 'of' });
  private readonly strip = el('div', { class: 'map' });

  constructor(
    private choices: StateChoices,
    private readonly events: StateEvents,
  ) {
    this.model = new TreeModel(new Set(choices.open), (id, from, count) => {
      if (this.asked !== null) events.needState(this.asked, id, from, count);
    });
    this.tree = new TreeView(this.model, {
      toggled: () => {
        this.keep({ open: [...this.model.open].slice(-MOST_KEPT) });
        this.draw();
      },
      trace: (id) => this.asked !== null && events.needOrigin(this.asked, id),
      follow: (link) => this.follow(link),
    });
    const bar = el(
      'div',
      { class: 'state-bar' },
      this.title,
      this.toggle('changed', 'only what changed', 'Show only what this step changed, opened as far down as that is'),
      this.toggle('slots', 'memory to scale', 'Draw memory slots and what backs them, to scale'),
    );
    this.element = el('section', { class: 'state' }, bar, this.strip, this.tree.element);
    new ResizeObserver(() => this.drawSlots()).observe(this.strip);
    this.draw();
  }

  /** Another step was selected; null: none is. */
  show(step: number | null): void {
    this.step = step;
    this.refresh();
  }

  /** Another run: what was shown is of none. */
  reset(): void {
    this.asked = null;
    this.maps = null;
    this.model.forget();
    this.draw();
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    this.refresh();
  }

  receive(step: number, id: string, from: number, found: StateNodes | null): void {
    if (step !== this.asked) return;
    this.model.receive(id, from, found);
    this.draw();
  }

  receiveOrigin(step: number, id: string, origin: StateOrigin | null): void {
    if (step === this.asked) this.tree.showOrigin(id, origin);
  }

  receiveMemory(step: number, maps: readonly MemoryMap[] | null): void {
    if (step !== this.asked) return;
    this.maps = maps;
    this.drawSlots();
  }

  private refresh(): void {
    if (!this.visible || this.step === this.asked) return;
    this.asked = this.step;
    this.model.forget();
    this.tree.forgetOrigin();
    if (this.asked === null) return this.draw();
    this.model.need('');
    if (this.choices.slots) this.events.needMemory(this.asked);
  }

  /** The old rows stay until the new ones have come. */
  private draw(): void {
    this.title.textContent = this.asked === null ? '' : `after step ${this.asked}`;
    if (this.asked === null) {
      this.tree.element.replaceChildren(el('p', { class: 'hint', text: 'Select a step to see the machine after it.' }));
      return;
    }
    if (!this.model.isKnown) return;
    const rows = this.model.rows(this.choices.changed);
    this.tree.draw(rows);
    if (rows.length === 0) this.tree.element.replaceChildren(el('p', { class: 'hint', text: 'This step changed nothing.' }));
    if (this.wanted !== null && this.tree.select(this.wanted)) this.wanted = null;
  }

  private drawSlots(): void {
    this.strip.hidden = !this.choices.slots;
    const { paddingLeft, paddingRight } = getComputedStyle(this.strip);
    const width = this.strip.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    this.strip.replaceChildren(...(this.choices.slots && this.maps ? [drawSlots(this.maps, width)] : []));
  }

  private follow({ step, node }: StateLink): void {
    if (node !== null) {
      this.wanted = node;
      const parts = node.split('/');
      for (let i = 1; i < parts.length; i++) this.model.open.add(parts.slice(0, i).join('/'));
      if (this.choices.changed) this.setToggle('changed', false);
      this.draw();
    }
    if (step !== null) this.events.goTo(step);
  }

  private readonly buttons = new Map<'changed' | 'slots', HTMLElement>();

  private toggle(which: 'changed' | 'slots', text: string, title: string): HTMLElement {
    const button = el('button', {
      class: 'chip',
      text,
      title,
      attributes: { 'aria-pressed': String(this.choices[which]) },
      on: { click: () => this.setToggle(which, !this.choices[which]) },
    });
    this.buttons.set(which, button);
    return button;
  }

  private setToggle(which: 'changed' | 'slots', on: boolean): void {
    this.buttons.get(which)!.setAttribute('aria-pressed', String(on));
    this.keep({ [which]: on });
    if (which === 'slots' && on && this.asked !== null) this.events.needMemory(this.asked);
    this.drawSlots();
    this.draw();
  }

  private keep(part: Partial<StateChoices>): void {
    this.choices = { ...this.choices, ...part };
    this.events.keep(this.choices);
  }
}
