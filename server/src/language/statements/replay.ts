/** `replay "trace.txt"`: the accesses of a memory trace. */
import { always, bindParts, noAddress, notInOutline } from '../kind';
import type { StatementKind } from '../kind';
import { reportUnsupported } from '../lower/unsupported';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Text } from '../syntax/tree';

export interface Replay extends Base {
  readonly kind: 'replay';
  readonly path: Text | null;
}

const TRACE = { ERR_MSG: 'the path of a trace in quotes', PATH: 'replay' } as const;

/** `replay "trace.txt"` */
const rule: Rule<[], Replay> = ($) => () => {
  const start = $.CONSUME($.t.word('replay')).startOffset;
  const path = $.textOrNull($.CONSUME($.t.Str, TRACE));
  return { kind: 'replay', path, range: $.since(start) };
};

export const replay: StatementKind<Replay> = {
  rule,
  begins: ($) => !$.isName(),
  words: { statement: { replay: 'The accesses of a recorded memory trace: `replay "trace.txt"`.' } },
  numbered: 'always',
  line: 'statement',
  ends: null,
  does: always,
  bind: bindParts,
  address: noAddress,
  outline: notInOutline,
  lower: (script, node, { env }) => reportUnsupported(script.context, env, node, 'replay'),
};
