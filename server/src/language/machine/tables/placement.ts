/** `table 0x40_0000 level 1 at 0x4000`: where the table of that level on the way of that address lies. */
import { bindParts, notInOutline } from '../../kind';
import type { TablesItemKind } from '../../kind';
import type { ItemReader } from '../../lower/tables/items';
import type { Env } from '../../semantics/values';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Base, Expression } from '../../syntax/tree';

export interface Placement extends Base {
  readonly kind: 'placement';
  readonly address: Expression;
  readonly level: Expression | null;
  readonly at: Expression;
}

const ADDRESS = value('an address', 'linear');

const PLACE = value('the address of the table', 'gpa');

/** `table 0x40_0000 level 1 at 0x4000` */
const rule: Rule<[], Placement> = ($) => () => {
  const start = $.CONSUME($.t.word('table')).startOffset;
  const address = $.SUBRULE($.expression, ADDRESS);
  const of = $.SUBRULE($.level);
  $.CONSUME($.t.word('at'));
  const at = $.SUBRULE2($.expression, PLACE);
  return { kind: 'placement', address, level: of, at, range: $.since(start) };
};

export const placement: TablesItemKind<Placement> = {
  rule,
  begins: ($) => $.beginsTablesItem(),
  words: {
    declaration: { table: 'Where a table lies: `table 0x40_0000 level 1 at 0x4000`. Without it tables follow the root, page by page.' },
  },
  numbered: 'never',
  line: 'plain',
  bind: bindParts,
  address: (node, part) => (node.address === part ? 'gva' : node.at === part ? 'gpa' : null),
  outline: notInOutline,
  read,
};

function read(items: ItemReader, node: Placement, env: Env): void {
  const address = items.address(node.address, env);
  const level = items.level(node.level, env, 1, items.shape.levels - 1);
  const at = items.context.unsigned(node.at, env, 'the address of a table');
  if (address === null || level === null || at === null) return;
  if (at % 4096n !== 0n) return items.unaligned(node.at, env, at, 4096n);
  items.placements.push({ node, env, address, level, at });
}
