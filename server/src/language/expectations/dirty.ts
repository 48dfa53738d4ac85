/** `dirty slot 0 [0x5000, 0x6000 +8K]` */
import type { Expectation as Judged } from '../../engine/program';
import { bindParts, noOutcome } from '../kind';
import type { ExpectationKind } from '../kind';
import { HIGHEST_PHYSICAL } from '../lower/context';
import { hostVm } from '../lower/host-acts';
import type { Frame, ScriptLowering } from '../lower/script';
import { show } from '../semantics/values';
import { value } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression, RangeExpression } from '../syntax/tree';

/** Pages that a dirty log can be expected to have. */
const MOST_PAGES = 1n << 16n;

export interface ExpectDirty extends Base {
  readonly kind: 'expect-dirty';
  readonly slot: Expression;
  readonly gpas: readonly RangeExpression[];
}

const SLOT_ID = value('the id of a slot', 'slot');

const DIRTY = value('an address', 'gpa');

/** `dirty slot 0 [0x5000, 0x6000 +8K]` */
const rule: Rule<[], ExpectDirty> = ($) => {
  const pages = (): RangeExpression[] => $.LIST($.range, DIRTY);
  return () => {
    const start = $.CONSUME($.t.word('dirty')).startOffset;
    $.CONSUME($.t.word('slot'));
    const slot = $.SUBRULE($.expression, SLOT_ID);
    let gpas: RangeExpression[] = [];
    if ($.isThere($.CONSUME($.t.LSquare))) {
      gpas = $.OPTION(pages) ?? ($.is($.t.RSquare) ? [] : $.otherwise(pages, []));
      $.CONSUME($.t.RSquare);
    }
    return { kind: 'expect-dirty', slot, gpas, range: $.since(start) };
  };
};

export const dirty: ExpectationKind<ExpectDirty> = {
  rule,
  words: {
    expectation: {
      dirty: '`dirty slot 0 [0x5000, 0x6000]`: pages of the dirty log just fetched, or not fetched yet. As a flag: D.',
    },
  },
  bind: bindParts,
  address: (node, part) => (node.slot === part ? null : 'gpa'),
  outcome: noOutcome,
  ofLastAct: false,
  lower,
};

function lower(script: ScriptLowering, node: ExpectDirty, frame: Frame): readonly Judged[] {
  const { context } = script;
  const { env } = frame;
  const vm = hostVm(script, frame);
  const id = context.between(node.slot, env, 'the id of a slot', 0n, 0xffff_ffffn);
  if (id === null) return [];
  const slot = vm.slots.byId(Number(id));
  if (!slot) context.report(env, node.slot, 'no-such-slot', `there is no slot ${id} at this point`);
  else if (!slot.dirtyLog) context.report(env, node.slot, 'no-dirty-log', `slot ${id} does not log dirty pages at this point`);
  const gpas = new Set<number>();
  for (const part of node.gpas) {
    const range = context.evaluator.range(part, env);
    if (!range) return [];
    if (range.from < 0n || range.last > HIGHEST_PHYSICAL || (range.last - range.from) / 4096n >= MOST_PAGES) {
      context.report(env, part, 'out-of-range', 'these are more pages than can be listed');
      return [];
    }
    for (let gpa = range.from - (range.from % 4096n); gpa <= range.last; gpa += 4096n) {
      gpas.add(Number(gpa));
      if (slot && !slot.contains(Number(gpa / 4096n))) {
        context.report(env, part, 'not-in-slot', `gpa ${show(gpa)} is not in slot ${id}`);
        return [];
      }
    }
  }
  return [{ kind: 'dirty', vm: vm.index, slot: Number(id), gpas: [...gpas].sort((a, b) => a - b) }];
}
