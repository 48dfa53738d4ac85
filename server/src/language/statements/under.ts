/** `under soft, ept { … }`, `with kernel 6.1 { … }`: statements of some kinds of MMU, or kernels, only. */
import type { Act } from '../../engine/program';
import { bindParts, noAddress, NO_WORDS } from '../kind';
import type { StatementKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Body, Statement, Under } from '../syntax/tree';
import { groupEntry } from './head';

export interface UnderStatement extends Base {
  readonly kind: 'under-statement';
  readonly under: Under;
  readonly body: Body<Statement> | null;
}

/** `under soft, ept { … }` */
const rule: Rule<[], UnderStatement> = ($) => () => {
  const start = $.here();
  const under = $.SUBRULE($.under);
  const body = $.SUBRULE($.scriptBody, { ARGS: ['under'] });
  return { kind: 'under-statement', under, body, range: $.since(start) };
};

export const underStatement: StatementKind<UnderStatement> = {
  rule,
  words: NO_WORDS,
  numbered: 'never',
  line: 'statement',
  ends: null,
  does: ({ under, body }, activity) => activity.isUnder(under) && activity.anyOf(body?.items),
  bind: bindParts,
  address: noAddress,
  outline: groupEntry,
  lower,
};

function lower(script: ScriptLowering, node: UnderStatement, frame: Frame, out: Act[]): void {
  if (script.isUnder(node.under, frame.env)) script.all(node.body?.items ?? [], frame, out);
}
