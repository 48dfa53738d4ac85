/** `touch(0x40_0000, 16)`: the statements of a block. */
import type { Act, Bound } from '../../engine/program';
import { bindParts, noAddress, NO_WORDS } from '../kind';
import type { StatementKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Named } from '../semantics/scopes';
import { boundTo } from '../semantics/values';
import type { Value } from '../semantics/values';
import { value } from '../syntax/grammar/rule';
import type { Grammar, Rule } from '../syntax/grammar/rule';
import type { Base, Expect, Expression, Reference } from '../syntax/tree';
import { actEntry } from './head';

export interface Call extends Base {
  readonly kind: 'call';
  readonly block: Reference;
  readonly arguments: readonly Expression[];
  readonly expects: readonly Expect[];
}

function isCall($: Grammar): boolean {
  return $.may($.t.LParen, 2) && !$.onNewLine(2) && !$.is($.t.word('word'));
}

const CALLED = { ERR_MSG: 'the name of a block', REFERS: 'block', LABEL: 'block' } as const;

const ARGUMENT = value('a value', 'argument');

/** `touch(0x40_0000, 16)` */
const rule: Rule<[], Call> = ($) => {
  const values = (): Expression[] => $.LIST($.expression, ARGUMENT);
  return () => {
    const start = $.here();
    const block = $.referenceOf($.CONSUME($.t.Word, CALLED), 'block');
    $.CONSUME($.t.LParen);
    const given = $.OPTION(values) ?? ($.is($.t.RParen) ? [] : $.otherwise(values, []));
    $.CONSUME($.t.RParen);
    const after = $.expects();
    return { kind: 'call', block, arguments: given, expects: after, range: $.since(start) };
  };
};

export const call: StatementKind<Call> = {
  rule,
  begins: isCall,
  words: NO_WORDS,
  numbered: 'always',
  line: 'statement',
  // Its acts are those of the block; expectations behind it are about the last of them.
  ends: null,
  does: (node, activity) => activity.anyOf(node.expects) || activity.block(node.block),
  bind: bindParts,
  address: noAddress,
  outline: actEntry,
  lower,
};

function lower(script: ScriptLowering, node: Call, frame: Frame, out: Act[]): void {
  const { context } = script;
  const block = context.links.byReference.get(node.block);
  if (!block || block.node.kind !== 'block') return;
  const { parameters } = block.node;
  if (node.arguments.length !== parameters.length) {
    const related = [{ file: block.file, node: block.definition, message: `${block.name} is defined here` }];
    const wanted = parameters.length === 0 ? 'no arguments' : parameters.length === 1 ? 'one argument' : `${parameters.length} arguments`;
    const message = `${block.name} takes ${wanted}: ${block.name}(${parameters.map((each) => each.text).join(', ')})`;
    context.report(frame.env, node, 'wrong-arguments', message, { related });
    return;
  }
  if (!script.canCall(block)) {
    context.report(frame.env, node, 'call-cycle', `${block.name} calls itself, and nothing would end it`);
    return;
  }
  const locals = new Map<Named, Value>();
  let bound: Bound = { call: script.statements.of(node), outer: frame.env.bound };
  parameters.forEach((parameter, index) => {
    const named = context.links.byDefinition.get(parameter);
    if (!named) return;
    const value = context.evaluator.value(node.arguments[index], frame.env);
    locals.set(named, value);
    bound = boundTo(named, value, bound);
  });
  script.block(block, block.node, { ...frame, env: { ...frame.env, file: block.file, locals, bound } }, out);
  script.expectAll(node.expects, null, frame, out);
}
