import assert from 'node:assert/strict';
import { Budget } from '../../../server/src/language/lower/budget';
import { SourceFile } from '../../../server/src/language/semantics/source';
import { fileEnv } from '../../../server/src/language/semantics/values';
import { analyzeFiles, check, script, vm } from '../check';

const nested = (depth: number, inside: string): string => `${'for i in 0 .. 2 { '.repeat(depth)}${inside}${' }'.repeat(depth)}`;

describe('loops that do nothing', () => {
  /** Steps of lowering: how often a budget of time is asked, in units of 256. */
  function looks(text: string): number {
    let asked = 0;
    const { problems } = analyzeFiles(text, {}, { stop: () => (asked++, null) });
    assert.deepEqual(problems.filter(({ severity }) => severity === 'error'), []); // prettier-ignore
    return asked;
  }

  for (const [what, text] of [
    ['over nothing', script(nested(60, ''), 'under soft, ept, npt')],
    ['over constants', script(nested(60, 'const a = i'))],
    ['over what is for other kinds', script(nested(40, 'under soft on soft { read 0x40_0000 } expect ok under npt'), 'under soft, ept')],
    ['over blocks that do nothing', `block f(a) { under npt { read a } }\n${script(nested(40, 'f(i)'), 'under soft')}`],
    ['in a machine', `${vm(`${nested(60, '')} vcpu { paging none }`)}run guest { read 0 }`],
    ['in tables', `${vm(`tables t at 0x1000 { 0 +4K -> 0 ${nested(60, '')} } vcpu { cr3 t }`)}run guest { read 0 }`],
    ['of a billion rounds', script('for i in 1 .. 1_000_000_000 { }')],
  ] as const) {
    it(`cost nothing: ${what}`, () => assert.equal(looks(text), 0));
  }

  it('are looked at for what is wrong in them', () => {
    check(script('for i in 0 .. 3 { for j in ⟦5⟧ .. 2 { } }').replace('⟦5⟧ .. 2', '5 .. ⟦2⟧'), ['empty-range']);
    check(script('for i in 0 .. 3 { const _a = ⟦nobody⟧ }'), ['unknown-name']);
  });

  it('and those that do something are unrolled as they stand', () => {
    const { programs } = check(
      script('for i in 0 .. 2 { for j in 0 .. 2 { } read 0x40_0000 + 8 * i  for k in 0 .. 1 { read 0x40_1000 } }'),
    );
    assert.equal(programs[0].acts.length, 9);
  });
});

describe('a limit that is reached', () => {
  it('ends all loops around it, and is told once', () => {
    let asked = 0;
    const text = vm(`${nested(14, 'for j in 0 .. 1_999_999 { word 8 * j = 1 }')} vcpu { paging none }`);
    const { problems } = analyzeFiles(text, {}, { stop: () => (asked++, null) });
    assert.deepEqual(problems.map(({ code }) => code), ['too-many-rounds']); // prettier-ignore
    assert.equal(asked, 0);
  });

  it('of acts ends the script', () => {
    check(script('for i in 0 .. 999 { for j in 0 .. 999 { host ⟦zap all⟧ } }'), ['too-many-acts: 100000 acts']);
  });

  it('of acts of a file ends all its runs', () => {
    const budget = new Budget(() => null);
    const { analysis } = check('');
    const { tree } = analysis.parsed;
    const env = fileEnv(new SourceFile('file:///a.mmu', ''));
    for (let act = 0; act < 1_000_000; act++) assert.ok(budget.act(env, tree));
    assert.equal(budget.act(env, tree), false);
    assert.match(budget.overrun?.message ?? '', /1000000 acts together/);
    assert.equal(budget.step(env, tree), false);
  });

  it('is told where it was reached first', () => {
    const env = fileEnv(new SourceFile('file:///a.mmu', ''));
    const { tree } = check('').analysis.parsed;
    const other = { ...tree };
    const budget = new Budget(() => 'no time left');
    while (budget.step(env, tree));
    const first = budget.overrun;
    for (const more of ['act', 'step'] as const) assert.equal(budget[more](env, other), false);
    assert.ok(first !== null && budget.overrun === first && first.node === tree);
  });

  it('of time ends the machine, or the script, that takes it', () => {
    const stop = (): string => 'no time left';
    const wrong = (text: string) => analyzeFiles(text, {}, { stop }).problems.map(({ code, message }) => `${code}: ${message}`);
    assert.deepEqual(wrong(script('for i in 0 .. 9_999 { read 0x40_0000 }')), ['takes-too-long: no time left']);
    const words = 'for i in 0 .. 9_999 { word 8 * i = 1 } vcpu { paging none }';
    assert.deepEqual(wrong(`${vm(words)}run guest { read 0 }`), ['takes-too-long: no time left']);
    assert.deepEqual(wrong(script('read 0x40_0000')), []);
  });
});

describe('constants in scripts', () => {
  it('that are defined by each other are evaluated once each', () => {
    const chain = Array.from({ length: 60 }, (_, i) => `const a${i + 1} = a${i} / 2 + a${i} / 2`).join('\n');
    const { analysis } = check(script(`const a0 = 1 << 40\n${chain}\nread a60 * 0 + 0x40_0000`));
    assert.ok(analysis);
  });
});
