import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { kernelTextOf } from '../../server/src/export/ftrace';
import { drained } from '../../server/src/language/steps';
import type { StepFolds } from '../../server/src/protocol/messages';
import { FoldedSteps } from '../../server/src/views/folded-steps';
import { changes, nextStep } from '../../server/src/views/next-step';
import { StatementGroups } from '../../server/src/views/statement-groups';
import type { RunView } from '../../server/src/views/view';
import { ran } from '../support/runs';
import { MACHINE } from '../support/scripts';

const SCRIPT = `run guest under ept {
  user read 0x40_0000       expect ok, exits 5
  user write 0x7fff_f000 = 1
  host get dirty log slot 0 expect ok
  user fetch 0x7fff_f000    expect ok
}
`;

const viewOf = (script: string): RunView => ran(MACHINE + script).views[0];
const ALL: StepFolds = { folded: true, except: [] };

describe('steps folded by statement', () => {
  const view = viewOf(SCRIPT);
  const groups = new StatementGroups(view);
  const list = (folds: StepFolds) => new FoldedSteps(view, groups, folds);
  const rows = (folds: StepFolds, from = 0, count = Infinity) => drained(list(folds).rows(from, count));

  it('are a line a statement, and one of the set-up before them', () => {
    const shown = rows(ALL);
    assert.equal(shown.length, 5);
    assert.deepEqual(shown.slice(1).map(({ text }) => text), ['user read 0x40_0000', 'user write 0x7fff_f000 = 1', 'get dirty log slot 0', 'user fetch 0x7fff_f000']); // prettier-ignore
    assert.equal(shown.reduce((sum, { fold }) => sum + fold!.steps, 0), view.steps.length); // prettier-ignore
  });

  it('say what the statement came to, at what cost, and how expectations stand', () => {
    const [setup, read, , log, fetch] = rows(ALL).map(({ fold }) => fold!);
    assert.deepEqual([setup.outcome, setup.exits], [null, '']);
    assert.match(read.outcome!.what, /^→ hpa 0x/);
    assert.deepEqual([read.outcome!.kind, read.exits, read.held, read.failed], ['ok', '5 × EPT_VIOLATION', 2, 0]);
    const changed = view.record.outcomes[0];
    assert.ok(read.changed >= 5, `${read.changed} for ${changed.to - changed.from} rows`);
    assert.deepEqual([fetch.outcome, fetch.held, fetch.failed], [{ kind: 'fault', what: '#PF(P U I)' }, 0, 1]);
    assert.equal(log.changed, 0);
  });

  it("are of the VMM where the host acts, of the guest's otherwise", () => {
    assert.deepEqual(rows(ALL).map(({ actor }) => actor), ['user', 'L1', 'L1', 'user', 'L1']); // prettier-ignore
  });

  it('stand where counting them one by one puts them, whatever is folded', () => {
    const folds = fc.record({ folded: fc.boolean(), except: fc.uniqueArray(fc.nat(groups.length + 1)) });
    fc.assert(
      fc.property(folds, fc.nat(view.steps.length - 1), fc.nat(200), (each, step, from) => {
        const open = (group: number): boolean => each.folded === each.except.includes(group);
        const expected: number[] = [];
        for (let at = 0; at < view.steps.length; at++) if (groups.first(groups.of(at)) === at || open(groups.of(at))) expected.push(at);
        const made = list(each);
        assert.equal(made.length, expected.length);
        assert.deepEqual(drained(made.rows(from, 7)).map((row) => row.step), expected.slice(from, from + 7)); // prettier-ignore
        const stands = expected.filter((other) => other <= step).at(-1)!;
        const shown = open(groups.of(step)) ? step : groups.first(groups.of(step));
        const folded = shown === step ? {} : { foldedInto: groups.of(step) };
        assert.deepEqual(made.placeOf(step), { position: expected.indexOf(shown), step: shown, ...folded });
        assert.ok(stands >= shown);
      }),
      { numRuns: 60 },
    );
  });

  it('are counted, not looked at: a run of many steps opens where it is looked at', () => {
    const long = viewOf('run guest under ept { user read 0x40_0000 x 20_000  user read 0x40_0000 }\n');
    const of = new StatementGroups(long);
    const open = new FoldedSteps(long, of, { folded: true, except: [1] });
    assert.equal(open.length, of.length - 1 + of.size(1));
    const last = open.placeOf(long.steps.length - 1)!;
    assert.equal(last.position, open.length - 1);
    assert.equal(last.step, of.first(2));
    assert.equal(drained(open.rows(open.length - 2, 5)).length, 2);
  });
});

describe('the next step of a kind', () => {
  const view = viewOf(SCRIPT);
  const all = view.steps.rows(0, view.steps.length);

  for (const goal of ['exit', 'fault', 'statement', 'change'] as const)
    it(`is the next ${goal}, forwards and back`, () => {
      const wanted = all.filter(({ step, kind }) => (goal === 'change' ? changes(view, step) : kind === goal)).map(({ step }) => step);
      assert.ok(wanted.length > 1);
      for (const from of [0, wanted[0], wanted[1], all.length - 1]) {
        assert.equal(drained(nextStep(view, from, goal, 1)), wanted.find((step) => step > from) ?? null);
        assert.equal(drained(nextStep(view, from, goal, -1)), wanted.filter((step) => step < from).at(-1) ?? null);
      }
    });
});

describe('steps as kernel text', () => {
  const view = viewOf(SCRIPT);

  it('are lines of the trace, those without a tracepoint comments', () => {
    const first = view.steps.rows(0, view.steps.length).find(({ event }) => event === 'ept_violation')!.step;
    const [violation, exit, fault, ...rest] = kernelTextOf(view, first, first + 2).split('\n');
    assert.match(violation, /^# ept_violation: gpa 0x1000/);
    assert.match(exit, /^ +ept-guest-1 +\[000\] \.{5} +0\.\d{6}: kvm_exit: (vcpu 0 )?reason EPT_VIOLATION rip 0x/);
    assert.match(fault, /: kvm_page_fault: /);
    assert.deepEqual(rest, ['']);
  });

  it('end at the last step', () => {
    assert.equal(kernelTextOf(view, view.steps.length - 1, Infinity).split('\n').length, 2);
  });
});
