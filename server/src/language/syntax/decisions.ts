/**
 * How the parser decides: by the next token, and by gates for what the token alone does not tell. For each token the
 * alternatives that can begin with it are looked up; the first of them whose gate is open is taken.
 */
import {
  Alternation, NonTerminal, Option, Repetition, RepetitionMandatory, RepetitionMandatoryWithSeparator, RepetitionWithSeparator, Terminal,
  type Alternative, type ILookaheadStrategy, type IOrAlt, type IProduction, type IToken, type Rule, type TokenType,
} from 'chevrotain'; // prettier-ignore

interface First {
  readonly types: ReadonlySet<TokenType>;
  /** It can be nothing at all. */
  readonly empty: boolean;
}

type Parts = readonly IProduction[];
type LookaheadProblem = ReturnType<ILookaheadStrategy['validate']>[number];
/** What decisions see of the parser. */
interface Sees {
  LA(ahead: number): IToken;
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
    found.add(type.tokenTypeIdx!);
    for (const index of type.categoryMatches ?? []) found.add(index);
  }
  return found;
}

const REPETITIONS = {
  Option,
  RepetitionMandatory,
  RepetitionMandatoryWithSeparator,
  Repetition,
  RepetitionWithSeparator,
} as const;

type Decision = { readonly idx: number } & IProduction;

/** The part of a rule that its author numbered so. */
function find(rule: Rule, kind: abstract new (...args: never[]) => IProduction, index: number): Decision {
  const among = (parts: Parts): Decision | null => {
    for (const part of parts) {
      if (part instanceof kind && (part as Decision).idx === index) return part as Decision;
      const inner = part instanceof NonTerminal || part instanceof Terminal ? null : among((part as Option).definition);
      if (inner) return inner;
    }
    return null;
  };
  const found = among(rule.definition);
  if (!found) throw new Error(`${rule.name} has no decision ${index} of that kind`);
  return found;
}

export class Decisions implements ILookaheadStrategy {
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
  }

  buildLookaheadForAlternation({
    rule,
    prodOccurrence,
  }: {
    rule: Rule;
    prodOccurrence: number;
  }): (alternatives?: IOrAlt<unknown>[]) => number | undefined {
    const { definition } = find(rule, Alternation, prodOccurrence) as Alternation;
    const firsts = (definition as Alternative[]).map((alternative) => firstOf(alternative.definition));
    const indices = firsts.map(({ types }) => indicesOf(types));
    const byType = Array.from({ length: 1 + Math.max(0, ...indices.flatMap((all) => [...all])) }, (): number[] => []);
    indices.forEach((types, index) => types.forEach((type) => byType[type]!.push(index)));
    const always = firsts.findIndex(({ empty }) => empty);
    return function (this: Sees, alternatives: IOrAlt<unknown>[] = []): number | undefined {
      const possible = byType[this.LA(1).tokenTypeIdx];
      if (possible !== undefined) {
        for (const index of possible) {
          const gate = alternatives[index]!.GATE;
          if (gate === undefined || gate.call(this)) return index;
        }
      }
      if (always >= 0) return always;
      // What stands behind the rule's own alternatives is taken when none of them fits.
      return alternatives.length > definition.length ? definition.length : undefined;
    } as (alternatives?: IOrAlt<unknown>[]) => number | undefined;
  }

  buildLookaheadForOptional({
    rule,
    prodOccurrence,
    prodType,
  }: {
    rule: Rule;
    prodOccurrence: number;
    prodType: keyof typeof REPETITIONS;
  }): () => boolean {
    const part = find(rule, REPETITIONS[prodType], prodOccurrence) as Option;
    const indices = indicesOf(firstOf(part.definition).types);
    const begins = new Uint8Array(Math.max(0, ...indices) + 1);
    for (const index of indices) begins[index] = 1;
    return function (this: Sees): boolean {
      return begins[this.LA(1).tokenTypeIdx] === 1;
    } as () => boolean;
  }
}

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
