/** `check invariants` */
import type { Act } from '../../engine/program';
import { always, bindParts, noAddress, notInOutline } from '../kind';
import type { StatementKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Rule } from '../syntax/grammar/rule';
import type { Base } from '../syntax/tree';

export interface CheckInvariants extends Base {
  readonly kind: 'check-invariants';
}

const ABOUT = '`check invariants`: the rules that every state of the model must keep are checked here.';

/** `check invariants` */
const rule: Rule<[], CheckInvariants> = ($) => () => {
  const start = $.CONSUME($.t.word('check')).startOffset;
  $.CONSUME($.t.word('invariants'));
  return { kind: 'check-invariants', range: $.since(start) };
};

export const checkInvariants: StatementKind<CheckInvariants> = {
  rule,
  begins: ($) => !$.isName(),
  words: { statement: { check: ABOUT }, clause: { invariants: ABOUT } },
  numbered: 'always',
  line: 'statement',
  ends: null,
  does: always,
  bind: bindParts,
  address: noAddress,
  outline: notInOutline,
  lower,
};

function lower(script: ScriptLowering, node: CheckInvariants, { env }: Frame, out: Act[]): void {
  script.emit({ do: 'check-invariants', origin: script.statements.of(node) }, out, node, env);
}
