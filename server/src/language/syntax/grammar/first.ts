/** With which tokens the parts of recorded rules begin. */
import {
  Alternation, NonTerminal, Option, Repetition, RepetitionWithSeparator, Terminal,
  type Alternative, type IProduction, type Rule, type TokenType,
} from 'chevrotain'; // prettier-ignore

export interface First {
  readonly types: ReadonlySet<TokenType>;
  /** It can be nothing at all. */
  readonly empty: boolean;
}

export type Parts = readonly IProduction[];

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
