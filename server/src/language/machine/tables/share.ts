/** `share kernel 0xffff_8000_0000_0000 +512G level 4`: the entries of that level are those of other tables. */
import { bindParts, notInOutline } from '../../kind';
import type { TablesItemKind } from '../../kind';
import type { ItemReader } from '../../lower/tables/items';
import type { Env } from '../../semantics/values';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Base, Expression, RangeExpression, Reference } from '../../syntax/tree';

export interface Share extends Base {
  readonly kind: 'share';
  readonly tables: Reference | null;
  readonly address: RangeExpression;
  /** Null: the root's. */
  readonly level: Expression | null;
}

const SHARED = { ERR_MSG: 'the name of tables', REFERS: 'table', LABEL: 'tables' } as const;

const ADDRESS = value('an address', 'linear');

/** `share kernel 0xffff_8000_0000_0000 +512G level 4` */
const rule: Rule<[], Share> = ($) => {
  const at = { GATE: () => $.clause(), DEF: (): Expression | null => $.SUBRULE($.level) };
  return () => {
    const start = $.CONSUME($.t.word('share')).startOffset;
    const from = $.referenceOrNull($.CONSUME($.t.Word, SHARED), 'table');
    const address = $.SUBRULE($.range, ADDRESS);
    return { kind: 'share', tables: from, address, level: $.OPTION(at) ?? null, range: $.since(start) };
  };
};

export const share: TablesItemKind<Share> = {
  rule,
  begins: ($) => $.beginsTablesItem(),
  words: {
    declaration: {
      share:
        'Entries taken from other tables, so that both roots lead to the same lower tables: `share kernel 0xffff_8000_0000_0000 level 4`.',
    },
  },
  numbered: 'never',
  line: 'plain',
  bind: bindParts,
  address: (node, part) => (node.address === part ? 'gva' : null),
  outline: notInOutline,
  read,
};

function read(items: ItemReader, node: Share, env: Env): void {
  const { context, shape } = items;
  const tables = node.tables && context.links.byReference.get(node.tables);
  const range = context.evaluator.range(node.address, env);
  const level = node.level ? items.level(node.level, env, 1) : shape.levels;
  if (!tables || tables.of !== 'tables' || !range || level === null || !items.translates(range, node.address, env)) return;
  items.shares.push({ node, env, tables, ...range, level });
}
