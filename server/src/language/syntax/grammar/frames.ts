/** Where a reader of the grammar is: the rules around, each with what of it has been read. */
import type { TokenType } from 'chevrotain';
import type { Token } from '../tokens';

/** A rule that is being read, or has been. */
export interface Frame {
  readonly rule: string;
  /** What tells it from other uses of the rule in the rule around. */
  readonly occurrence: number;
  readonly around: Frame | null;
  /** In the order of the text: whole ones, of which something was there. */
  readonly read: (Frame | ReadToken)[];
}

export interface ReadToken {
  readonly type: TokenType;
  /** What tells it from other tokens of the kind in the rule. */
  readonly occurrence: number;
  readonly token: Token;
}

export function isFrame(part: Frame | ReadToken): part is Frame {
  return 'rule' in part;
}

/** The first token of what has been read; undefined: nothing has. */
export function firstToken({ read: [first] }: Frame): ReadToken | undefined {
  return first && isFrame(first) ? firstToken(first) : first;
}

/** The last token that was read up to a place in a rule. */
export function lastToken({ read, around }: Frame): Token | undefined {
  const last = read.at(-1);
  if (!last) return around ? lastToken(around) : undefined;
  return isFrame(last) ? lastToken(last) : last.token;
}
