/** A rule of the grammar: a function of the parser that gives the rule itself, so that what it needs is made once. */
import type { ParserMethod, SubruleMethodOpts } from 'chevrotain';
import type { Questions } from './questions';
import type { RULES } from './rules';

type Methods = {
  readonly [K in keyof typeof RULES]: (typeof RULES)[K] extends Rule<infer A, infer R> ? ParserMethod<A, R> : never;
};

/** The parser with all its rules, each by its name. */
export type Grammar = Questions & Methods & Readers;

interface Readers {
  /** What reads by a kind's rule. */
  readerOf<R>(rule: Rule<[], R>): ParserMethod<[], R>;
}

export type Rule<A extends unknown[], R> = ($: Grammar) => (...args: A) => R;

/** What an expression is of, for those who offer values. */
export type ValueOf =
  | 'value' | 'linear' | 'gpa' | 'hva' | 'address' | 'size' | 'length' | 'number' | 'switch' | 'level' | 'slot' | 'step' | 'repetitions' | 'access-size'
  | 'error-code' | 'entry' | 'pcid' | 'vpid' | 'eptp' | 'key' | 'memtype' | 'page-numbers' | 'exits' | 'references' | 'total' | 'sets' | 'ways' | 'argument'
  | 'event-field' | 'root' | 'loop' | 'bit' | 'end'; // prettier-ignore

export interface Value {
  /** In messages, as `an address`. */
  readonly what: string;
  readonly of: ValueOf;
  /** It stands on the line of what comes before it even where other values need not. */
  readonly sameLine?: true;
  /** What it belongs to: a setting, a flag. */
  readonly owner?: string;
  /** It as the argument of a rule, alone and as a part of a range: made once, for this is asked of every number. */
  readonly alone: SubruleMethodOpts<[Value]>;
  readonly inRange: SubruleMethodOpts<[Value, boolean?]>;
}

/** Argument of the rules of expressions; the recorded grammar is labelled with what it is of. */
export function value(what: string, of: ValueOf, more: Pick<Value, 'sameLine' | 'owner'> = {}): SubruleMethodOpts<[Value]> {
  const ARGS: [Value] = [{ what, of, ...more, alone: {}, inRange: {} }];
  Object.assign(ARGS[0].alone, { ARGS, LABEL: of });
  Object.assign(ARGS[0].inRange, { ARGS: [ARGS[0], true], LABEL: of });
  return ARGS[0].alone;
}

export const VALUE = value('a value', 'value');
