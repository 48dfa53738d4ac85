/**
 * How the parser decides: by the next token, and by gates for what the token alone does not tell. For each token the
 * alternatives that can begin with it are looked up; the first of them whose gate is open is taken.
 */
import {
  Alternation, NonTerminal, Option, Repetition, RepetitionWithSeparator, Terminal,
  type Alternative, type ILookaheadStrategy, type IProduction, type Rule, type TokenType,
} from 'chevrotain'; // prettier-ignore
import * as t from './vocabulary';

interface First {
  readonly types: ReadonlySet<TokenType>;
  /** It can be nothing at all. */
  readonly empty: boolean;
}

type Parts = readonly IProduction[];
type LookaheadProblem = ReturnType<ILookaheadStrategy['validate']>[number];

/** Of a choice. */
export interface Alternatives {
  /** Those that a token of the type can begin, in their order, by the type's index. */
  readonly byType: readonly (readonly number[])[];
  /** The one that can be nothing at all; undefined: there is none. */
  readonly always: number | undefined;
}

/** Of a rule, each by the number that its author gave it; 1 for the types with which an option or a repetition can begin. */
export interface DecisionsOfRule {
  readonly choices: Alternatives[];
  readonly options: Uint8Array[];
  readonly repetitions: Uint8Array[];
}

const firstCache = new WeakMap<Rule, First>();

/** The tokens with which a sequence can begin. */
export function firstOf(parts: Parts): First {
  const types = new Set<TokenType>();
  for (const part of parts) {
    const first = firstOfPart(part);
    for (const type of first.types) types.add(type);
    if (!first.empty) return { types, empty: false };
  }
  return { types, empty: true };
}

function firstOfPart(part: IProduction): First {
  if (part instanceof Terminal) return { types: new Set([part.terminalType]), empty: false };
  if (part instanceof NonTerminal) return firstOfRule(part.referencedRule);
  if (part instanceof Alternation) return firstOfAlternatives(part);
  const inner = firstOf((part as Option).definition);
  const optional = part instanceof Option || part instanceof Repetition || part instanceof RepetitionWithSeparator;
  return { types: inner.types, empty: inner.empty || optional };
}

function firstOfAlternatives({ definition }: Alternation): First {
  const all = (definition as Alternative[]).map((alternative) => firstOf(alternative.definition));
  return { types: new Set(all.flatMap(({ types }) => [...types])), empty: all.some(({ empty }) => empty) };
}

function firstOfRule(rule: Rule): First {
  let first = firstCache.get(rule);
  if (!first) firstCache.set(rule, (first = firstOf(rule.definition)));
  return first;
}

/** Indices of the token types that are `type` or, if it is a category, in it. */
function indicesOf(types: Iterable<TokenType>): Set<number> {
  const found = new Set<number>();
  for (const type of types) {
    for (const index of t.indicesIn(type)) found.add(index);
  }
  return found;
}

const NO_ALTERNATIVES: readonly number[] = [];

function alternativesOf({ definition }: Alternation): Alternatives {
  const firsts = (definition as Alternative[]).map((alternative) => firstOf(alternative.definition));
  const byType = new Array<readonly number[]>(t.KINDS_END).fill(NO_ALTERNATIVES);
  firsts.forEach(({ types }, index) => indicesOf(types).forEach((type) => (byType[type] = [...byType[type]!, index])));
  const always = firsts.findIndex(({ empty }) => empty);
  return { byType, always: always < 0 ? undefined : always };
}

function beginningsOf(part: Option | Repetition): Uint8Array {
  const begins = new Uint8Array(t.KINDS_END);
  for (const type of indicesOf(firstOf(part.definition).types)) begins[type] = 1;
  return begins;
}

/** All decisions of a rule that was recorded. */
export function decisionsOf(rule: Rule): DecisionsOfRule {
  const found: DecisionsOfRule = { choices: [], options: [], repetitions: [] };
  const look = (parts: Parts): void => {
    for (const part of parts) {
      if (part instanceof Alternation) found.choices[part.idx] = alternativesOf(part);
      else if (part instanceof Option) found.options[part.idx] = beginningsOf(part);
      else if (part instanceof Repetition) found.repetitions[part.idx] = beginningsOf(part);
      if (!(part instanceof NonTerminal || part instanceof Terminal)) look((part as Option).definition);
    }
  };
  look(rule.definition);
  return found;
}

/** For Chevrotain, whose own decisions are not asked (see `Running`). */
export const STRATEGY: ILookaheadStrategy = {
  /** Alternatives that can never be taken, because an earlier one without a gate begins alike. */
  validate({ rules }: { rules: Rule[] }): LookaheadProblem[] {
    return rules.flatMap((rule) => {
      const problems: string[] = [];
      const look = (parts: Parts): void => {
        for (const part of parts) {
          if (part instanceof Alternation) problems.push(...hidden(part));
          if (!(part instanceof NonTerminal || part instanceof Terminal)) look((part as Option).definition);
        }
      };
      look(rule.definition);
      return problems.map((message) => ({ message: `${rule.name}: ${message}`, type: 13, ruleName: rule.name }) as LookaheadProblem);
    });
  },
  buildLookaheadForAlternation: () => () => undefined,
  buildLookaheadForOptional: () => () => false,
};

function hidden({ definition }: Alternation): string[] {
  const problems: string[] = [];
  const taken = new Map<number, number>();
  (definition as Alternative[]).forEach((alternative, index) => {
    const indices = [...indicesOf(firstOf(alternative.definition).types)];
    const by = indices.map((type) => taken.get(type));
    if (indices.length > 0 && by.every((each) => each !== undefined)) problems.push(`alternative ${by[0]! + 1} hides ${index + 1}`);
    if (!alternative.ignoreAmbiguities) for (const type of indices) if (!taken.has(type)) taken.set(type, index);
  });
  return problems;
}
