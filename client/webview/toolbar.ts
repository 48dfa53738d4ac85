/** The tools above the list: which run, and what the list is narrowed to. */
import type { RunInfo, StepActor, StepFilter } from '../../server/src/protocol/messages';
import { el } from './dom';
import { actorWords, KIND_WORDS } from './filters';
import type { FilterKind } from './filters';

/** More runs than this are chosen from a list. */
const TABS = 6;
/** A search that takes so many milliseconds is shown. */
const SEARCH_SHOWN = 200;
/** Typing is over after so many milliseconds. */
const SETTLE = 150;

interface ToolbarEvents {
  choose(runId: string): void;
  filter(filter: StepFilter): void;
  foldAll(folded: boolean): void;
  help(): void;
}

export class Toolbar {
  readonly element: HTMLElement;
  private readonly runs = el('div', { class: 'runs' });
  private readonly status = el('span', { class: 'count', attributes: { role: 'status' } });
  private readonly older = el('span', {
    class: 'older-note',
    text: 'older',
    title: `These runs are ${OLDER}`,
    attributes: { role: 'status', hidden: true },
  });
  private readonly busy = el('span', { class: 'busy', attributes: { role: 'status' } });
  private readonly search = el('input', {
    class: 'search',
    attributes: { type: 'search', placeholder: 'Find event, text or address', 'aria-label': 'Find steps', spellcheck: 'false' },
  });
  private readonly kinds: HTMLElement;
  private readonly actors = el('div', { class: 'chips', role: 'group', attributes: { 'aria-label': 'Actors' } });
  private settling: ReturnType<typeof setTimeout> | undefined;
  private searching: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private filter: StepFilter,
    private readonly events: ToolbarEvents,
  ) {
    this.search.value = filter.text ?? '';
    this.search.addEventListener('input', () => {
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.change({ text: this.search.value }), SETTLE);
    });
    this.search.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || this.search.value === '') return;
      this.search.value = '';
      this.change({ text: '' });
      event.preventDefault();
    });
    this.kinds = el('div', { class: 'chips', role: 'group', attributes: { 'aria-label': 'Kinds of steps' } });
    for (const { value, name, about } of KIND_WORDS)
      this.kinds.append(chip(name, about, `kind ${value}`, this.has('kinds', value), () => this.toggle('kinds', value)));
    const tool = (text: string, title: string, click: () => void): HTMLElement =>
      el('button', { class: 'tool', text, title, attributes: { 'aria-label': title }, on: { click } });
    const tools = el(
      'div',
      { class: 'tools' },
      tool('⊟', 'Fold all statements (-)', () => events.foldAll(true)),
      tool('⊞', 'Unfold all statements (+)', () => events.foldAll(false)),
      tool('?', 'Keys and filters (?)', () => events.help()),
    );
    const first = el('div', { class: 'first' }, this.runs, this.older, this.busy, this.status, tools);
    const line = el('div', { class: 'filters' }, this.search, this.kinds, this.actors);
    this.element = el('div', { class: 'toolbar', role: 'toolbar', attributes: { 'aria-label': 'Run and filter' } }, first, line);
  }

  focusSearch(): void {
    this.search.focus();
    this.search.select();
  }

  /** The steps that pass a filter are being looked for; {@link setCount} ends it. Said when it takes a while. */
  setSearching(): void {
    clearTimeout(this.searching);
    this.searching = setTimeout(() => {
      this.status.textContent = 'Searching…';
      this.status.classList.add('searching');
    }, SEARCH_SHOWN);
  }

  /** @param shown null: all, folded or not */
  setCount(shown: number | null, of: number): void {
    clearTimeout(this.searching);
    this.status.classList.remove('searching');
    const count = (value: number) => value.toLocaleString('en');
    this.status.textContent = shown === null || shown === of ? `${count(of)} steps` : `${count(shown)} of ${count(of)} steps`;
  }

  /** What is under way, or went wrong; null: nothing. */
  setBusy(message: string | null): void {
    this.busy.textContent = message ?? '';
    this.busy.title = message ?? '';
  }

  setRuns(runs: readonly RunInfo[], selected: RunInfo | null): void {
    const focused = this.runs.contains(document.activeElement);
    this.runs.replaceChildren(runs.length > TABS ? this.list(runs, selected) : this.tabs(runs, selected));
    if (focused) this.runs.querySelector<HTMLElement>('[aria-checked="true"], select')?.focus();
    this.setActors(selected?.actors ?? []);
    this.older.hidden = selected?.older !== true;
  }

  private setActors(present: readonly StepActor[]): void {
    const chips = actorWords(present).map(({ value, name, about }) =>
      chip(name, about, `actor ${value}`, this.has('actors', value), () => this.toggle('actors', value)),
    );
    this.actors.replaceChildren(...chips);
  }

  private tabs(runs: readonly RunInfo[], selected: RunInfo | null): HTMLElement {
    const group = el('div', { class: 'tabs', role: 'radiogroup', attributes: { 'aria-label': 'Run' } });
    for (const run of runs) {
      const chosen = run === selected;
      const tab = el('button', {
        class: `tab${chosen ? ' chosen' : ''}`,
        role: 'radio',
        title: `${run.name}: ${said(run)}`,
        attributes: { 'aria-checked': String(chosen), tabindex: chosen ? 0 : -1 },
        on: { click: () => this.events.choose(run.runId) },
      });
      tab.append(mark(run), el('span', { text: run.name }), untilText(run) ? el('span', { class: 'until', text: untilText(run) }) : '');
      group.append(tab);
    }
    group.addEventListener('keydown', (event) => {
      const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!move) return;
      event.preventDefault();
      const next = (runs.findIndex((run) => run === selected) + move + runs.length) % runs.length;
      this.events.choose(runs[next].runId);
    });
    return group;
  }

  private list(runs: readonly RunInfo[], selected: RunInfo | null): HTMLElement {
    const select = el('select', { attributes: { 'aria-label': 'Run' }, on: { change: () => this.events.choose(select.value) } });
    for (const run of runs)
      select.append(
        el('option', {
          text: `${run.failed > 0 ? '✗' : '✓'} ${run.name} ${untilText(run)}`.trimEnd(),
          attributes: { value: run.runId, selected: run === selected },
        }),
      );
    return select;
  }

  private has(key: 'kinds' | 'actors', value: FilterKind | StepActor): boolean {
    return (this.filter[key] as readonly string[] | undefined)?.includes(value) ?? false;
  }

  private toggle(key: 'kinds' | 'actors', value: FilterKind | StepActor): boolean {
    const old = (this.filter[key] ?? []) as readonly string[];
    const on = !old.includes(value);
    this.change({ [key]: on ? [...old, value] : old.filter((each) => each !== value) });
    return on;
  }

  private change(part: StepFilter): void {
    this.filter = { ...this.filter, ...part };
    this.events.filter(this.filter);
  }
}

function chip(name: string, about: string, className: string, on: boolean, toggle: () => boolean): HTMLElement {
  const button = el('button', {
    class: `chip ${className}`,
    text: name,
    title: `Only ${about}`,
    attributes: { 'aria-pressed': String(on) },
  });
  button.addEventListener('click', () => button.setAttribute('aria-pressed', String(toggle())));
  return button;
}

function mark(run: RunInfo): HTMLElement {
  const failed = run.failed > 0 || run.ended !== 'done';
  return el('span', { class: `mark ${failed ? 'failed' : 'held'}`, text: failed ? '✗' : '✓', attributes: { 'aria-label': said(run) } });
}

function said(run: RunInfo): string {
  const { passed, failed, ended } = run;
  const expectations = failed > 0 ? `${failed} of ${passed + failed} expectations failed` : `${passed} expectations hold`;
  return [expectations, untilText(run), run.older && OLDER, ended !== 'done' && ended].filter(Boolean).join('; ');
}

const OLDER = 'of an older text: what is written now has errors, or was not run';

/** `stops at line 12`: of a run to the cursor; empty otherwise. */
function untilText({ until }: RunInfo): string {
  return until === null ? '' : `stops at line ${until + 1}`;
}
