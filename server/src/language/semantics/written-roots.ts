/** Roots of tables as far as the text alone tells them: where `at` says. Where others lie is known once the machine is planned. */
import type { Reporter } from './reporter';
import type { Named } from './scopes';
import { fileEnv } from './values';
import type { Evaluator } from './values';

export class WrittenRoots {
  /** Tables whose place is being looked for, which may depend on itself. */
  private readonly pending = new Set<Named>();

  constructor(
    private readonly evaluator: Evaluator,
    private readonly reporter: Reporter,
  ) {}

  of(tables: Named): bigint | null {
    const { node } = tables;
    if (node.kind !== 'tables' || !node.at || this.pending.has(tables)) return null;
    const { from } = node.at;
    let root: bigint | null = null;
    this.pending.add(tables);
    this.reporter.silently(() => (root = this.evaluator.number(from, { ...fileEnv(tables.file), vm: tables.scope.vm })));
    this.pending.delete(tables);
    return root;
  }
}
