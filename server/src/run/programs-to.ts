/** Programs cut off at a line of the script. */
import type { Program } from '../engine/program';
import type { Analysis } from '../language/analysis';
import type { Run } from '../language/syntax/tree';

/**
 * The programs of runs that begin at or before a line (zero-based), each without what its script does after the
 * statement that begins at that line. A block's statements belong to the call, wherever the block stands.
 */
export function programsTo(analysis: Analysis, programs: readonly Program[], line: number): Program[] {
  const runs = analysis.parsed.tree.items.filter((item): item is Run => item.kind === 'run');
  const runOf = (origin: number): Run | undefined => {
    const node = analysis.statementNodes[origin];
    if (analysis.statements[origin]?.uri !== analysis.uri || !node) return undefined;
    return runs.find(({ range }) => range.start <= node.range.start && node.range.end <= range.end);
  };
  const firstLine = (run: Run): number => analysis.locate(analysis.uri, run.range).range.start.line;
  return programs.flatMap((program) => {
    const { acts } = program;
    const run = acts.map((act) => runOf(act.origin)).find((each) => each !== undefined);
    if (run && firstLine(run) > line) return [];
    const end = acts.findIndex(({ origin }) => runOf(origin) !== undefined && analysis.statements[origin].range.start.line > line);
    return [end < 0 ? program : { ...program, acts: acts.slice(0, end) }];
  });
}
