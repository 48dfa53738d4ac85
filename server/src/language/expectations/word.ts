/** `word 0x5000 = 7` in guest-physical memory. */
import type { Expectation as Judged } from '../../engine/program';
import { bindParts, NO_WORDS, noOutcome } from '../kind';
import type { ExpectationKind } from '../kind';
import { HIGHEST_PHYSICAL } from '../lower/context';
import type { Frame, ScriptLowering } from '../lower/script';
import { show } from '../semantics/values';
import { value, VALUE } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression } from '../syntax/tree';

export interface ExpectWord extends Base {
  readonly kind: 'expect-word';
  readonly gpa: Expression;
  readonly value: Expression;
}

const GPA = value('a guest-physical address', 'gpa');

/** `word 0x5000 = 7` */
const rule: Rule<[], ExpectWord> = ($) => () => {
  const start = $.CONSUME($.t.word('word')).startOffset;
  const gpa = $.SUBRULE1($.expression, GPA);
  $.CONSUME($.t.Assign);
  const of = $.SUBRULE2($.expression, VALUE);
  return { kind: 'expect-word', gpa, value: of, range: $.since(start) };
};

export const word: ExpectationKind<ExpectWord> = {
  rule,
  // The word is explained by machine/memory-word.ts.
  words: NO_WORDS,
  bind: bindParts,
  address: (node, part) => (node.gpa === part ? 'gpa' : null),
  outcome: noOutcome,
  ofLastAct: false,
  lower,
};

function lower({ context }: ScriptLowering, node: ExpectWord, { env, vm }: Frame): readonly Judged[] {
  const gpa = context.between(node.gpa, env, 'a guest-physical address', 0n, HIGHEST_PHYSICAL);
  const value = context.evaluator.bits(node.value, env);
  if (gpa === null || value === null) return [];
  if (gpa % 8n === 0n) return [{ kind: 'word', vm: vm.index, gpa: Number(gpa), value }];
  context.report(env, node.gpa, 'not-aligned', `a word lies at a multiple of 8, not at ${show(gpa)}`);
  return [];
}
