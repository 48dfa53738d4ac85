/** `replay "trace.txt"`: the accesses of a memory trace. */
import { always, bindParts, noAddress, notInOutline } from '../kind';
import type { StatementKind } from '../kind';
import { reportUnsupported } from '../lower/unsupported';
import type { Base, Text } from '../syntax/tree';

export interface Replay extends Base {
  readonly kind: 'replay';
  readonly path: Text | null;
}

export const replay: StatementKind<Replay> = {
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
