/** Statements as one execution of them: in place of what depends on loops and on parameters of blocks, its value there. */
import type { Bound } from '../../engine/program';
import type { Expression, Node, Range } from '../syntax/tree';
import { children, walk } from '../syntax/walk';
import type { Links } from './links';
import type { Reporter } from './reporter';
import type { Named } from './scopes';
import type { SourceFile } from './source';
import type { Statements } from './statements';
import { fileEnv, show } from './values';
import type { Evaluator, Value } from './values';

/** An expression of a statement whose value is not the same in each execution. */
interface Open {
  readonly range: Range;
  /** Null: a reference to tables. */
  readonly expression: Expression | null;
  readonly named: Named | null;
}

const EXPRESSIONS: ReadonlySet<string> = new Set(['name', 'unary', 'binary', 'parenthesized']);

export class WrittenStatements {
  private readonly opens = new Map<number, readonly Open[]>();
  private locals: ReadonlyMap<string, Named> | null = null;

  constructor(
    private readonly links: Links,
    private readonly statements: Statements,
    private readonly files: readonly SourceFile[],
  ) {}

  /** @param values what tells values; nothing is reported */
  text(origin: number, bound: Bound, values: { readonly reporter: Reporter; readonly evaluator: Evaluator }): string {
    const { uri, text } = this.statements.places[origin];
    const opens = this.opensOf(origin);
    const file = this.files.find((each) => each.uri === uri);
    if (opens.length === 0 || !file) return text;
    const env = { ...fileEnv(file), locals: this.localsOf(file, bound) };
    const range = this.statements.ranges[origin];
    let shown = '';
    let at = range.start;
    for (const { range: own, expression, named } of opens) {
      let value: Value = named && (env.locals.get(named) ?? null);
      if (expression) values.reporter.silently(() => (value = values.evaluator.value(expression, env)));
      const said = typeof value === 'bigint' ? show(value) : (nameAt(bound, named) ?? null);
      if (said === null) continue;
      shown += spaced(file, at, own.start) + said;
      at = own.end;
    }
    return (shown + spaced(file, at, range.end)).replace(/\s+/g, ' ').trim();
  }

  private opensOf(origin: number): readonly Open[] {
    let found = this.opens.get(origin);
    if (!found) {
      const opens: Open[] = [];
      this.collect(this.statements.nodes[origin], this.statements.ranges[origin], opens);
      this.opens.set(origin, (found = opens));
    }
    return found;
  }

  private collect(node: Node, within: Range, found: Open[]): void {
    for (const child of children(node)) {
      const { range } = child;
      if (range.start < within.start || range.end > within.end) continue;
      if (EXPRESSIONS.has(child.kind)) {
        if (!this.isOpen(child)) continue;
        const named = child.kind === 'name' ? (this.links.byReference.get(child.name) ?? null) : null;
        found.push({ range, expression: child as Expression, named });
      } else if (child.kind === 'reference') {
        const named = this.links.byReference.get(child);
        if (named?.of === 'parameter') found.push({ range, expression: null, named });
      } else this.collect(child, within, found);
    }
  }

  private isOpen(expression: Node): boolean {
    for (const node of walk(expression)) {
      const named = node.kind === 'reference' && this.links.byReference.get(node);
      if (named && (named.of === 'loop' || named.of === 'parameter' || (named.of === 'const' && named.scope.local))) return true;
    }
    return false;
  }

  /** Values of the block in which a statement stands: those of its callers are not seen there. */
  private localsOf(file: SourceFile, bound: Bound): ReadonlyMap<Named, Value> {
    this.locals ??= new Map(this.links.names.map((named) => [keyOf(named.file, named.definition.range.start), named]));
    const values = new Map<Named, Value>();
    for (let at: Bound | null = bound; at && at.call === undefined; at = at.outer) {
      const named = this.locals.get(keyOf(file, at.definition));
      if (named && typeof at.value === 'bigint') values.set(named, at.value);
    }
    return values;
  }
}

/** The name of the tables that a name stands for; null when it stands for none. */
function nameAt(bound: Bound, named: Named | null): string | null {
  for (let at: Bound | null = bound; named && at && at.call === undefined; at = at.outer)
    if (at.definition === named.definition.range.start) return typeof at.value === 'string' ? at.value : null;
  return null;
}

function keyOf({ uri }: SourceFile, definition: number): string {
  return `${definition} ${uri}`;
}

/** What stands between two offsets, without comments, with a blank at an end where there is one. */
function spaced(file: SourceFile, start: number, end: number): string {
  const blank = (at: number): string => (at >= 0 && /\s/.test(file.text.charAt(at)) ? ' ' : '');
  if (start >= end) return '';
  const said = file.oneLine({ start, end });
  return said === '' ? ' ' : `${blank(start)}${said}${blank(end - 1)}`;
}
