import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { tokensOf } from '../../../server/src/language/syntax/scan';
import { analyzeFiles, check, script, vm } from '../check';

const SAMPLES = join(import.meta.dirname, '../../../samples');

function samples(): string[] {
  const paths = readdirSync(SAMPLES, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.mmu'));
  return paths.map((path) => readFileSync(join(SAMPLES, path), 'utf8'));
}

/** Everything that can be asked of an analysis. */
function askAll(text: string): void {
  const { analysis, problems } = analyzeFiles(text);
  analysis.lower({ under: 'soft' });
  for (let offset = 0; offset <= text.length; offset += Math.ceil(text.length / 20) + 1) {
    analysis.namesAt(offset);
    analysis.originAt(offset);
    analysis.originBefore(offset);
  }
  for (const { range, fixes, related } of problems) {
    for (const place of [range, ...(fixes ?? []).map((fix) => fix.range), ...(related ?? []).map((each) => each.range)]) {
      assert.ok(analysis.offsetAt(place.start) <= analysis.offsetAt(place.end));
    }
  }
}

describe('whatever the text, there is an analysis', () => {
  const texts = [...samples(), `${vm('tables kernel at 0x1000 { 0x40_0000 +2M -> 0 rw }')}${script('read 0x40_0000')}`];

  it('of samples with pieces left out, doubled and mixed up', () => {
    const pieces = texts.map((text) => tokensOf(text).map((token) => ({ start: token.startOffset, text: token.image })));
    const edit = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.constantFrom('drop', 'double', 'swap', 'cut'));
    fc.assert(
      fc.property(fc.nat(), fc.array(edit, { minLength: 1, maxLength: 4 }), (which, edits) => {
        const index = which % texts.length;
        let text = texts[index];
        for (const [at, other, , how] of edits) {
          const tokens = pieces[index];
          const a = tokens[at % tokens.length];
          const b = tokens[other % tokens.length];
          if (how === 'drop') text = text.slice(0, a.start) + text.slice(a.start + a.text.length);
          else if (how === 'double') text = `${text.slice(0, a.start)}${a.text} ${text.slice(a.start)}`;
          else if (how === 'swap') text = text.slice(0, a.start) + b.text + text.slice(a.start + a.text.length);
          else text = text.slice(0, a.start);
        }
        askAll(text);
      }),
      { numRuns: 300 },
    );
  });

  it('of numbers at their limits in every place', () => {
    const numbers = ['0', '-1', '0xffff_ffff_ffff_ffff', '1T * 1M', '0x8000_0000_0000', '0x1000', '3', '1 / 0', 'nothing', 'kernel'];
    const sample = texts[0].replace(/(?<![\w.])0x[0-9a-f_]+|(?<![\w.])\d+[KMG]?(?![\w-])/g, '§');
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...numbers), { minLength: 20, maxLength: 20 }), (values) => {
        let next = 0;
        askAll(sample.replace(/§/g, () => values[next++ % values.length]));
      }),
      { numRuns: 60 },
    );
  });

  for (const [what, text] of [
    ['nothing', ''],
    ['a byte order mark', '\ufeffhost { memory 64M }'],
    ['bytes that are no text', '\u0000\u0001\ufffd\u0000'],
    ['old line ends', 'host { memory 64M }\r\rvm guest { }\r\nrun guest { }'],
    ['half an astral character', 'host { \ud83d'],
  ] as const) {
    it(`of ${what}`, () => askAll(text));
  }

  it('positions count UTF-16 units', () => {
    const analysis = check('/* 𝔊𝔘 */ const _a = ⟦1 + 0xffff_ffff_ffff_ffff⟧', ['overflow']);
    assert.equal(analysis.problems[0].range.start.character, '/* 𝔊𝔘 */ const _a = '.length);
  });

  it('of a file that imports cannot read', () => {
    askAll('import ""\nimport "a b#c%.mmu"\nimport "http://["');
  });
});

describe('large input is answered at once', () => {
  it('many problems are cut off', () => {
    const analysis = analyzeFiles(Array.from({ length: 3000 }, (_, i) => `const _a${i} = 1 / 0`).join('\n'));
    assert.equal(analysis.problems.at(-1)?.code, 'too-many-problems');
    assert.ok(analysis.problems.length <= 1001);
  });

  it('many VMs, slots and statements', () => {
    const slots = Array.from({ length: 300 }, (_, i) => `slot ${i} { gpa ${i}M size 1M }`).join('\n');
    const statements = Array.from({ length: 2000 }, (_, i) => `user read ${i} * 4K expect ok`).join('\n');
    check(`vm guest { ${slots}\n vcpu { paging none } }\nrun guest under soft, ept, npt { ${statements} }`);
  });

  it('a loop of many words', () => {
    check(vm('for i in 0 .. 99_999 { word 8 * i = i }\n vcpu { paging none }'));
  });
});

describe('messages', () => {
  it('show the beginning of a name that is as long as a file', () => {
    const name = 'n'.repeat(100_000);
    const { problems } = analyzeFiles(`const ${name} = 1\nconst ${name} = ${name}x\nvm ${name} { tables ${name} at ${name}y { } }\n`);
    assert.ok(problems.length > 1);
    for (const { message, related, fixes } of problems)
      for (const each of [message, ...(related ?? []).map((one) => one.message), ...(fixes ?? []).map(({ title }) => title)])
        assert.ok(each.length < 300, `${each.length} characters`);
  });
});
