/** `#PF`, `#PF(P W U)`, `#PF(0x7)`, `#GP` */
import type { Expectation as Judged } from '../../engine/program';
import { PageFault } from '../../engine/x86/fault-codes';
import { bindParts, noAddress } from '../kind';
import type { Brings, ExpectationKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import { value } from '../syntax/grammar/rule';
import type { Grammar, Rule } from '../syntax/grammar/rule';
import type { Token } from '../syntax/tokens';
import type { Base, ErrorNode, Expression, Word } from '../syntax/tree';

/** With neither flags nor code any error code will do. */
export interface ExpectFault extends Base {
  readonly kind: 'expect-fault';
  readonly fault: '#PF' | '#GP';
  /** Null: no parentheses. `#PF()` is an empty list: error code 0. */
  readonly flags: readonly Word[] | null;
  readonly code: Expression | null;
}

const CODE = value('an error code', 'error-code');

const NO_FLAGS = { flags: [], code: null };

function isFaultFlag($: Grammar): boolean {
  return $.is($.t.Word) && /^[A-Z][A-Z0-9_]*$/.test($.next().image);
}

function separatedBySpaces($: Grammar, comma: Token): void {
  const range = $.t.rangeOf(comma);
  $.report('unexpected', 'flags are separated by spaces, as `#PF(P W U)`', range, { fix: { title: 'Remove ,', range, text: '' } });
}

/** `P W U` */
export const faultFlags: Rule<[], Word[]> = ($) => {
  let flags: Word[] = [];
  const flag = (): void => void flags.push($.wordOf($.CONSUME2($.t.FaultFlag), 'fault-flag'));
  const isMore = (): boolean => ($.is($.t.Word) && !$.is($.t.FaultFlag)) || $.is($.t.Comma);
  return () => {
    flags = [];
    $.already = flags;
    if ($.RECORDING_PHASE || $.may($.t.FaultFlag, 1)) flags.push($.wordOf($.CONSUME1($.t.FaultFlag), 'fault-flag'));
    $.MANY(flag);
    while (isMore()) {
      if ($.is($.t.Comma)) separatedBySpaces($, $.take());
      else flags.push($.wordOf($.strange($.t.FaultFlag), 'fault-flag'));
      $.MANY(flag);
    }
    return flags;
  };
};

/** `#PF`, `#PF(P W U)`, `#PF(0x7)`, `#GP` */
const rule: Rule<[], ExpectFault | ErrorNode> = ($) => {
  type Code = Pick<ExpectFault, 'flags' | 'code'>;
  /** Flags of the error code are words in capitals; all else is an expression. */
  const flags = (): Code => ({ flags: $.SUBRULE($.faultFlags), code: null });
  const number = (): Code => ({ flags: null, code: $.SUBRULE($.expression, CODE) });
  const either = [{ ALT: flags }, { GATE: () => !isFaultFlag($), ALT: number }];
  const choice = { DEF: either, ELSE: (): Code => (isFaultFlag($) || $.is($.t.Comma) ? flags() : number()) };
  const within = (): Code => $.OR(choice);
  const code = (): Code => {
    $.CONSUME($.t.LParen);
    const found = $.OPTION2(within) ?? ($.is($.t.RParen) || $.atEnd() ? NO_FLAGS : $.otherwise(within, NO_FLAGS));
    $.CONSUME($.t.RParen);
    return found;
  };
  return () => {
    const start = $.here();
    const strangeFault = !$.RECORDING_PHASE && !$.may($.t.FaultName, 1);
    const token = strangeFault ? $.strange($.t.FaultName) : $.CONSUME($.t.FaultName);
    const given = $.OPTION1(code) ?? null;
    const range = $.since(start);
    if (strangeFault) return { kind: 'error', range };
    return {
      kind: 'expect-fault',
      fault: token.image as ExpectFault['fault'],
      flags: given && given.flags,
      code: given && given.code,
      range,
    };
  };
};

export const fault: ExpectationKind<ExpectFault> & Brings<'fault-flag'> = {
  rule,
  words: {
    expectation: {
      '#PF': 'The access ended in a page fault that the guest sees; `#PF(P W U)` or `#PF(0x7)` with that error code (SDM vol. 3A, §4.7).',
      '#GP': 'The act ended in a general-protection fault.',
    },
    // Flags of the #PF error code (SDM vol. 3A, §4.7).
    'fault-flag': {
      P: 'Bit 0: not caused by a non-present entry, but by rights or a reserved bit.',
      W: 'Bit 1: the access was a write.',
      U: 'Bit 2: the access was a user access.',
      RSVD: 'Bit 3: a reserved bit was set in an entry.',
      I: 'Bit 4: the access was an instruction fetch.',
      PK: 'Bit 5: a protection key forbade the access.',
      SS: 'Bit 6: the access was a shadow-stack access.',
      SGX: 'Bit 15: an SGX rule was violated.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: ({ fault }) => fault,
  ofLastAct: false,
  lower,
};

function lower({ context }: ScriptLowering, node: ExpectFault, { env }: Frame): readonly Judged[] {
  if (node.fault === '#GP') return [{ kind: 'general-protection' }];
  let error: number | null = null;
  if (node.flags) error = node.flags.reduce((code, { text }) => code | (FAULT_BITS[text] ?? 0), 0);
  else if (node.code) {
    const code = context.between(node.code, env, 'a #PF error code', 0n, 0xffffn);
    if (code === null) return [];
    error = Number(code);
  }
  const why = error === null ? null : impossible(error);
  if (why) context.report(env, node, 'impossible-error-code', `there is no such #PF: ${why}`);
  return [{ kind: 'page-fault', error }];
}

const FAULT_BITS: { readonly [flag: string]: number } = {
  P: PageFault.present,
  W: PageFault.write,
  U: PageFault.user,
  RSVD: PageFault.reserved,
  I: PageFault.fetch,
  PK: PageFault.key,
  SS: 1 << 6,
  SGX: 1 << 15,
};

/** Why no #PF has this error code (§2.7); null: some have. */
function impossible(error: number): string | null {
  const has = (bit: number): boolean => (error & bit) !== 0;
  if (has(PageFault.reserved) && !has(PageFault.present)) return 'RSVD comes with P';
  if (has(PageFault.key) && !has(PageFault.present)) return 'PK comes with P';
  if (has(PageFault.write) && has(PageFault.fetch)) return 'an access is a write (W) or a fetch (I), not both';
  if (has(PageFault.key) && has(PageFault.fetch)) return 'protection keys do not concern fetches: PK and I exclude each other';
  if (has(PageFault.key) && has(PageFault.reserved)) return 'a reserved bit (RSVD) ends the walk before keys (PK) are looked at';
  return null;
}
