/** `entry 0x40_0000 level 2 = 0x4007`: the entry at that level on the way of that address, as it is written to memory. */
import { bindParts, notInOutline } from '../../kind';
import type { TablesItemKind } from '../../kind';
import type { ItemReader } from '../../lower/tables/items';
import { wholeEntry } from '../../lower/tables/flags';
import { show } from '../../semantics/values';
import type { Env } from '../../semantics/values';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Base, Expression } from '../../syntax/tree';

export interface RawEntry extends Base {
  readonly kind: 'raw-entry';
  readonly address: Expression;
  readonly level: Expression | null;
  readonly value: Expression;
}

const ADDRESS = value('an address', 'linear');

const RAW = value('the value of the entry', 'entry');

/** `entry 0x40_0000 level 2 = 0x4007` */
const rule: Rule<[], RawEntry> = ($) => () => {
  const start = $.CONSUME($.t.word('entry')).startOffset;
  const address = $.SUBRULE($.expression, ADDRESS);
  const at = $.SUBRULE($.level);
  $.CONSUME($.t.Assign);
  const raw = $.SUBRULE2($.expression, RAW);
  return { kind: 'raw-entry', address, level: at, value: raw, range: $.since(start) };
};

export const rawEntry: TablesItemKind<RawEntry> = {
  rule,
  begins: ($) => $.beginsTablesItem(),
  words: {
    declaration: {
      entry: 'A raw entry: `entry 0x40_0000 level 2 = 0x4007` is the level-2 entry on the way of that address, written as it is.',
    },
  },
  numbered: 'never',
  line: 'plain',
  bind: bindParts,
  address: (node, part) => (node.address === part ? 'gva' : null),
  outline: notInOutline,
  read,
};

function read(items: ItemReader, node: RawEntry, env: Env): void {
  const { context, shape } = items;
  const address = items.address(node.address, env);
  const level = items.level(node.level, env, 1);
  const value = context.evaluator.bits(node.value, env);
  if (address === null || level === null || value === null) return;
  if (value > wholeEntry(shape.name)) {
    context.report(env, node.value, 'entry-too-wide', `${show(value)} does not fit: entries of ${shape.name} tables have 4 bytes`);
    return;
  }
  items.raws.push({ node, env, address, level, value });
}
