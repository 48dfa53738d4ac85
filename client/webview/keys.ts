/** The keys of the panel, in one table: what each does, and what the help says of it. */
import { el } from './dom';

/** What keys ask for, beyond what the list does with arrows. */
export interface KeyActions {
  go(goal: 'exit' | 'fault' | 'change' | 'statement', direction: 1 | -1): void;
  foldAll(folded: boolean): void;
  play(direction: 1 | -1): void;
  search(): void;
  present(): void;
  copy(): void;
  help(): void;
}

interface Key {
  readonly keys: readonly string[];
  readonly about: string;
  /** Null: the list does it. */
  readonly run: ((actions: KeyActions, key: string) => void) | null;
}

/** A small letter goes forwards, a capital one back. */
const direction = (key: string): 1 | -1 => (key === key.toLowerCase() ? 1 : -1);

const KEYS: readonly Key[] = [
  { keys: ['e', 'E'], about: 'next, previous exit', run: (actions, key) => actions.go('exit', direction(key)) },
  { keys: ['f', 'F'], about: 'next, previous fault or violation', run: (actions, key) => actions.go('fault', direction(key)) },
  { keys: ['c', 'C'], about: 'next, previous step that changes something', run: (actions, key) => actions.go('change', direction(key)) },
  { keys: ['s', 'S'], about: 'next, previous statement', run: (actions, key) => actions.go('statement', direction(key)) },
  { keys: ['→', '←'], about: 'unfold, fold the statement, or go to it', run: null },
  { keys: ['+', '-'], about: 'unfold, fold all statements', run: (actions, key) => actions.foldAll(key === '-') },
  { keys: ['↑', '↓', 'Page', 'Home', 'End'], about: 'another step; with Shift several', run: null },
  { keys: ['Enter'], about: 'go to the statement in the source', run: null },
  { keys: ['y'], about: 'copy the steps marked, as kernel text', run: (actions) => actions.copy() },
  { keys: ['.', ','], about: 'the figure plays: next, previous reference', run: (actions, key) => actions.play(key === '.' ? 1 : -1) },
  { keys: ['/'], about: 'find an event, a text or an address', run: (actions) => actions.search() },
  { keys: ['p'], about: 'presentation: outcome and figure alone, large', run: (actions) => actions.present() },
  { keys: ['?'], about: 'this help', run: (actions) => actions.help() },
];

/** Does what a key stands for; false: nothing. */
export function runKey(actions: KeyActions, key: string): boolean {
  const found = KEYS.find(({ keys, run }) => run !== null && keys.includes(key));
  found?.run?.(actions, key);
  return found !== undefined;
}

/** The keys, and what the filters mean; shown over the page, closed by any key. */
export class Help {
  readonly element: HTMLDialogElement;

  constructor(filters: readonly { readonly name: string; readonly about: string }[]) {
    const rows = KEYS.map(({ keys, about }) =>
      el('tr', {}, el('th', {}, ...keys.map((text) => el('kbd', { text }))), el('td', { text: about })),
    );
    const words = filters.map(({ name, about }) => el('tr', {}, el('th', { text: name }), el('td', { text: about })));
    this.element = el(
      'dialog',
      { class: 'help', attributes: { 'aria-label': 'Keys and filters' }, on: { click: () => this.close() } },
      el('section', {}, el('h4', { class: 'caption', text: 'Keys' }), el('table', {}, ...rows)),
      el('section', {}, el('h4', { class: 'caption', text: 'Filters: only steps of' }), el('table', {}, ...words)),
    );
  }

  toggle(): void {
    if (this.element.open) this.close();
    else this.element.showModal();
  }

  private close(): void {
    this.element.close();
  }
}
