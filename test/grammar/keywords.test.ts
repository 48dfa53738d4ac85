import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRegistry } from 'vscode-tmgrammar-test/dist/common/index.js';
import { KEYWORDS, RESERVED, type Category } from '../../server/src/language/syntax/keywords';
import { FLAGS } from '../../server/src/language/syntax/words/paging';
import { EXPECTATIONS, HOST_ACTS } from '../../server/src/language/syntax/words/structure';
import { GRAMMAR, textMateGrammar } from '../../scripts/textmate/grammar';

type Grammar = NonNullable<Awaited<ReturnType<ReturnType<typeof createRegistry>['loadGrammar']>>>;
let grammar: Grammar;

/** The innermost scope of a word put in the place of `%` in the last line of a text. */
function scopeOf(text: string, word: string): string {
  const lines = text.split('\n');
  const last = lines.pop()!;
  const stack = lines.reduce<Parameters<Grammar['tokenizeLine']>[1]>((before, line) => grammar.tokenizeLine(line, before).ruleStack, null);
  const at = last.indexOf('%');
  const { tokens } = grammar.tokenizeLine(
    last.replace('%', () => word),
    stack,
  );
  return tokens.find(({ startIndex, endIndex }) => startIndex <= at && at < endIndex)?.scopes.at(-1) ?? '';
}

/** Where a word of each category stands, and its scope there. `%` is the word. */
const PLACES: {
  readonly [category in Exclude<Category, 'declaration' | 'clause' | 'statement' | 'setting' | 'choice'>]: readonly [string, RegExp];
} = {
  'host-act': ['run {\n  host % slot', /^support\.function/],
  expectation: [
    'read 1 expect %',
    /^(?:keyword\.other\.expectation|constant\.language\.fault|variable\.language\.tables|keyword\.other\.expectation)/,
  ],
  mmu: ['run under %', /^constant\.language\.mmu/],
  format: ['tables k %', /^constant\.language/],
  flag: ['    1 +4K -> 2 %', /^storage\.modifier\.flag/],
  register: ['  % = 1', /^variable\.language\.register/],
  bit: ['  cr0.% = 1', /^variable\.other\.property/],
  scope: ['  invpcid %', /^constant\.language\.scope/],
  event: ['  expect events %', /^support\.function\.event/],
  reason: ['  expect exits 1 of %', /^constant\.language\.reason/],
  actor: ['  expect events kvm_entry(actor %)', /^constant\.language\.actor/],
  errno: ['  expect error %', /^constant\.language\.errno/],
  state: ['  expect page 1 %', /^constant\.language\.state/],
  statistic: ['  expect total kvm_stat %', /^constant\.language\.statistic/],
  'fault-flag': ['  expect #PF(%', /^constant\.language\.fault-flag/],
};
const TABLES = ['shadow', 'tdp', 'tlb'];

/** A colour that settings have in every theme, as properties do; `support.type.property-name` is red in some. */
const SETTING = /^variable\.other\.property/;

describe('grammar: every word of the language is coloured', () => {
  before(async () => {
    grammar = (await createRegistry([{ path: 'syntaxes/mmu.tmLanguage.json', scopeName: 'source.mmu' }] as Parameters<
      typeof createRegistry
    >[0]).loadGrammar('source.mmu'))!;
  });

  for (const [category, [place, expected]] of Object.entries(PLACES)) {
    it(category, () => {
      for (const { word } of KEYWORDS.filter((keyword) => keyword.category === category)) {
        const text = TABLES.includes(word) && category === 'expectation' ? `${place}[` : place;
        assert.match(scopeOf(text, word), expected, `${category} ${word}`);
      }
    });
  }

  it('settings and their choices, each in its block', () => {
    for (const { word, category, of } of KEYWORDS) {
      if (category === 'setting') {
        const isRegister = word.includes('.') || word === 'cr3';
        const expected = isRegister ? /^variable\.language\.register/ : SETTING;
        assert.match(scopeOf(`${of === 'vm' ? 'vm a' : of} {\n  % 1`, word), expected, `${of} ${word}`);
        if (['cpu', 'tlb', 'kvm'].includes(word)) assert.match(scopeOf('host {\n  % {', word), /^storage\.type/);
      } else if (category === 'choice') {
        const block = of === 'mmu' || of === 'hypervisor' ? 'vm a' : 'vcpu';
        assert.match(scopeOf(`${block} {\n  ${of} %`, word), /^constant\.(?:language|numeric)/, `${of} ${word}`);
      }
    }
  });

  it('reserved words, where nothing else says what they are', () => {
    for (const word of RESERVED.filter((each) => !['slot', 'not'].includes(each))) {
      assert.match(scopeOf('  % a', word), /^(?:keyword|storage|support|constant)\./, word);
    }
  });

  it('flags of slots, entries and host acts', () => {
    for (const word of Object.keys(FLAGS.slot)) assert.match(scopeOf('  host flags slot 1 %', word), /^storage\.modifier/, word);
    for (const word of Object.keys(FLAGS.protect)) assert.match(scopeOf('  host protect gpa 1 %', word), /^storage\.modifier/, word);
    for (const word of Object.keys(FLAGS.entry)) assert.match(scopeOf('  expect kernel[1] %', word), /^storage\.modifier/, word);
    for (const word of Object.keys(HOST_ACTS)) {
      const expected = word === 'nr_mmu_pages' ? SETTING : /^support\.function/;
      assert.match(scopeOf('  host {\n  % slot 1', word), expected, word);
    }
  });

  it('its lists are those of the source', () => {
    assert.equal(readFileSync(GRAMMAR, 'utf8'), textMateGrammar(), 'run npm run generate');
  });

  it('words that are words only in their place are names elsewhere', () => {
    for (const word of [...Object.keys(EXPECTATIONS), 'level', 'all'].filter((each) => /^[a-z]/.test(each))) {
      assert.match(scopeOf('const a = %', word), /^variable\.other/, word);
    }
  });
});
