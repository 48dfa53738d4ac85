/** Code lenses over each run: run it, and show the trace of what it came to. */
import type { CodeLens } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { RUN_COMMAND, SHOW_TRACE_COMMAND } from '../protocol/messages';
import type { RunInfo } from '../protocol/messages';
import { plural } from '../events/wording';
import { lspRange, runHead, runPlaces } from './places';

/** @param infos of the last run of the document, by the programs' indices; empty when there is none of this version */
export function codeLenses(analysis: Analysis, infos: readonly RunInfo[]): CodeLens[] {
  const { uri } = analysis;
  return runPlaces(analysis).flatMap(({ run, programs }) => {
    const range = lspRange(analysis, runHead(run));
    const lenses: CodeLens[] = [{ range, command: { title: '▶ Run', command: RUN_COMMAND, arguments: [uri] } }];
    const done = infos.filter(({ index }) => programs.includes(index));
    if (done.length === 0) return lenses;
    lenses.push({
      range,
      command: { title: `Show Trace (${counts(done)})`, command: SHOW_TRACE_COMMAND, arguments: [uri, done[0].index] },
    });
    return lenses;
  });
}

/** `2 of 12 expectations failed, 340 steps`. */
function counts(infos: readonly RunInfo[]): string {
  const failed = infos.reduce((sum, each) => sum + each.failed, 0);
  const all = infos.reduce((sum, each) => sum + each.failed + each.passed, 0);
  const steps = infos.reduce((sum, each) => sum + each.steps, 0);
  const said = failed > 0 ? `✗ ${failed} of ${plural(all, 'expectation')} failed` : `✓ ${plural(all, 'expectation')}`;
  return [...(all > 0 ? [said] : []), ...(infos.length > 1 ? [plural(infos.length, 'run')] : []), plural(steps, 'step')].join(', ');
}
