/** Code lenses over each run: run it, and show the trace of what it came to. */
import type { CodeLens } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { RUN_COMMAND, SHOW_TRACE_COMMAND } from '../protocol/messages';
import type { RunInfo } from '../protocol/messages';
import { plural } from '../events/wording';
import { lspRange, runHead, runPlaces } from './places';

/** To run it, over each run. */
export function runLenses(analysis: Analysis): CodeLens[] {
  const command = { title: '▶ Run', command: RUN_COMMAND, arguments: [analysis.uri] };
  return runPlaces(analysis).map(({ run }) => ({ range: lspRange(analysis, runHead(run)), command }));
}

/**
 * What each run came to.
 *
 * @param infos of the last run of the document, by the programs' indices
 */
export function traceLenses(analysis: Analysis, infos: readonly RunInfo[]): CodeLens[] {
  return runPlaces(analysis).flatMap(({ run, programs }) => {
    const done = infos.filter(({ index }) => programs.includes(index));
    if (done.length === 0) return [];
    const command = {
      title: `Show Trace (${counts(done)})`,
      command: SHOW_TRACE_COMMAND,
      arguments: [analysis.uri, done[0].index],
    };
    return [{ range: lspRange(analysis, runHead(run)), command }];
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
