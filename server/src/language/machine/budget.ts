/** `budget { steps 1000 }`: what a run may use before it is ended. */
import { bindParts, declaresNothing, noAddress } from '../kind';
import type { FileItemKind } from '../kind';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Body, ErrorNode } from '../syntax/tree';
import type { Setting, SettingSpecs } from './setting';

export interface Budget extends Base {
  readonly kind: 'budget';
  readonly body: Body<Setting | ErrorNode> | null;
}

const rule: Rule<[], Budget> = ($) => () => {
  const start = $.CONSUME($.t.word('budget')).startOffset;
  const body = $.SUBRULE($.budgetSettings, { ARGS: ['budget'] });
  return { kind: 'budget', body, range: $.since(start) };
};

export const budget: FileItemKind<Budget> = {
  rule,
  words: { declaration: { budget: 'What a run may use before it is ended: steps, events, memory.' } },
  numbered: 'never',
  line: 'plain',
  bind: bindParts,
  address: noAddress,
  outline: () => ({ name: 'budget', symbol: 'module', inner: [] }),
  declare: declaresNothing,
};

const K = 1n << 10n;
const M = 1n << 20n;
const G = 1n << 30n;

/** Settings of the budget. */
export const BUDGET_SETTINGS: SettingSpecs = {
  steps: { takes: 'number', bounds: { least: 1n, most: 1_000_000_000n }, default: '1_000_000', about: 'Acts executed at most, each repetition of an access counted.' },
  events: { takes: 'number', bounds: { least: 1000n, most: 50_000_000n }, default: '4_000_000', about: 'Rows of the journal at most.' },
  memory: { takes: 'size', bounds: { least: M, most: 4n * G, unit: 4n * K }, default: '256M', about: 'Simulated physical memory touched at most.' },
}; // prettier-ignore
