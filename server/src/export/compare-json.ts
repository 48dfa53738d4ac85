/** Comparisons as JSON, by the schema `schema/compare.schema.json`. */
import type { ComparedStatement, ComparisonView } from '../protocol/comparison';

const SCHEMA_VERSION = 1;

export function compareJson(comparisons: readonly ComparisonView[], exitStatus: number): string {
  const differing = comparisons.reduce((sum, each) => sum + each.differing, 0);
  const document = {
    schema: 'mmu-compare',
    version: SCHEMA_VERSION,
    comparisons: comparisons.map(({ statistics, lines, ...rest }) => ({
      ...rest,
      kvm_stat: statistics,
      lines: lines.map(({ in: cells, differs }) => ({ in: cells.map((cell) => cell && statement(cell)), differs })),
    })),
    summary: { differing, exitStatus },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Lines count from 1. */
function statement({ line, ...rest }: ComparedStatement): object {
  return { line: line === null ? null : line + 1, ...rest };
}
