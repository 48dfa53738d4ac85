/**
 * The decisions of all rules. In bundles the build puts the table itself in the place of this module (scripts/build.mjs): recording the rules takes
 * longer than parsing a file.
 */
import { Alternation, NonTerminal, Option, Repetition, Terminal, type Alternative, type Rule } from 'chevrotain';
import type { DecisionTable, First, RecordedDecisions } from './decisions';
import { firstOf, type Parts } from './first';
import { productions } from './recording';

export const DECISION_TABLE: DecisionTable = Object.fromEntries(
  Object.entries(productions()).map(([name, rule]) => [name, recordedDecisions(rule)]),
);

function recordedDecisions(rule: Rule): RecordedDecisions {
  const found = { choices: [] as RecordedDecisions['choices'][number][], options: [] as Numbered[], repetitions: [] as Numbered[] };
  const look = (parts: Parts): void => {
    for (const part of parts) {
      if (part instanceof Terminal || part instanceof NonTerminal) continue;
      const { definition } = part as Option;
      if (part instanceof Alternation) found.choices.push([part.idx, choiceOf(part)]);
      else if (part instanceof Option) found.options.push([part.idx, indicesOf(definition)]);
      else if (part instanceof Repetition) found.repetitions.push([part.idx, indicesOf(definition)]);
      look(definition);
    }
  };
  look(rule.definition);
  return found;
}

type Numbered = readonly [index: number, first: First];

function indicesOf(parts: Parts): First {
  return [...firstOf(parts).types].map(({ tokenTypeIdx }) => tokenTypeIdx!);
}

function choiceOf({ definition }: Alternation): { readonly alternatives: readonly First[]; readonly always: number } {
  const all = definition.map((alternative) => (alternative as Alternative).definition);
  return { alternatives: all.map(indicesOf), always: all.findIndex((parts) => firstOf(parts).empty) };
}
