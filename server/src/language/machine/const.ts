/** `const page = 4K`; in a file, a VM, tables or a script. */
import { bindParts, lowersToNothing, noAddress } from '../kind';
import type { FileItemKind, StatementKind, TablesItemKind, VmItemKind } from '../kind';
import { VALUE } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Definition, Expression } from '../syntax/tree';

export interface Const extends Base {
  readonly kind: 'const';
  readonly name: Definition | null;
  readonly value: Expression;
}

const CONST_NAME = { ERR_MSG: 'a name', DEFINES: 'const', LABEL: 'name' } as const;

/** `const name = value` */
const rule: Rule<[], Const> = ($) => () => {
  const start = $.CONSUME($.t.word('const')).startOffset;
  const name = $.definitionOrNull($.CONSUME($.t.Word, CONST_NAME), 'const');
  $.CONSUME($.t.Assign);
  const of = $.SUBRULE($.expression, VALUE);
  return { kind: 'const', name, value: of, range: $.since(start) };
};

/** Its value is found when something names it, wherever it stands. */
export const constant: FileItemKind<Const> & VmItemKind<Const> & TablesItemKind<Const> & StatementKind<Const> = {
  rule,
  words: { declaration: { const: 'A named constant: `const page = 4K`.' } },
  numbered: 'never',
  line: 'statement',
  bind: bindParts,
  address: noAddress,
  outline: ({ name, value }, { text }) => ({ name: name?.text ?? 'const', detail: text(value), symbol: 'constant', at: name }),
  declare: (node, scope, definitions) => definitions.define(scope, node.name, node),
  once: () => null,
  plan: {},
  read: lowersToNothing,
  ends: null,
  does: () => false,
  lower: lowersToNothing,
};
