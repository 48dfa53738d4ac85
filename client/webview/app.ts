/** The page: tools above, the list of steps, the selected step's detail. It holds what is chosen; everything else is asked for. */
import type { RunInfo, StepFilter, StepRow, ToPanel } from '../../server/src/protocol/messages';
import { CompareSection } from './compare/compare';
import { Detail } from './detail/detail';
import { el } from './dom';
import type { Host, PanelState } from './host';
import { StepList } from './list/step-list';
import { RunSlider } from './run-slider';
import { Splitter } from './splitter';
import { NO_CHOICES, StateView } from './state/state-view';
import { Tabs } from './tabs';
import { Toolbar } from './toolbar';
import { TotalsSection } from './totals/totals';

const DETAIL_SHARE = 0.52;
/** Details of steps that a held arrow key runs over are not asked for. */
const SETTLE = 40;

export class App {
  private state: PanelState;
  private run: RunInfo | null = null;
  /** Number of the filter and run in use: answers to older ones are dropped. */
  private query = 0;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private readonly toolbar: Toolbar;
  private readonly list: StepList;
  private readonly detail: Detail;
  private readonly machine: StateView;
  private readonly totals: TotalsSection;
  private readonly compare: CompareSection;
  private readonly side: Tabs;
  private runs: readonly RunInfo[] = [];
  private readonly slider = new RunSlider((step) => this.select(step));
  private readonly main = el('main', { class: 'main' });

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
      when: kept.when ?? 'after',
      section: kept.section ?? null,
      machine: kept.machine ?? NO_CHOICES,
      detailShare: kept.detailShare ?? DETAIL_SHARE,
    };
    this.toolbar = new Toolbar(this.state.filter, { choose: (runId) => this.choose(runId), filter: (filter) => this.setFilter(filter) });
    this.list = new StepList({
      needRows: (from, count) =>
        this.run && host.post({ type: 'needRows', runId: this.run.runId, query: this.query, from, count, filter: this.filter }),
      selected: (row, clicked) => this.selected(row, clicked),
      opened: (row) => this.reveal(row.line, true),
    });
    this.detail = new Detail(this.state.when, { reveal: (line) => this.reveal(line, true), when: (when) => this.keep({ when }) });
    this.machine = new StateView(this.state.machine, {
      needState: (step, id, from, count) => this.ofRun((runId) => host.post({ type: 'needState', runId, step, id, from, count })),
      needOrigin: (step, id) => this.ofRun((runId) => host.post({ type: 'needOrigin', runId, step, id })),
      needMemory: (step) => this.ofRun((runId) => host.post({ type: 'needMemory', runId, step })),
      goTo: (step) => this.select(step),
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
    root.append(this.toolbar.element, this.slider.element, main);
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
        return this.toolbar.setCount(message.total, run.steps);
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
        return this.select(message.step);
      case 'position':
        if (message.query === this.query && message.step === this.state.step) this.list.select(message.position);
    }
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
    this.list.reset(!run ? 0 : this.filter ? Math.min(1, run.steps) : run.steps, run?.actors ?? []);
    if (!run) return;
    if (this.filter) this.toolbar.setSearching();
    else this.toolbar.setCount(run.steps, run.steps);
  }

  /** A step that was chosen elsewhere. */
  private select(step: number): void {
    if (!this.run) return;
    this.keep({ step });
    if (this.filter) this.host.post({ type: 'needPosition', runId: this.run.runId, query: this.query, step, filter: this.filter });
    else this.list.select(step);
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
    const inText = event.target instanceof HTMLInputElement && event.target.type !== 'range';
    if ((event.key === '/' && !inText) || (event.key === 'f' && (event.ctrlKey || event.metaKey))) this.toolbar.focusSearch();
    else if (event.key === 'ArrowDown' && inText) this.list.focus();
    else if ((event.key === ',' || event.key === '.') && !inText) this.detail.step(event.key === '.' ? 1 : -1);
    else return;
    event.preventDefault();
  }

  private keep(part: Partial<PanelState>): void {
    this.state = { ...this.state, ...part };
    if ('step' in part) this.slider.show(this.run, this.state.step);
    this.host.save(this.state);
  }
}
