/** Sections that share a place, one shown at a time: a list of tabs and their panels, as the ARIA pattern has them. */
import { el } from './dom';

interface Tab {
  /** Kept as what was chosen. */
  readonly id: string;
  readonly name: string;
  /** What it shows, in a line. */
  readonly about: string;
  readonly panel: HTMLElement;
}

export class Tabs {
  readonly element = el('div', { class: 'side' });
  private readonly bar: HTMLElement;
  private readonly buttons: readonly HTMLElement[];
  private at = -1;

  /**
   * @param chosen id of the tab that is shown first; the first one where there is none of that id
   * @param changed told when another one was chosen
   */
  constructor(
    label: string,
    private readonly tabs: readonly Tab[],
    chosen: string | null,
    private readonly changed: (id: string) => void,
  ) {
    this.buttons = tabs.map(({ id, name, about, panel }, index) => {
      panel.id = `section-${id}`;
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', `tab-${id}`);
      return el('button', {
        class: 'section-tab',
        id: `tab-${id}`,
        role: 'tab',
        text: name,
        title: about,
        attributes: { 'aria-controls': panel.id },
        on: { click: () => this.choose(id), keydown: (event) => this.key(event, index) },
      });
    });
    this.bar = el('div', { class: 'section-tabs', role: 'tablist', attributes: { 'aria-label': label } }, ...this.buttons);
    this.bar.hidden = tabs.length < 2;
    this.element.append(this.bar, ...tabs.map(({ panel }) => panel));
    this.show(
      Math.max(
        0,
        tabs.findIndex(({ id }) => id === chosen),
      ),
    );
  }

  get chosen(): string {
    return this.tabs[this.at].id;
  }

  choose(id: string): void {
    const index = this.tabs.findIndex((tab) => tab.id === id);
    if (index < 0 || index === this.at) return;
    this.show(index);
    this.changed(id);
  }

  private show(index: number): void {
    this.at = index;
    this.tabs.forEach(({ panel }, each) => (panel.hidden = each !== index));
    this.buttons.forEach((button, each) => {
      button.setAttribute('aria-selected', String(each === index));
      button.tabIndex = each === index ? 0 : -1;
    });
  }

  private key(event: KeyboardEvent, from: number): void {
    const last = this.tabs.length - 1;
    const moves: { readonly [key: string]: number } = {
      ArrowRight: from === last ? 0 : from + 1,
      ArrowLeft: from === 0 ? last : from - 1,
      Home: 0,
      End: last,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(this.tabs[to].id);
    this.buttons[to].focus();
  }
}
