/**
 * The grammar as Chevrotain records it: each rule is called once, with methods that note what it would read. What else is known of the grammar
 * follows from this: the parser's decisions, forms of statements, the EBNF of the reference. The rules that are recorded are those that
 * read texts (`Questions` and what is under it), and running them needs no recording.
 */
import {
  Alternation, EmbeddedActionsParser, NonTerminal, Terminal,
  type Alternative, type ILookaheadStrategy, type Option, type ParserMethod, type Rule as Recorded, type TokenType,
} from 'chevrotain'; // prettier-ignore
import * as t from '../vocabulary';
import { firstOf, type Parts } from './first';
import { Questions } from './questions';
import type { Grammar, Rule } from './rule';
import { RULES, rulesOfKinds } from './rules';

export type Productions = { readonly [rule: string]: Recorded };

let found: Productions | undefined;

/** All rules by their names; recorded once. */
export function productions(): Productions {
  return (found ??= new Recorder(false).getGAstProductions());
}

/** As {@link productions}, anew and with Chevrotain's checks: no left recursion, decisions that can be made, no alternative hidden by another. */
export function validatedProductions(): Productions {
  return new Recorder(true).getGAstProductions();
}

/** The methods by which rules read, as Chevrotain records them. */
const READING = [
  'CONSUME', 'CONSUME1', 'CONSUME2', 'CONSUME3', 'SUBRULE', 'SUBRULE1', 'SUBRULE2', 'SUBRULE3', 'OPTION', 'OPTION1', 'OPTION2', 'OPTION3',
  'MANY', 'OR', 'OR1', 'consume', 'subrule', 'option', 'many', 'or',
] as const; // prettier-ignore

type AnyRule = Rule<unknown[], unknown>;
type Method = (...args: unknown[]) => unknown;

class Recorder extends EmbeddedActionsParser {
  constructor(validated: boolean) {
    super([...t.LEXICAL], { lookaheadStrategy: STRATEGY, maxLookahead: 1, skipValidations: !validated });
    const $ = this.readingAsRecording();
    const methods = new Map<unknown, ParserMethod<[], unknown>>();
    const add = (name: string, rule: AnyRule): ParserMethod<unknown[], unknown> => {
      const method = this.RULE(name, rule($));
      methods.set(rule, method as ParserMethod<[], unknown>);
      return method;
    };
    Object.assign($, { readerOf: (rule: unknown) => methods.get(rule) });
    for (const [name, rule] of Object.entries(RULES)) Object.assign($, { [name]: add(name, rule as AnyRule) });
    for (const [name, rule] of rulesOfKinds()) if (!methods.has(rule)) add(name, rule as AnyRule);
    this.performSelfAnalysis();
  }

  /** What rules read by, with Chevrotain's methods in the place of those that read a text. */
  private readingAsRecording(): Grammar {
    const methods = this as unknown as { readonly [name: string]: Method };
    const body = (item: ParserMethod<[], unknown>): void => this.MANY(() => this.SUBRULE(item));
    const recording = {
      RECORDING_PHASE: true,
      // Chevrotain puts its own methods in place while it records.
      ...Object.fromEntries(READING.map((name) => [name, (...args: unknown[]) => methods[name]!.call(this, ...args)])),
      LIST: (item: ParserMethod<[], unknown>, options?: object) => {
        this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE3(item, options) });
        return [];
      },
      FILE: (item: ParserMethod<[], unknown>) => {
        body(item);
        return [];
      },
      BRACES: (_of: unknown, _what: unknown, item: ParserMethod<[], unknown>) => {
        this.CONSUME(t.LCurly);
        body(item);
        this.CONSUME(t.RCurly);
        return null;
      },
    };
    return Object.assign(Object.create(new Questions()) as object, recording) as unknown as Grammar;
  }
}

type LookaheadProblem = ReturnType<ILookaheadStrategy['validate']>[number];

/** For Chevrotain, whose own decisions are not asked. */
const STRATEGY: ILookaheadStrategy = {
  /** Alternatives that can never be taken, because an earlier one without a gate begins alike. */
  validate({ rules }: { rules: Recorded[] }): LookaheadProblem[] {
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
    const kinds = [...kindsOf(firstOf(alternative.definition).types)];
    const by = kinds.map((kind) => taken.get(kind));
    if (kinds.length > 0 && by.every((each) => each !== undefined)) problems.push(`alternative ${by[0]! + 1} hides ${index + 1}`);
    if (!alternative.ignoreAmbiguities) for (const kind of kinds) if (!taken.has(kind)) taken.set(kind, index);
  });
  return problems;
}

function kindsOf(types: Iterable<TokenType>): Set<number> {
  return new Set([...types].flatMap(({ tokenTypeIdx }) => t.indicesIn(tokenTypeIdx!)));
}
