/** With which tokens the parts of recorded rules begin, and what has to stand behind one. */
import {
  Alternation, NonTerminal, Option, Repetition, RepetitionWithSeparator, Terminal,
  type Alternative, type IProduction, type Rule, type TokenType,
} from 'chevrotain'; // prettier-ignore
import { SIGNS } from '../vocabulary';

interface First {
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

/** The sign that has to stand behind a token in its rule, as the bracket of an entry; null: something else has to, or nothing. */
export function signBehind({ definition }: Rule, type: TokenType, occurrence: number): TokenType | null {
  const behind = partsBehind(definition, [], (part) => part.terminalType === type && part.idx === occurrence);
  const next = behind?.find((part) => !(part instanceof Option || part instanceof Repetition));
  return next instanceof Terminal && SIGNS.includes(next.terminalType) ? next.terminalType : null;
}

/** @param rest what is behind these parts; null: the token is not among them */
function partsBehind(parts: Parts, rest: Parts, isIt: (part: Terminal) => boolean): Parts | null {
  for (const [index, part] of parts.entries()) {
    if (part instanceof NonTerminal) continue;
    const after = [...parts.slice(index + 1), ...rest];
    if (part instanceof Terminal) {
      if (isIt(part)) return after;
      continue;
    }
    const { definition } = part as Option;
    const inner = part instanceof Alternation ? definition.map((each) => (each as Alternative).definition) : [definition];
    for (const each of inner) {
      const found = partsBehind(each, after, isIt);
      if (found) return found;
    }
  }
  return null;
}
