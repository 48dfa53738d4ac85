/** The page: tools above, the list of steps, the selected step's detail. It holds what is chosen; everything else is asked for. */
import type { RunInfo, StepFilter, StepFolds, StepGoal, StepPlace, StepRow, ToPanel } from '../../server/src/protocol/messages';
import { CompareSection } from './compare/compare';
import { Detail } from './detail/detail';
import { el } from './dom';
import { actorWords, KIND_WORDS } from './filters';
import type { Host, PanelState } from './host';
import { Help, runKey } from './keys';
import type { KeyActions } from './keys';
import { lastStepOf } from './list/row-view';
import { StepList } from './list/step-list';
import { RunSlider } from './run-slider';
import { Splitter } from './splitter';
import { NO_CHOICES, StateView } from './state/state-view';
import { Tabs } from './tabs';
import { Toolbar } from './toolbar';
import { TotalsSection } from './totals/totals';

const DETAIL_SHARE = 0.52;
/** All statements folded, with which a list begins. */
const ALL_FOLDED: StepFolds = { folded: true, except: [] };
/** Statements that are unfolded, or folded, one by one; beyond them the oldest are as all. */
const MOST_EXCEPTIONS = 1000;
/** Details of steps that a held arrow key runs over are not asked for. */
const SETTLE = 40;

export class App {
  private state: PanelState;
  private run: RunInfo | null = null;
  /** Number of the filter and run in use: answers to older ones are dropped. */
  private query = 0;
  /** The step that is asked for is to be seen, unfolded. */
  private unfolds = false;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private readonly toolbar: Toolbar;
  private readonly list: StepList;
  private readonly detail: Detail;
  private readonly machine: StateView;
  private readonly totals: TotalsSection;
  private readonly compare: CompareSection;
  private readonly side: Tabs;
  private runs: readonly RunInfo[] = [];
  private readonly slider = new RunSlider((step) => this.select(step, true));
  private readonly main = el('main', { class: 'main' });
  private readonly help = new Help([...KIND_WORDS, ...actorWords(['L2', 'L1', 'processor', 'L0', 'user'])]);

  constructor(
    private readonly host: Host,
    root: HTMLElement,
  ) {
    const kept = host.load();
    this.state = {
      scenario: root.dataset.scenario ?? kept.scenario ?? '',
      run: kept.run ?? null,
      step: kept.step ?? null,
      filter: kept.filter ?? {},
      folds: kept.folds ?? ALL_FOLDED,
      when: kept.when ?? 'after',
      section: kept.section ?? null,
      machine: kept.machine ?? NO_CHOICES,
      detailShare: kept.detailShare ?? DETAIL_SHARE,
    };
    this.toolbar = new Toolbar(this.state.filter, {
      choose: (runId) => this.choose(runId),
      filter: (filter) => this.setFilter(filter),
      foldAll: (folded) => this.foldAll(folded),
      help: () => this.help.toggle(),
    });
    this.list = new StepList({
      needRows: (from, count) =>
        this.run && host.post({ type: 'needRows', runId: this.run.runId, query: this.query, from, count, ...this.listed }),
      selected: (row, clicked) => this.selected(row, clicked),
      opened: (row) => this.reveal(row.line, true),
      toggled: (group) => this.toggle(group),
      out: () => this.go('statement', -1),
    });
    this.detail = new Detail(this.state.when, { reveal: (line) => this.reveal(line, true), when: (when) => this.keep({ when }) });
    this.machine = new StateView(this.state.machine, {
      needState: (step, id, from, count) => this.ofRun((runId) => host.post({ type: 'needState', runId, step, id, from, count })),
      needOrigin: (step, id) => this.ofRun((runId) => host.post({ type: 'needOrigin', runId, step, id })),
      needMemory: (step) => this.ofRun((runId) => host.post({ type: 'needMemory', runId, step })),
      goTo: (step) => this.select(step, true),
      keep: (machine) => this.keep({ machine }),
    });
    const revealed = (line: number): void => this.reveal(line, true);
    this.totals = new TotalsSection({
      need: (runId) => host.post({ type: 'needTotals', runId }),
      reveal: revealed,
      report: () => host.post({ type: 'exportReport' }),
    });
    this.compare = new CompareSection({
      need: (runId, other) => host.post({ type: 'needComparison', runId, with: other }),
      reveal: revealed,
    });
    const tabs = [
      { id: 'step', name: 'Step', about: 'The selected step, and the way of its address', panel: this.detail.element },
      { id: 'state', name: 'State', about: 'Page tables, registers, slots, TLB as they are after the step', panel: this.machine.element },
      { id: 'totals', name: 'Totals', about: 'Exits, references, events and what kvm_stat counts', panel: this.totals.element },
      { id: 'compare', name: 'Compare', about: 'This run beside another one', panel: this.compare.element },
    ];
    this.side = new Tabs('Beside the list', tabs, this.state.section, (section) => {
      this.keep({ section });
      this.machine.setVisible(section === 'state');
      this.lookAtRun();
    });
    this.machine.setVisible(this.side.chosen === 'state');
    const { main } = this;
    const splitter = new Splitter(main, this.state.detailShare, (detailShare) => this.keep({ detailShare }));
    main.append(this.list.element, splitter.element, this.side.element);
    root.append(this.toolbar.element, this.slider.element, main, this.help.element);
    root.addEventListener('keydown', (event) => this.key(event));
    root.addEventListener('click', (event) => {
      const section = (event.target as Element).closest<HTMLElement>('[data-section]')?.dataset.section;
      if (section) host.post({ type: 'explain', section });
    });
    this.list.setEmptyText('No run yet');
    this.keep({});
    host.onMessage((message) => this.receive(message));
    host.post({ type: 'ready' });
  }

