/** `block name(a, b) { … }`: statements with a name, lowered where they are called. */
import { noAddress } from '../kind';
import type { FileItemKind } from '../kind';
import type { Binder } from '../semantics/binder';
import type { Scope } from '../semantics/scopes';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Body, Definition, Statement } from '../syntax/tree';

export interface Block extends Base {
  readonly kind: 'block';
  readonly name: Definition | null;
  readonly parameters: readonly Definition[];
  readonly body: Body<Statement> | null;
}

const BLOCK_NAME = { ERR_MSG: 'the name of the block', DEFINES: 'block', LABEL: 'name' } as const;

const PARAMETER = { ERR_MSG: 'the name of a parameter', DEFINES: 'parameter', LABEL: 'parameter' } as const;

export const parameter: Rule<[], Definition | null> = ($) => () => $.definitionOrNull($.CONSUME($.t.Word, PARAMETER), 'parameter');

/** `block name(a, b) { … }` */
const rule: Rule<[], Block> = ($) => {
  const list = (): Definition[] => $.LIST($.parameter);
  return () => {
    const start = $.CONSUME($.t.word('block')).startOffset;
    const name = $.definitionOrNull($.CONSUME($.t.Word, BLOCK_NAME), 'block');
    let parameters: Definition[] = [];
    if ($.isThere($.CONSUME($.t.LParen))) {
      parameters = $.OPTION(list) ?? ($.is($.t.RParen) ? [] : $.otherwise(list, []));
      $.CONSUME($.t.RParen);
    }
    const body = $.SUBRULE($.scriptBody, { ARGS: [name ? `block ${name.text}` : 'block'] });
    return { kind: 'block', name, parameters, body, range: $.since(start) };
  };
};

export const block: FileItemKind<Block> = {
  rule,
  words: { declaration: { block: 'A named block of statements with parameters, called as `name(1, 2)`.' } },
  numbered: 'never',
  line: 'plain',
  bind,
  address: noAddress,
  outline: ({ name, parameters, body }) => {
    const detail = `(${parameters.map(({ text }) => text).join(', ')})`;
    return { name: name?.text ?? 'block', detail, symbol: 'function', at: name, inner: body?.items };
  },
  declare: (node, scope, definitions) => definitions.define(scope, node.name, node),
};

function bind(node: Block, scope: Scope, binder: Binder): void {
  const inner = binder.definitions.scope(scope.file, node, [scope], null, true);
  for (const parameter of node.parameters) binder.definitions.define(inner, parameter, node);
  binder.bind(node.body, inner);
}
