/**
 * Every word of the language in one place: what it is and, for people, what it means. The parser takes its settings,
 * flags and registers from here; hover and completion take the text.
 *
 * Sources in the text: "SDM" is the Intel 64 and IA-32 Architectures Software Developer's Manual, "APM" the AMD64
 * Architecture Programmer's Manual, "KVM API" the kernel's Documentation/virt/kvm/api.rst.
 */
import { SETTING_BLOCKS, type SettingBlock, type SettingSpecs } from './words/settings';
import { BITS, FLAGS, REGISTERS } from './words/paging';
import { ACTS, CLAUSES, DECLARATIONS, EXPECTATIONS, HOST_ACTS } from './words/structure';
import {
  ACTORS,
  ERRNOS,
  EVENT_WORDS,
  FAULT_FLAGS,
  FORMATS,
  MMU_KINDS,
  PAGE_STATES,
  REASONS,
  SCOPES,
  STATISTIC_WORDS,
} from './words/observed';

export type Category =
  | 'declaration'
  | 'statement'
  | 'clause'
  | 'host-act'
  | 'expectation'
  | 'setting'
  | 'choice'
  | 'mmu'
  | 'format'
  | 'flag'
  | 'register'
  | 'bit'
  | 'scope'
  | 'event'
  | 'reason'
  | 'actor'
  | 'errno'
  | 'state'
  | 'statistic'
  | 'fault-flag';

export interface Keyword {
  readonly word: string;
  readonly category: Category;
  /** One to three sentences of Markdown. */
  readonly about: string;
  /** Block of a setting (`slot`), owner of a bit (`cr0`, or `entry`), setting of a choice (`mmu`). */
  readonly of?: string;
  /** Default of a setting, as it would be written, or in words. */
  readonly default?: string;
}

export { RESERVED } from './words/reserved';

function list(category: Category, words: { readonly [word: string]: string }, of?: string): Keyword[] {
  return Object.entries(words).map(([word, about]) => ({ word, category, about, ...(of === undefined ? {} : { of }) }));
}

function settings(): Keyword[] {
  const found: Keyword[] = [];
  for (const [of, specs] of Object.entries(SETTING_BLOCKS) as [SettingBlock, SettingSpecs][]) {
    for (const [word, spec] of Object.entries(specs)) {
      const dflt = spec.default ?? spec.computed;
      found.push({ word, category: 'setting', about: spec.about, of, ...(dflt ? { default: dflt } : {}) });
      for (const [choice, about] of Object.entries(spec.choices ?? {})) {
        found.push({ word: choice, category: 'choice', about, of: word });
      }
    }
  }
  return found;
}

/** All words with their explanations, in the order of the reference. A word may stand here more than once. */
export const KEYWORDS: readonly Keyword[] = [
  ...list('declaration', DECLARATIONS),
  ...list('statement', ACTS),
  ...list('clause', CLAUSES),
  ...list('host-act', HOST_ACTS),
  ...list('expectation', EXPECTATIONS),
  ...settings(),
  ...list('mmu', MMU_KINDS),
  ...list('format', FORMATS),
  ...Object.values(FLAGS).flatMap((flags) => list('flag', Object.fromEntries(Object.entries(flags).map(([w, f]) => [w, f.about])))),
  ...list('register', Object.fromEntries(Object.entries(REGISTERS).map(([w, r]) => [w, r.about]))),
  ...Object.entries(REGISTERS).flatMap(([name, register]) => list('bit', register.bits, name)),
  ...list('bit', BITS, 'entry'),
  ...list('scope', SCOPES),
  ...list('event', EVENT_WORDS),
  ...list('reason', REASONS),
  ...list('actor', ACTORS),
  ...list('errno', ERRNOS),
  ...list('state', PAGE_STATES),
  ...list('statistic', STATISTIC_WORDS),
  ...list('fault-flag', FAULT_FLAGS),
];

const byWord = new Map<string, Keyword[]>();
for (const keyword of KEYWORDS) {
  const same = byWord.get(keyword.word);
  if (same) same.push(keyword);
  else byWord.set(keyword.word, [keyword]);
}

/** Explanations of a word, those of `category` (and `of`) first when given. */
export function keywordsFor(word: string, category?: Category, of?: string): readonly Keyword[] {
  const all = byWord.get(word) ?? [];
  const fits = (keyword: Keyword): number => (category && keyword.category === category ? 2 : 0) + (of && keyword.of === of ? 1 : 0);
  return [...all].sort((a, b) => fits(b) - fits(a));
}