  private receive(message: ToPanel): void {
    switch (message.type) {
      case 'runs':
        return this.setRuns(message.runs, message.selected);
      case 'busy':
        return this.toolbar.setBusy(message.message);
      case 'translation':
        this.side.choose('step');
        return this.detail.showTranslation(message.view);
      default:
        if (this.run?.runId === message.runId) this.receiveOf(this.run, message);
    }
  }

  private receiveOf(run: RunInfo, message: Extract<ToPanel, { readonly runId: string }>): void {
    switch (message.type) {
      case 'rows':
        if (message.query !== this.query) return;
        this.list.receive(message.from, message.rows, message.total);
        return this.toolbar.setCount(this.filter ? message.total : null, run.steps);
      case 'detail':
        if (message.detail.row.step === this.state.step) this.detail.show(message.detail);
        return;
      case 'state':
        return this.machine.receive(message.step, message.id, message.from, message.found);
      case 'origin':
        return this.machine.receiveOrigin(message.step, message.id, message.origin);
      case 'memory':
        return this.machine.receiveMemory(message.step, message.maps);
      case 'totals':
        return this.totals.show(message.totals);
      case 'comparison':
        return this.compare.show(message.runId, message.with, message.comparison);
      case 'select':
        return this.select(message.step, true);
      case 'position':
        if (message.query === this.query && message.step === this.state.step) this.placed(message.place);
        return;
      case 'next':
        if (message.found && message.from === this.state.step) this.goTo(message.found);
    }
  }

  /** The chosen step stands there, or another one stands for it: that is the chosen one then. */
  private placed(place: StepPlace | null): void {
    const { unfolds } = this;
    this.unfolds = false;
    if (unfolds && place?.foldedInto !== undefined) return this.toggle(place.foldedInto);
    this.list.select(place?.position ?? null);
    if (!place || place.step === this.state.step) return;
    this.keep({ step: place.step });
    this.askDetail();
  }

  /** What the list is of. */
  private get listed(): { readonly filter: StepFilter | null; readonly folds: StepFolds | null } {
    const { filter } = this;
    return { filter, folds: filter ? null : this.state.folds };
  }

  /** What the list is narrowed to; null when it is not. */
  private get filter(): StepFilter | null {
    const { actors, kinds, text } = this.state.filter;
    return actors?.length || kinds?.length || text?.trim() ? this.state.filter : null;
  }

  private setRuns(runs: readonly RunInfo[], selected: string | null): void {
    const byKept = this.run === null ? runs.find(({ name }) => name === this.state.run) : undefined;
    // The run chosen before a reload is chosen again; the client is told.
    if (byKept && byKept.runId !== selected) return this.host.post({ type: 'chooseRun', runId: byKept.runId });
    const before = this.run;
    this.main.classList.toggle(
      'older',
      runs.some(({ older }) => older),
    );
    this.run = runs.find(({ runId }) => runId === selected) ?? null;
    this.runs = runs;
    this.lookAtRun();
    this.toolbar.setRuns(runs, this.run);
    this.slider.show(this.run, this.state.step);
    this.list.setEmptyText(runs.length === 0 ? 'Nothing was run: the scenario has errors, or no run' : 'No step passes the filter');
    if (this.run?.runId === before?.runId && before !== null) return;
    this.keep({ run: this.run?.name ?? this.state.run });
    this.restart();
    this.machine.reset();
    const { step } = this.state;
    if (!this.run || this.run.steps === 0) return this.detail.clear();
    this.select(step === null ? 0 : Math.min(step, this.run.steps - 1));
    // Nothing was chosen yet: the first statement, when there is one.
    if (step === null) this.go('statement', 1);
  }

  /** What is seen of the whole run is asked for. */
  private lookAtRun(): void {
    if (this.side.chosen === 'totals') this.totals.look(this.run?.runId ?? null);
    if (this.side.chosen === 'compare') this.compare.look(this.run, this.runs);
  }

