/** `same`, `same under soft, ept`: what the guest saw so far is the same under these kinds, with these kernels. */
import type { Act } from '../../engine/program';
import { always, bindParts, noAddress, notInOutline } from '../kind';
import type { StatementKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Under } from '../syntax/tree';

export interface Same extends Base {
  readonly kind: 'same';
  /** Null: all of the run. */
  readonly under: Under | null;
}

/** `same`, `same under soft, ept` */
const rule: Rule<[], Same> = ($) => {
  const kinds = { GATE: () => !$.underOpensBody(), DEF: (): Under => $.SUBRULE($.under) };
  return () => {
    const start = $.CONSUME($.t.word('same')).startOffset;
    const under = $.OPTION(kinds) ?? null;
    return { kind: 'same', under, range: $.since(start) };
  };
};

export const same: StatementKind<Same> = {
  rule,
  begins: ($) => !$.isName(),
  words: {
    statement: {
      same: 'What the guest saw so far must be the same under these kinds of MMU, with these kernels: `same under soft, ept`, `same with kernel 6.1, 6.12`.',
    },
  },
  numbered: 'always',
  line: 'statement',
  ends: null,
  does: always,
  bind: bindParts,
  address: noAddress,
  outline: notInOutline,
  lower,
};

function lower(script: ScriptLowering, node: Same, { env }: Frame, out: Act[]): void {
  if (!script.isUnder(node.under, env)) return;
  const by = { vm: script.run.chain[0].index, vcpu: 0 };
  script.emit({ do: 'expect', origin: script.statements.of(node), by, what: { kind: 'same' } }, out, node, env);
}
