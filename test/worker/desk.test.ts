import { strict as assert } from 'node:assert';
import { Desk } from '../../server/src/worker/desk';
import type { Job, WorkerAnswer } from '../../server/src/worker/protocol';
import type { Answer, Params, Question, What } from '../../server/src/worker/questions';
import { MACHINE } from '../support/scripts';

const LONG = 'budget { steps 1_000_000_000  events 50_000_000 }\n';
const script = (body: string, under = 'ept'): string => `${MACHINE}run guest under ${under} {\n${body}\n}\n`;

/** A desk whose turns the test gives, with a clock that goes on by a tick each time it is looked at. */
class Table {
  readonly answers: WorkerAnswer[] = [];
  time = 0;
  private readonly waiting: (() => void)[] = [];
  private nextId = 1;
  /** Of the last job or question. */
  get last(): number {
    return this.nextId - 1;
  }
  readonly desk: Desk;

  constructor(tick = 0.1) {
    this.desk = new Desk({
      post: (answer) => this.answers.push(answer),
      soon: (call) => this.waiting.push(call),
      now: () => (this.time += tick),
    });
  }

  job(uri: string, text: string, more: Partial<Job> = {}): number {
    const id = this.nextId++;
    const job: Job = { uri, version: 1, text, texts: new Map(), files: new Map(), run: { until: null }, timeLimit: 10_000, ...more };
    this.desk.receive({ type: 'job', id, job, cancel: null });
    return id;
  }

  ask<K extends What>(of: number, what: K, params: Params<K>): () => Answer<K> | null | undefined {
    const id = this.nextId++;
    this.desk.receive({ type: 'ask', id, of, question: { what, params } as Question });
    return () => this.of(id, 'answer')?.answer as Answer<K> | null | undefined;
  }

  /** One turn of all that there is to do; false when there is nothing. */
  turn(): boolean {
    const call = this.waiting.shift();
    call?.();
    return call !== undefined;
  }

  finish(): void {
    while (this.turn());
  }

  of<T extends WorkerAnswer['type']>(id: number, type: T): Extract<WorkerAnswer, { type: T }> | undefined {
    return this.answers.find((each): each is Extract<WorkerAnswer, { type: T }> => each.id === id && each.type === type);
  }
}

