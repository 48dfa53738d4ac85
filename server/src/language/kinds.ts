/** Every kind of node, and what the language knows of it. */
import { EXPECTATION_KINDS } from './expectations/kinds';
import { NO_WORDS, plain } from './kind';
import type { ItemKind, Kind, KindWords, Worded } from './kind';
import { FILE_ITEM_KINDS, VM_ITEM_KINDS } from './machine/kinds';
import { TABLES_ITEM_KINDS } from './machine/tables/kinds';
import { body } from './parts/body';
import { entryReference } from './parts/entry';
import { event } from './parts/event';
import { handler } from './parts/handler';
import { hostArea } from './parts/host-area';
import { hostAct, hostActKind } from './statements/host/kinds';
import { STATEMENT_KINDS } from './statements/kinds';
import type { Node, NodeKind, NodeOf } from './syntax/tree';

/** Parts of what has a kind of its own. */
const PART_KINDS = {
  file: plain,
  error: plain,
  comment: plain,
  body,
  handler,
  definition: plain,
  reference: { bind: (node, scope, binder) => binder.resolve(node, scope), address: plain.address } satisfies Kind<NodeOf<'reference'>>,
  name: { bind: (node, scope, binder) => binder.qualified(node.vm, node.name, scope), address: plain.address } satisfies Kind<
    NodeOf<'name'>
  >,
  word: plain,
  text: plain,
  flag: plain,
  under: plain,
  'mmu-kinds': plain,
  entry: entryReference,
  'host-area': hostArea,
  event,
  'event-field': plain,
  number: plain,
  switch: plain,
  unary: plain,
  binary: plain,
  parenthesized: plain,
  range: plain,
  missing: plain,
};

const ITEM_KINDS = { ...FILE_ITEM_KINDS, ...VM_ITEM_KINDS, ...TABLES_ITEM_KINDS, ...STATEMENT_KINDS, 'host-act': hostAct };

const KINDS: { readonly [K in NodeKind]: Kind<NodeOf<K>> } = { ...PART_KINDS, ...ITEM_KINDS, ...EXPECTATION_KINDS };

export function kindOf<N extends Node>(node: N): Kind<N> {
  return KINDS[node.kind] as unknown as Kind<N>;
}

/** Of what stands on a line of its own; null for its parts. */
export function itemKindOf<N extends Node>(node: N): ItemKind<N> | null {
  return Object.hasOwn(ITEM_KINDS, node.kind) ? (ITEM_KINDS[node.kind as keyof typeof ITEM_KINDS] as unknown as ItemKind<N>) : null;
}

/** The words that a node's kind brings. */
export function wordsOf(node: Node): KindWords {
  if (node.kind === 'host-act') return hostActKind(node).words;
  const kind: Kind<Node> & Partial<Worded> = kindOf(node);
  return kind.words ?? NO_WORDS;
}
