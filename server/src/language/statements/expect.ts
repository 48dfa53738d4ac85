/** `expect ok, exits 1 under ept, npt`: of the act before it, or a statement of its own on the state at that point. */
import type { Act } from '../../engine/program';
import { bindParts, noAddress, notInOutline } from '../kind';
import type { StatementKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expectation, Under } from '../syntax/tree';

export interface Expect extends Base {
  readonly kind: 'expect';
  readonly of: readonly Expectation[];
  readonly under: Under | null;
}

/** `expect ok, exits 1 under ept, npt` */
const rule: Rule<[], Expect> = ($) => {
  const kinds = { GATE: () => !$.underOpensBody(), DEF: (): Under => $.SUBRULE($.under) };
  return () => {
    const start = $.CONSUME($.t.word('expect')).startOffset;
    const of = $.LIST($.expectation);
    const under = $.OPTION(kinds) ?? null;
    return { kind: 'expect', of, under, range: $.since(start) };
  };
};

export const expect: StatementKind<Expect> = {
  rule,
  words: { statement: { expect: 'What must hold, after the act before it or at this point.' } },
  numbered: 'alone',
  line: 'statement',
  ends: null,
  does: ({ under }, activity) => activity.isUnder(under),
  bind: bindParts,
  address: noAddress,
  outline: notInOutline,
  lower,
};

function lower(script: ScriptLowering, node: Expect, frame: Frame, out: Act[]): void {
  script.expectAll([node], null, frame, out);
}
