/** The parts of docs/language.md that say again what tables of the source say. */
import { PROBLEM_CODES } from '../../../server/src/language/semantics/codes';
import { KEYWORDS, RESERVED } from '../../../server/src/language/syntax/keywords';
import type { Category } from '../../../server/src/language/syntax/keywords';
import { EVENT_VALUES } from '../../../server/src/language/syntax/words/observed';
import { FLAGS, REGISTERS } from '../../../server/src/language/syntax/words/paging';
import type { FlagPlace } from '../../../server/src/language/syntax/words/paging';
import { SETTING_BLOCKS } from '../../../server/src/language/syntax/words/settings';
import type { SettingBlock, SettingSpec, Takes } from '../../../server/src/language/syntax/words/settings';
import { ebnf } from './ebnf';

const TAKES: { readonly [takes in Takes]: string } = {
  nothing: '', switch: 'on, off', number: 'a number', size: 'a size', address: 'an address', choice: '', geometry: 'sets x ways',
  block: '{ … }', 'switch-or-block': 'on, off, or { … }',
}; // prettier-ignore

const cell = (text: string): string => text.replaceAll('|', '\\|');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function settings(block: SettingBlock): string {
  const row = ([name, spec]: [string, SettingSpec]): string[] => {
    const takes = spec.choices ? Object.keys(spec.choices).join(', ') : TAKES[spec.takes];
    const choices = Object.entries(spec.choices ?? {}).map(([choice, about]) => `\`${choice}\`: ${about}`);
    return [`\`${name}\``, takes, spec.default ?? spec.computed ?? '', [spec.about, ...choices].join(' ')];
  };
  return `Settings of \`${block}\`:\n\n${table(['setting', 'takes', 'default', ''], Object.entries(SETTING_BLOCKS[block]).map(row))}`;
}

function category(title: string, wanted: Category): string {
  const rows = KEYWORDS.filter((keyword) => keyword.category === wanted).map(({ word, about }) => [`\`${word}\``, about]);
  return `**${title}**\n\n${table(['word', ''], rows)}`;
}

const PLACES: { readonly [place in FlagPlace]: string } = {
  mapping: 'Flags of mappings and of `upper`',
  entry: 'Flags of entries in expectations',
  slot: 'Flags of slots in `flags slot`',
  protect: 'Flags of `protect`',
};

function flags(place: FlagPlace): string {
  const rows = Object.entries(FLAGS[place]).map(([word, { about, takes }]) => [`\`${word}\`${takes ? ` ${takes}` : ''}`, about]);
  return `**${PLACES[place]}**\n\n${table(['flag', ''], rows)}`;
}

function registers(): string {
  const rows = Object.entries(REGISTERS).flatMap(([name, { about, bits }]) => [
    [`\`${name}\``, about],
    ...Object.entries(bits).map(([bit, what]) => [`\`${name}.${bit}\``, what]),
  ]);
  return `**Registers and their bits**\n\n${table(['register', ''], rows)}`;
}

function eventValues(): string {
  const rows = Object.entries(EVENT_VALUES).map(([event, values]) => [`\`${event}\``, Object.keys(values).map((value) => `\`${value}\``).join(', ')]); // prettier-ignore
  return `**Names in fields of events**, besides exit reasons; [all fields](events.md)\n\n${table(['event', 'names'], rows)}`;
}

function words(): string {
  const bits = KEYWORDS.filter((keyword) => keyword.category === 'bit' && keyword.of === 'entry').map(({ word, about }) => [
    `\`${word}\``,
    about,
  ]);
  return [
    `**Reserved words**, which cannot be names: ${RESERVED.map((word) => `\`${word}\``).join(' ')}`,
    category('Kinds of MMU', 'mmu'),
    category('Formats of tables', 'format'),
    ...(Object.keys(PLACES) as FlagPlace[]).map(flags),
    `**Bits and fields of entries**\n\n${table(['bit', ''], bits)}`,
    registers(),
    category('States of pages', 'state'),
    category('Flags of the #PF error code', 'fault-flag'),
    category('Exit reasons', 'reason'),
    category('Actors of events', 'actor'),
    category('Error numbers', 'errno'),
    category('Events', 'event'),
    category('What `kvm_stat` counts', 'statistic'),
    eventValues(),
  ].join('\n\n');
}

function problems(): string {
  return Object.entries(PROBLEM_CODES)
    .map(
      ([title, codes]) =>
        `**${title}**\n\n${table(
          ['code', ''],
          Object.entries(codes).map(([code, about]) => [`\`${code}\``, about]),
        )}`,
    )
    .join('\n\n');
}

/** The text between a marker, as `<!-- settings host cpu -->`, and `<!-- end -->`. */
export function generated(marker: string): string {
  const [what, ...names] = marker.split(' ');
  if (what === 'settings') return (names as SettingBlock[]).map(settings).join('\n\n');
  if (what === 'words') return words();
  if (what === 'grammar') return `\`\`\`ebnf\n${ebnf()}\n\`\`\``;
  if (what === 'problems') return problems();
  throw new Error(`nothing is generated for ${marker}`);
}

/** The reference with its generated parts as they should be. */
export function withGenerated(reference: string): string {
  return reference.replace(
    /<!-- ([a-z ]+) -->\n[^]*?<!-- end -->/g,
    (_, marker: string) => `<!-- ${marker} -->\n\n${generated(marker)}\n\n<!-- end -->`,
  );
}
