/** Statements that acts come from, numbered in the order of the text: an act's origin is such a number. */
import { itemKindOf } from '../kinds';
import type { StatementPlace } from '../places';
import type { Node, Range } from '../syntax/tree';
import { children } from '../syntax/walk';
import type { SourceFile } from './source';

export class Statements {
  readonly places: StatementPlace[] = [];
  readonly nodes: Node[] = [];
  /** Of the text that the places give. */
  readonly ranges: Range[] = [];
  private readonly origins = new Map<Node, number>();
  /** Statements of scripts in the main file, by begin: all of their text with expectations. */
  /** Name of the block that is looked at. */
  private block: string | undefined;
  private readonly ofScripts: { readonly origin: number; readonly range: Range; readonly run: Node }[] = [];

  constructor(files: readonly SourceFile[]) {
    files.forEach((file, index) => {
      for (const item of file.parsed.tree.items) {
        const script = item.kind === 'run' || item.kind === 'block';
        this.block = item.kind === 'block' ? item.name?.text : undefined;
        if (script || item.kind === 'vm') this.visit(item, file, script && index === 0 ? item : null, null, script);
      }
    });
  }

  /** Origin of a statement or an expectation. */
  of(node: Node): number {
    return this.origins.get(node) ?? -1;
  }

  /** The innermost statement of a script around an offset of the main file. */
  at(offset: number): number | null {
    let found: number | null = null;
    for (const { origin, range } of this.ofScripts) {
      if (range.start > offset) break;
      if (offset <= range.end) found = origin;
    }
    return found;
  }

  /** The last statement that begins before an offset in the same run or block. */
  before(offset: number): number | null {
    let found: { readonly origin: number; readonly run: Node } | null = null;
    for (const each of this.ofScripts) {
      if (each.range.start >= offset) break;
      found = each;
    }
    return found && offset <= found.run.range.end ? found.origin : null;
  }

  /** @param act the act that the node belongs to; @param script the node stands in a script, not in a machine */
  private visit(node: Node, file: SourceFile, run: Node | null, act: number | null, script: boolean): void {
    let inside = act;
    if (isStatement(node, act, script)) {
      inside = this.add(node, file, ownRange(node, file), null);
      if (run) this.ofScripts.push({ origin: inside, range: node.range, run });
    }
    for (const child of children(node)) this.child(child, node, file, run, inside, script);
  }

  private child(node: Node, parent: Node, file: SourceFile, run: Node | null, act: number | null, script: boolean): void {
    const handler = node.kind === 'handler';
    if (parent.kind !== 'expect') return this.visit(node, file, run, handler ? null : act, script || handler);
    if (node.kind !== 'error') this.add(node, file, node.range, act);
  }

  private add(node: Node, file: SourceFile, range: Range, of: number | null): number {
    const origin = this.places.length;
    const { range: place } = file.locate(range);
    this.places.push({
      uri: file.uri,
      range: place,
      text: file.oneLine(range),
      ...(of !== null && { of }),
      ...(this.block && { block: this.block }),
    });
    this.nodes.push(node);
    this.ranges.push(range);
    this.origins.set(node, origin);
    return origin;
  }
}

function isStatement(node: Node, act: number | null, script: boolean): boolean {
  switch (itemKindOf(node)?.numbered) {
    case 'always':
      return true;
    case 'alone':
      return act === null;
    case 'in-scripts':
      return script;
    case 'never':
    case undefined:
      return false;
  }
}

/** A statement without the handler and the expectations that follow it. */
function ownRange(node: Node, file: SourceFile): Range {
  if (!('expects' in node)) return node.range;
  const handler = 'handler' in node ? node.handler : null;
  const next = Math.min(handler?.range.start ?? Infinity, node.expects[0]?.range.start ?? Infinity);
  if (next === Infinity) return node.range;
  const { start } = node.range;
  return { start, end: start + file.text.slice(start, next).trimEnd().length };
}
