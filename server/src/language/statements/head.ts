/** The line of a statement in the outline. */
import type { Outliner, OutlineEntry } from '../kind';
import type { Body, Expect, Handler, Node, Range } from '../syntax/tree';

interface Acting {
  readonly range: Range;
  readonly handler?: Handler | null;
  readonly expects: readonly Expect[];
}

/** An act without the handler and the expectations that follow it. */
export function actEntry(node: Acting, { text }: Outliner): OutlineEntry {
  const end = node.handler?.range.start ?? node.expects[0]?.range.start ?? node.range.end;
  return { name: text({ range: { start: node.range.start, end } }), symbol: 'act' };
}

/** What stands before a body, with the body's items in it. */
export function groupEntry(node: { readonly range: Range; readonly body: Body<Node> | null }, { text }: Outliner): OutlineEntry {
  const end = node.body?.range.start ?? node.range.end;
  return { name: text({ range: { start: node.range.start, end } }), symbol: 'group', inner: node.body?.items };
}
