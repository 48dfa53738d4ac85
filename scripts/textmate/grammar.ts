/**
 * The TextMate grammar: `grammar.json` here holds its rules, with `{{name}}` where a list of words stands; the lists come from
 * the words of the language.
 */
import { readFileSync } from 'node:fs';
import { BUILT_IN_TABLES } from '../../server/src/language/semantics/scopes';
import { KEYWORDS, RESERVED, type Category } from '../../server/src/language/syntax/keywords';
import { firstOf } from '../../server/src/language/syntax/grammar/first';
import { productions } from '../../server/src/language/syntax/grammar/recording';
import {
  AccessKind,
  Entering,
  explanationOf,
  isReserved,
  Privilege,
  Switch,
  textOf,
  WORD_TYPES,
} from '../../server/src/language/syntax/vocabulary';
import { FLAGS } from '../../server/src/language/syntax/words/paging';
import { SETTING_BLOCKS, type SettingBlock } from '../../server/src/language/syntax/words/settings';
import { ACTS } from '../../server/src/language/syntax/words/structure';

const RULES = new URL('grammar.json', import.meta.url);
export const GRAMMAR = new URL('../../syntaxes/mmu.tmLanguage.json', import.meta.url);

/** Modes and versions are read by rules of their own. */
const PLAIN = /^#?[A-Za-z_][A-Za-z0-9_]*$/;

/** Settings with a bit, and CR3, whose value is the name of tables, are read as registers. */
const AS_REGISTER = /\.|^cr3$/;

/** Clauses that stand in one place only, where a rule of their own reads them. */
const PLACED_CLAUSES = ['fault', 'from', 'kernel', 'kvm_stat', 'log'];

const wordsOf = (...categories: readonly Category[]): string[] =>
  KEYWORDS.filter(({ category }) => categories.includes(category)).map(({ word }) => word);

const wordsIn = (type: Parameters<typeof explanationOf>[0]): readonly string[] => explanationOf(type)!.words;

const settingsOf = (...blocks: readonly SettingBlock[]): string[] =>
  blocks.flatMap((block) => Object.keys(SETTING_BLOCKS[block])).filter((word) => !AS_REGISTER.test(word));

const choicesOf = (...blocks: readonly SettingBlock[]): string[] =>
  blocks.flatMap((block) => Object.values(SETTING_BLOCKS[block]).flatMap(({ choices }) => Object.keys(choices ?? {})));

const BLOCKS = Object.keys(SETTING_BLOCKS) as SettingBlock[];
const BLOCK_SETTINGS = BLOCKS.flatMap((block) => Object.entries(SETTING_BLOCKS[block])).filter(([, { block }]) => block);

/** Words that are names elsewhere and begin an item of a VM or of tables; its settings are read by a rule of their own. */
const ITEMS = ['vmItem', 'tablesItem'].flatMap((rule) => {
  const begins = WORD_TYPES.filter((type) => firstOf(productions()[rule].definition).types.has(type));
  return begins.filter((type) => !isReserved(type)).map(textOf).filter((word) => !settingsOf('vm').includes(word)); // prettier-ignore
});

const isFault = (word: string): boolean => word.startsWith('#');

/** The lists, by the names that `grammar.json` gives them. */
const LISTS: { readonly [name: string]: readonly string[] } = {
  'formats': wordsOf('format'),
  'blocks of settings': ['host', 'budget', ...BLOCK_SETTINGS.map(([name]) => name)],
  'registers': wordsOf('register'),
  'settings': settingsOf(...BLOCKS),
  'settings with values': settingsOf(...BLOCKS).filter((word) => !BLOCK_SETTINGS.some(([name]) => name === word)),
  'choices': choicesOf(...BLOCKS),
  'settings of a vm': settingsOf('vm'),
  'choices of a vm': choicesOf('vm'),
  'flags': wordsOf('flag'),
  'flags of slots': [...Object.keys(FLAGS.slot), ...Object.keys(FLAGS.protect)],
  'items of machines': ITEMS,
  'expectations': [...wordsOf('expectation').filter((word) => !isFault(word) && !BUILT_IN_TABLES.includes(word)), 'word'],
  'faults': wordsOf('expectation').filter(isFault),
  'flags of #PF': wordsOf('fault-flag'),
  'built-in tables': BUILT_IN_TABLES,
  'reasons': wordsOf('reason'),
  'actors': wordsOf('actor'),
  'states': wordsOf('state'),
  'statistics': wordsOf('statistic'),
  'errnos': wordsOf('errno'),
  'events': wordsOf('event'),
  'acts of the host': wordsOf('host-act'),
  'acts of the host alone': wordsOf('host-act').filter((word) => !Object.hasOwn(ACTS, word)),
  'kinds': wordsOf('mmu'),
  'statements by their place': Object.keys(ACTS).filter((word) => !RESERVED.includes(word)),
  'scopes': wordsOf('scope'),
  'clauses': wordsOf('clause').filter((word) => !RESERVED.includes(word) && !PLACED_CLAUSES.includes(word)),
  'switches': wordsIn(Switch),
  'privileges': wordsIn(Privilege),
  'accesses': wordsIn(AccessKind),
  'entries': wordsIn(Entering),
  'invalidations': Object.keys(ACTS).filter((word) => word.startsWith('inv')),
}; // prettier-ignore

const escaped = (word: string): string => word.replace(/[.\\^$*+?()[\]{}|]/g, '\\$&');

/** The words of a list, as alternatives of a regular expression. */
function alternatives(name: string): string {
  const list = LISTS[name];
  if (!list) throw new Error(`grammar.json names a list that there is not: ${name}`);
  return [...new Set(list)].filter((word) => PLAIN.test(word)).sort().map(escaped).join('|'); // prettier-ignore
}

/** The text of `syntaxes/mmu.tmLanguage.json` as it should be. */
export function textMateGrammar(): string {
  const rules = readFileSync(RULES, 'utf8');
  const used = new Set<string>();
  const grammar = rules.replace(/\{\{([^{}]+)\}\}/g, (_, name: string) => {
    used.add(name);
    return JSON.stringify(alternatives(name)).slice(1, -1);
  });
  const unused = Object.keys(LISTS).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`grammar.json does not use ${unused.join(', ')}`);
  return grammar;
}
