/** Scenarios in tests: run, with all their expectations held and nothing to warn of. */
import assert from 'node:assert/strict';
import { failedExpectations, ftrace, runScript } from '../../server/src/api/engine';
import type { RunView } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';

/** The runs of a scenario that is right in everything that it says; at least one expectation must be judged. */
export function holds(scenario: string, name = 'file:///acceptance.mmu'): RunView[] {
  const script = openScript(scenario, name, { read: () => null });
  const problems = script.problems.filter(({ severity }) => severity === 'error' || severity === 'warning');
  assert.deepEqual(
    problems.map(({ message, code }) => `${code}: ${message}`),
    [],
  );
  const views = runScript(script, {});
  assert.ok(views.length > 0, 'nothing runs');
  for (const view of views) {
    assert.deepEqual(view.record.ended, { how: 'done' });
    const failed = failedExpectations(view).map(({ expected, got }) => `${view.record.program.name}: expected ${expected}, got ${got}`);
    assert.deepEqual(failed, []);
  }
  assert.ok(
    views.some(({ record }) => record.outcomes.some(({ result }) => result.kind === 'expectation')),
    'nothing is expected',
  );
  return views;
}

/** Names of KVM's tracepoints in a trace of these runs, each once. */
export function tracepoints(views: readonly RunView[]): Set<string> {
  return new Set(namesIn(views));
}

/** How often a tracepoint is hit in these runs. */
export function tracepointCount(views: readonly RunView[], name: string): number {
  return namesIn(views).filter((each) => each === name).length;
}

function namesIn(views: readonly RunView[]): string[] {
  return [...ftrace(views)].filter((line) => !line.startsWith('#')).map((line) => /\d: (\w+): /.exec(line)![1]);
}
