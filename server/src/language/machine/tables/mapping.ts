/** `0x40_0000 +2M -> 0x20_0000  rw user pages 2M` */
import { bindParts, notInOutline, NO_WORDS } from '../../kind';
import type { TablesItemKind } from '../../kind';
import type { ItemReader } from '../../lower/tables/items';
import { levelOfPage, spanOf } from '../../lower/tables/format';
import { show, showSize } from '../../semantics/values';
import type { Env } from '../../semantics/values';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Base, Expression, Flag, RangeExpression } from '../../syntax/tree';

export interface Mapping extends Base {
  readonly kind: 'mapping';
  readonly from: RangeExpression;
  readonly to: Expression;
  readonly flags: readonly Flag[];
}

const MAPPED = value('a mapping, as `0x40_0000 +2M -> 0x20_0000 rw user`', 'linear');

const TARGET = value('the address that it maps to', 'gpa');

/** `0x40_0000 +2M -> 0x20_0000  rw user` */
const rule: Rule<[], Mapping> = ($) => () => {
  const from = $.SUBRULE($.span, MAPPED);
  $.CONSUME($.t.Arrow);
  const to = $.SUBRULE($.expression, TARGET);
  const flags = $.SUBRULE($.mappingFlags, { ARGS: [[]] });
  return { kind: 'mapping', from, to, flags, range: $.sinceStart(from) };
};

export const mapping: TablesItemKind<Mapping> = {
  rule,
  words: NO_WORDS,
  numbered: 'never',
  line: 'mapping',
  bind: bindParts,
  address: (node, part) => (node.from === part ? 'gva' : node.to === part ? 'gpa' : null),
  outline: notInOutline,
  read,
};

function read(items: ItemReader, node: Mapping, env: Env): void {
  const { context, shape } = items;
  const range = context.evaluator.range(node.from, env);
  const to = context.unsigned(node.to, env, 'a physical address');
  const level = pageLevel(items, node.flags, env);
  const entry = level === null ? null : items.entry(node.flags, level, true, env);
  if (!range || to === null || level === null || entry === null) return;
  const page = spanOf(shape, level);
  const size = range.last - range.from + 1n;
  if (!items.translates(range, node.from, env)) return;
  if (range.from % page !== 0n) return items.unaligned(node.from.from, env, range.from, page);
  if (size % page !== 0n) return items.unaligned(node.from.size ?? node.from.to ?? node.from, env, size, page);
  if (to % page !== 0n) return items.unaligned(node.to, env, to, page);
  if (to + size - 1n >= 1n << BigInt(items.maxPhyAddr)) {
    context.report(
      env,
      node.to,
      'out-of-range',
      `the mapping ends at ${show(to + size - 1n)}, above the ${items.maxPhyAddr} bits of a physical address`,
    );
    return;
  }
  items.mappings.push({ node, env, from: range.from, size, to, level, entry });
}

/** Level of the entries that map: by the size of the pages. */
function pageLevel(items: ItemReader, flags: readonly Flag[], env: Env): number | null {
  const { context, shape } = items;
  const pages = flags.find((flag) => flag.name.text === 'pages');
  if (!pages?.value) return 1;
  const size = context.evaluator.number(pages.value, env);
  if (size === null) return null;
  const level = levelOfPage(shape, size);
  if (level === null) {
    const sizes = [1, ...shape.largeLevels].map((each) => showSize(spanOf(shape, each)));
    context.report(
      env,
      pages.value,
      'no-such-page-size',
      `${shape.name} tables have pages of ${sizes.join(', ')}, not of ${showSize(size)}`,
    );
  }
  return level;
}
