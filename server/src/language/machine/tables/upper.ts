/** `upper 0x40_0000 +1G level 3 ro user`: rights of upper-level entries. */
import { bindParts, notInOutline } from '../../kind';
import type { TablesItemKind } from '../../kind';
import type { ItemReader } from '../../lower/tables/items';
import type { Env } from '../../semantics/values';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Base, Expression, Flag, RangeExpression } from '../../syntax/tree';

export interface Upper extends Base {
  readonly kind: 'upper';
  readonly address: RangeExpression;
  readonly level: Expression | null;
  readonly flags: readonly Flag[];
}

const ADDRESS = value('an address', 'linear');

const RIGHTS: { ARGS: [string] } = { ARGS: ['rights, as ro or user'] };

/** `upper 0x40_0000 +1G level 3 ro user` */
const rule: Rule<[], Upper> = ($) => () => {
  const start = $.CONSUME($.t.word('upper')).startOffset;
  const address = $.SUBRULE($.range, ADDRESS);
  const at = $.SUBRULE($.level);
  const flags = $.someFlags('mapping', RIGHTS);
  return { kind: 'upper', address, level: at, flags, range: $.since(start) };
};

export const upper: TablesItemKind<Upper> = {
  rule,
  begins: ($) => $.beginsTablesItem(),
  words: { declaration: { upper: 'Rights of upper-level entries: `upper 0x40_0000 level 2 ro`. Without it they allow everything.' } },
  numbered: 'never',
  line: 'plain',
  bind: bindParts,
  address: (node, part) => (node.address === part ? 'gva' : null),
  outline: notInOutline,
  read,
};

function read(items: ItemReader, node: Upper, env: Env): void {
  const range = items.context.evaluator.range(node.address, env);
  const level = items.level(node.level, env, 2);
  const entry = level === null ? null : items.entry(node.flags, level, false, env);
  if (!range || level === null || entry === null || !items.translates(range, node.address, env)) return;
  items.uppers.push({ node, env, ...range, level, entry });
}
