/** `rdmsr efer`: RDMSR of a register that a hypervisor keeps. */
import type { Act } from '../../engine/program';
import { always, bindParts, noAddress } from '../kind';
import type { StatementKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expect, Word } from '../syntax/tree';
import { actEntry } from './head';

export interface Rdmsr extends Base {
  readonly kind: 'rdmsr';
  readonly register: Word | null;
  readonly expects: readonly Expect[];
}

/** `rdmsr efer` */
const rule: Rule<[], Rdmsr> = ($) => {
  const choice = {
    DEF: [{ ALT: (): Word | null => $.wordOf($.CONSUME($.t.word('efer')), 'register') }],
    ELSE: (): null => {
      $.expected('a model-specific register: efer');
      return null;
    },
  };
  return () => {
    const start = $.CONSUME($.t.word('rdmsr')).startOffset;
    const register = $.OR(choice);
    const expects = $.expects();
    return { kind: 'rdmsr', register, expects, range: $.since(start) };
  };
};

export const rdmsr: StatementKind<Rdmsr> = {
  rule,
  begins: ($) => !$.isName(),
  words: { statement: { rdmsr: 'RDMSR: `rdmsr efer`. KVM intercepts it under every kind of MMU.' } },
  numbered: 'always',
  line: 'statement',
  ends: { called: 'RDMSR', outcomes: ['ok', 'shutdown', 'exit', 'error', 'value'] },
  does: always,
  bind: bindParts,
  address: noAddress,
  outline: actEntry,
  lower,
};

function lower(script: ScriptLowering, node: Rdmsr, frame: Frame, out: Act[]): void {
  if (!node.register) return;
  const by = script.performer(frame);
  script.emit({ do: 'instruction', origin: script.statements.of(node), by, instruction: 'rdmsr' }, out, node, frame.env);
}
