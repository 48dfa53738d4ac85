/** `mov from cr3`: MOV from a control register, which a hypervisor may intercept. */
import type { Act, ControlRegister } from '../../engine/program';
import { always, bindParts, noAddress } from '../kind';
import type { StatementKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expect, Word } from '../syntax/tree';
import { actEntry } from './head';

export interface MovFrom extends Base {
  readonly kind: 'mov-from';
  readonly register: Word | null;
  readonly expects: readonly Expect[];
}

const REGISTERS: readonly ControlRegister[] = ['cr0', 'cr2', 'cr3', 'cr4'];

/** `mov from cr3` */
const rule: Rule<[], MovFrom> = ($) => {
  const choice = {
    DEF: REGISTERS.map((text) => ({ ALT: (): Word | null => $.wordOf($.CONSUME($.t.word(text)), 'register') })),
    ELSE: (): null => {
      $.expected('a control register, as cr3');
      return null;
    },
  };
  return () => {
    const start = $.CONSUME($.t.word('mov')).startOffset;
    $.CONSUME($.t.word('from'));
    const register = $.OR(choice);
    const expects = $.expects();
    return { kind: 'mov-from', register, expects, range: $.since(start) };
  };
};

export const movFrom: StatementKind<MovFrom> = {
  rule,
  begins: ($) => !$.isName(),
  words: {
    statement: { mov: 'MOV from a control register: `mov from cr3`. Under soft MMU reading CR3 exits; under EPT and NPT it does not.' },
  },
  numbered: 'always',
  line: 'statement',
  ends: { called: 'a MOV from a register', outcomes: ['ok', 'shutdown', 'exit', 'error', 'value'] },
  does: always,
  bind: bindParts,
  address: noAddress,
  outline: actEntry,
  lower,
};

function lower(script: ScriptLowering, node: MovFrom, frame: Frame, out: Act[]): void {
  const register = REGISTERS.find((each) => each === node.register?.text);
  if (!register) return;
  const by = script.performer(frame);
  script.emit({ do: 'mov-from', origin: script.statements.of(node), by, register }, out, node, frame.env);
}