  private choose(runId: string): void {
    if (runId !== this.run?.runId) this.host.post({ type: 'chooseRun', runId });
  }

  private setFilter(filter: StepFilter): void {
    this.keep({ filter });
    this.restart();
    if (this.state.step !== null && this.run) this.select(this.state.step);
  }

  /** The list anew, for another run or filter. */
  private restart(): void {
    this.query++;
    const run = this.run;
    // How many steps pass a filter comes with the first rows; one is enough to ask for them.
    this.list.reset(run ? Math.min(1, run.steps) : 0, run?.actors ?? [], String(run?.steps ?? 0).length, !this.filter);
    if (!run) return;
    if (this.filter) this.toolbar.setSearching();
    else this.toolbar.setCount(null, run.steps);
  }

  /* ------------------------------------------------------------ folding */

  private toggle(group: number): void {
    const { folded, except } = this.state.folds;
    const others = except.filter((each) => each !== group);
    this.setFolds({ folded, except: others.length < except.length ? others : [...except, group].slice(-MOST_EXCEPTIONS) });
  }

  private foldAll(folded: boolean): void {
    this.setFolds({ folded, except: [] });
  }

  private setFolds(folds: StepFolds): void {
    this.keep({ folds });
    if (this.filter) return;
    this.query++;
    this.list.renew();
    if (this.state.step !== null) this.select(this.state.step);
  }

  /* ------------------------------------------------------------ going to steps */

  private go(goal: StepGoal, direction: 1 | -1): void {
    const { step } = this.state;
    if (this.run && step !== null) this.host.post({ type: 'needNext', runId: this.run.runId, step, goal, direction });
  }

  /** The statement that a step is of is unfolded, unless the step is its first one. */
  private goTo({ step, group, first }: NonNullable<Extract<ToPanel, { type: 'next' }>['found']>): void {
    const { folded, except } = this.state.folds;
    this.keep({ step });
    if (!this.filter && step !== first && folded !== except.includes(group)) this.toggle(group);
    else this.select(step);
  }

  /** @param unfolds the statement that it is of is unfolded: it was chosen elsewhere */
  private select(step: number, unfolds = false): void {
    if (!this.run) return;
    this.keep({ step });
    this.unfolds = unfolds;
    this.host.post({ type: 'needPosition', runId: this.run.runId, query: this.query, step, ...this.listed });
    this.askDetail();
  }

  private selected(row: StepRow, clicked: boolean): void {
    this.keep({ step: row.step });
    this.askDetail();
    if (clicked) this.reveal(row.line, false);
  }

  private ofRun(ask: (runId: string) => void): void {
    if (this.run) ask(this.run.runId);
  }

  private askDetail(): void {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const { step } = this.state;
      if (step === null) return;
      this.ofRun((runId) => this.host.post({ type: 'needDetail', runId, step }));
      this.machine.show(step);
    }, SETTLE);
  }

  private reveal(line: number | null, focus: boolean): void {
    if (this.run && line !== null) this.host.post({ type: 'reveal', runId: this.run.runId, line, focus });
  }

  private key(event: KeyboardEvent): void {
    const inText = (event.target instanceof HTMLInputElement && event.target.type !== 'range') || event.target instanceof HTMLSelectElement;
    const command = event.ctrlKey || event.metaKey;
    if (event.key === 'f' && command) this.toolbar.focusSearch();
    else if (event.key === 'c' && command && this.list.element.contains(document.activeElement)) this.copy();
    else if (event.key === 'ArrowDown' && inText) this.list.focus();
    else if (event.key === 'Escape' && this.presenting) this.present();
    else if (inText || command || event.altKey || !runKey(this.actions, event.key)) return;
    event.preventDefault();
  }

  private readonly actions: KeyActions = {
    go: (goal, direction) => this.go(goal, direction),
    foldAll: (folded) => this.foldAll(folded),
    play: (direction) => this.detail.step(direction),
    search: () => this.toolbar.focusSearch(),
    present: () => this.present(),
    copy: () => this.copy(),
    help: () => this.help.toggle(),
  };

  /** The steps that are marked, into the clipboard. */
  private copy(): void {
    const { marked } = this.list;
    if (this.run && marked)
      this.host.post({ type: 'copySteps', runId: this.run.runId, from: marked.first.step, to: lastStepOf(marked.last) });
  }

  private get presenting(): boolean {
    return document.body.classList.contains('presenting');
  }

  /** Outcome and figure alone, large; again: as before. */
  private present(): void {
    const on = document.body.classList.toggle('presenting');
    this.host.post({ type: 'present', on });
    if (on) this.side.choose('step');
  }

  private keep(part: Partial<PanelState>): void {
    this.state = { ...this.state, ...part };
    if ('step' in part) this.slider.show(this.run, this.state.step);
    this.host.save(this.state);
  }
}