describe('the desk of a worker', () => {
  it('checks a script, runs it, and answers about its runs', () => {
    const table = new Table();
    const id = table.job('file:///a.mmu', script('user read 0x40_0000 expect hpa 9', 'soft, ept'));
    table.finish();
    assert.deepEqual(table.answers.map(({ type }) => type), ['checked', 'ran', 'over']); // prettier-ignore
    assert.deepEqual(table.of(id, 'ran')?.infos.map(({ runId }) => runId), [`${id}.0`, `${id}.1`]); // prettier-ignore
    assert.deepEqual(table.of(id, 'ran')?.found.map(({ code }) => code), ['expectation-failed']); // prettier-ignore
    const steps = table.ask(id, 'steps', { run: 1, from: 0, count: 3, filter: null });
    const line = table.ask(id, 'stepAtLine', { run: 0, line: MACHINE.split('\n').length });
    const none = table.ask(id, 'step', { run: 7, step: 0 });
    table.finish();
    assert.deepEqual([steps()?.rows.length, typeof line(), none()], [3, 'number', null]);
  });

  it('finds what is wrong with machines and scripts, and runs nothing then', () => {
    const table = new Table();
    const id = table.job('file:///a.mmu', script('host flags slot 7 log_dirty  expect dirty slot 7 []'));
    table.finish();
    assert.deepEqual(table.of(id, 'checked')?.found.map(({ code }) => code), ['slot-refused', 'no-such-slot']); // prettier-ignore
    assert.equal(table.of(id, 'ran'), undefined);
  });

  it('does not tell again what is wrong with the text', () => {
    const table = new Table();
    const id = table.job('file:///a.mmu', `const a = 1 / 0\nconst a = 2\n${script('user read nowhere')}`);
    table.finish();
    assert.deepEqual(table.of(id, 'checked')?.found, []);
  });

  it('only checks when nothing is to be run, and keeps what was run before', () => {
    const table = new Table();
    const first = table.job('file:///a.mmu', script('user read 0x40_0000'));
    table.finish();
    const second = table.job('file:///a.mmu', script('host flags slot 7 log_dirty  expect dirty slot 7 []'), { run: null });
    table.finish();
    assert.equal(table.of(second, 'ran'), undefined);
    const old = table.ask(first, 'steps', { run: 0, from: 0, count: 1, filter: null });
    const fixes = table.ask(second, 'codeActions', {
      range: { start: { line: 0, character: 0 }, end: { line: 50, character: 0 } },
      shown: [],
    });
    table.finish();
    assert.equal(old()?.rows.length, 1);
    assert.ok(fixes());
  });

  it('keeps what was run while the text has errors, until something else has run or there is nothing to run', () => {
    const table = new Table();
    const first = table.job('file:///a.mmu', script('user read 0x40_0000'));
    table.finish();
    const steps = () => {
      const answer = table.ask(first, 'steps', { run: 0, from: 0, count: 1, filter: null });
      table.finish();
      return answer()?.rows.length ?? null;
    };
    const broken = table.job('file:///a.mmu', script('user read 0x40_0000 +'));
    table.finish();
    assert.equal(table.of(broken, 'ran'), undefined);
    assert.equal(steps(), 1);
    const none = table.job('file:///a.mmu', MACHINE);
    table.finish();
    assert.deepEqual(table.of(none, 'ran')?.infos, []);
    assert.equal(steps(), null);
  });

  it('compares runs with each other, and with what the text came to before its last change', () => {
    const table = new Table();
    const compared = (of: number, other: number | null) => {
      const answer = table.ask(of, 'compare', { run: 0, with: other });
      table.finish();
      const found = answer();
      return found && { runs: found.runs.map(({ short }) => short), differing: found.differing };
    };
    const ran = (text: string): number => {
      const id = table.job('file:///a.mmu', script(text, 'soft, ept'));
      table.finish();
      return id;
    };
    const first = ran('user read 0x40_0000');
    assert.deepEqual([compared(first, 1), compared(first, null)], [{ runs: ['soft', 'ept'], differing: 1 }, null]);
    const edited = ran('user read 0x40_0000\nuser read 0x40_1000');
    assert.deepEqual(compared(edited, null), { runs: ['before', 'now'], differing: 1 });
    const again = ran('user read 0x40_0000\nuser read 0x40_1000');
    assert.deepEqual(compared(again, null), { runs: ['before', 'now'], differing: 1 }, 'the same text run again is no change');
    assert.equal(compared(again, 7), null);
  });

  it('counts a run, and writes the report of all', () => {
    const table = new Table();
    const id = table.job('file:///a.mmu', script('user read 0x40_0000', 'soft, ept'));
    table.finish();
    const totals = table.ask(id, 'totals', { run: 1 });
    const report = table.ask(id, 'report', { run: 1, line: null });
    table.finish();
    assert.deepEqual(totals()?.map(({ part, exits }) => [part, exits]), [['run', 5], ['set-up', 0], ['statement', 5]]); // prettier-ignore
    assert.match(report() ?? '', /<section id="run-1" class="run"><h2>guest under ept<\/h2>/);
  });

  it('keeps no small script waiting for a large one', () => {
    const table = new Table();
    const large = table.job('file:///large.mmu', `${LONG}${script('user read 0x40_0000 x 1_000_000_000')}`, { timeLimit: 1e9 });
    for (let i = 0; i < 5; i++) table.turn();
    const small = table.job('file:///small.mmu', script('user read 0x40_0000'));
    for (let i = 0; i < 40 && !table.of(small, 'over'); i++) table.turn();
    assert.ok(table.of(small, 'ran'));
    assert.equal(table.of(large, 'over'), undefined);
    const answer = table.ask(small, 'stepAtLine', { run: 0, line: 0 });
    table.turn();
    assert.notEqual(answer(), undefined, 'a question has the next turn');
    table.desk.receive({ type: 'cancel', id: large });
    assert.deepEqual(table.of(large, 'over'), { type: 'over', id: large, failure: null });
    table.finish();
  });

  it('gives up what is under way for a document when it is edited, and when it is closed', () => {
    const table = new Table();
    const text = `${LONG}${script('user read 0x40_0000 x 1_000_000_000')}`;
    const first = table.job('file:///a.mmu', text);
    table.turn();
    const second = table.job('file:///a.mmu', text);
    assert.ok(table.of(first, 'over'));
    table.turn();
    table.desk.receive({ type: 'forget', uri: 'file:///a.mmu' });
    assert.ok(table.of(second, 'over'));
    assert.equal(table.of(second, 'ran'), undefined);
    table.finish();
  });

  it('counts the time of a script alone, whatever else there is to do', () => {
    const table = new Table();
    const endless = `${LONG}${script('user read 0x40_0000 x 1_000_000_000')}`;
    const [one, two] = ['a', 'b'].map((name) => table.job(`file:///${name}.mmu`, endless, { timeLimit: 200 }));
    table.finish();
    for (const id of [one, two]) assert.match(table.of(id, 'ran')?.infos[0].ended ?? '', /budget of time is used up \(0\.2 s\)/);
    assert.ok(table.time > 400);
  });

  it('gives each kind of a script its part of the time', () => {
    const table = new Table();
    const id = table.job('file:///a.mmu', `${LONG}${script('user read 0x40_0000 x 1_000_000_000', 'soft, ept, npt')}`, { timeLimit: 900 });
    table.finish();
    const infos = table.of(id, 'ran')!.infos;
    for (const { ended } of infos) assert.match(ended, /budget of time is used up \(0\.9 s, of which this run had 0\.3 s\)/);
    assert.ok(infos.every(({ steps }) => steps > 1000), JSON.stringify(infos)); // prettier-ignore
  });

  it('leaves time to run when unrolling takes all that it may', () => {
    const table = new Table(1);
    const id = table.job('file:///a.mmu', script('for i in 0 .. 99_998 { user read 0x40_0000 }', 'soft, ept, npt'), { timeLimit: 40 });
    table.finish();
    assert.deepEqual(table.of(id, 'checked')?.found.map(({ code }) => code), ['takes-too-long']); // prettier-ignore
    assert.equal(table.of(id, 'over')?.failure, null);
  });

  it('searches the rows of a run in turns, and gives up when nobody wants to know any more', () => {
    const table = new Table(3);
    const id = table.job('file:///a.mmu', script('user read 0x40_0000 x 20_000', 'soft'));
    table.finish();
    const filter = { text: 'no such text' };
    const found = table.ask(id, 'steps', { run: 0, from: 0, count: 10, filter });
    let turns = 0;
    while (found() === undefined && table.turn()) turns++;
    assert.ok(turns > 2, `${turns} turns`);
    assert.deepEqual(found(), { rows: [], total: 0 });
    const again = table.ask(id, 'steps', { run: 0, from: 0, count: 10, filter });
    table.turn();
    assert.deepEqual(again(), { rows: [], total: 0 }, 'the last searches are kept');
    const other = table.ask(id, 'position', { run: 0, step: 5, filter: { text: 'other' } });
    table.desk.receive({ type: 'cancel', id: table.last });
    assert.equal(other(), null);
    assert.equal(table.turn() && table.turn(), false, 'nothing is left to do');
  });

  it('knows nothing of jobs that are no more', () => {
    const table = new Table();
    const answer = table.ask(99, 'hover', { position: { line: 0, character: 0 }, links: false });
    table.finish();
    assert.equal(answer(), null);
  });
});
