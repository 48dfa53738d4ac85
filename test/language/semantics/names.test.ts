import assert from 'node:assert/strict';
import { walk } from '../../../server/src/language/syntax/tree';
import type { Reference } from '../../../server/src/language/syntax/tree';
import { analyzeFiles, check, script, vm } from '../check';

describe('names', () => {
  it('are found in files, VMs, tables, loops, blocks and scripts', () => {
    check(
      `const page = 4K
      block touch(a, n) { read a x n step page }
      ${vm('const half = page / 2\n tables kernel at page { const size = 2M\n for i in 0 .. 1 { 0x40_0000 + i * size +2M -> i * size rw } }\n vcpu boot { cr3 kernel }')}
      run guest { const b = 0x40_0000  for i in 0 .. 3 { read b + i * half } touch(b, 2)  vcpu boot: kernel[b].writable = no }`,
    );
  });

  it('that nothing defines are reported, with the nearest one', () => {
    const analysis = check(
      `const page = 4K\nconst other = ⟦pagee⟧ + page\n${vm('vcpu { cr3 ⟦kernle⟧ }\n tables kernel { }')}run ⟦gest⟧ { ⟦nothing⟧(other) }`,
      [
        'unknown-name: is page meant?',
        'unknown-name: is kernel meant?',
        'unknown-name: is guest meant?',
        'unknown-name: there is no block nothing',
      ],
    );
    assert.equal(analysis.problems[0].fixes?.[0].text, 'page');
  });
});

describe('links', () => {
  const fixture = `const page = 4K
block touch(a) { read a + page }
vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at page { page +4K -> 0x9000 rw }
  vcpu boot { cr3 kernel }
}
run guest { vcpu boot: touch(page)  for i in 0 .. 1 { kernel[i].dirty = no } }
`;

  function uses(name: string): number {
    const { analysis } = check(fixture);
    for (const node of walk(analysis.parsed.tree)) {
      if (node.kind === 'definition' && node.text === name) return analysis.referencesTo(node).length;
    }
    return -1;
  }

  for (const [name, count] of [
    ['page', 4],
    ['touch', 1],
    ['a', 1],
    ['guest', 1],
    ['kernel', 2],
    ['boot', 1],
    ['i', 1],
  ] as const) {
    it(`${name} is used ${count} times`, () => assert.equal(uses(name), count));
  }

  it('lead from each reference to its definition and back', () => {
    const { analysis } = check(fixture);
    for (const node of walk(analysis.parsed.tree)) {
      if (node.kind !== 'reference') continue;
      const target = analysis.definitionOf(node);
      assert.equal(target?.definition.text, node.text);
      assert.ok(analysis.referencesTo(target.definition).some((use) => use.reference === (node satisfies Reference)));
    }
  });

  it('names at a place are those that can be used there, innermost first', () => {
    const { analysis } = check(fixture);
    const names = (offset: number): string[] => analysis.namesAt(offset).map((each) => each.name);
    assert.deepEqual(names(fixture.indexOf('read a')), ['a', 'page', 'touch', 'guest']);
    const inLoop = names(fixture.indexOf('kernel[i]'));
    assert.ok(inLoop.indexOf('i') === 0 && inLoop.includes('kernel') && inLoop.includes('boot') && inLoop.includes('page'));
    assert.ok(!inLoop.includes('a'));
  });

  it('a block speaks of the tables of the VM that it is called for', () => {
    const analysis = check(
      `vm one { slot 0 { gpa 0 size 1M }  tables kernel at 0x1000 { 0x4000 +4K -> 0x4000 } }
      vm two { slot 0 { gpa 0 size 1M }  tables kernel at 0x2000 { 0x4000 +4K -> 0x4000 } }
      block clean(a) { kernel[a].dirty = no }
      run one { clean(0x4000) }
      run two { clean(0x4000) }`,
    );
    const roots = analysis.programs.map((program) => program.acts.map((act) => (act.do === 'edit' ? act.table.root : -1)));
    assert.deepEqual(roots, [[0x1000], [0x2000]]);
  });

  it('tables are arguments', () => {
    const analysis = check(`block clean(t, a) { t[a].dirty = no }\n${script('clean(kernel, 0x40_0000)')}`);
    assert.deepEqual(
      analysis.programs[0].acts.map((act) => act.do),
      ['edit'],
    );
    check(`block clean(t, a) { ⟦t⟧[a].dirty = no }\n${script('clean(1, 0x40_0000)')}`, ['not-tables']);
  });
});

describe('imports', () => {
  const library =
    'const page = 4K\nblock touch(a) { read a expect ok }\nvm guest { slot 0 { gpa 0 size 1M }  tables kernel { page +4K -> 0 rw }  vcpu { cr3 kernel } }\n';

  it('give constants, blocks and VMs', () => {
    const { analysis, programs } = check('import "lib.mmu"\nrun guest { touch(page) }', [], { 'lib.mmu': library });
    assert.equal(programs.length, 1);
    const [access] = programs[0].acts;
    assert.equal(analysis.statements[access.origin].uri, 'file:///scenarios/lib.mmu');
  });

  it('go through other files', () => {
    check('import "a.mmu"\nrun guest { touch(page) }', [], { 'a.mmu': 'import "lib.mmu"', 'lib.mmu': library });
  });

  it('of missing files, and of each other, are reported', () => {
    check('import ⟦"none.mmu"⟧', ['no-such-file']);
    check('import ⟦"test.mmu"⟧', ['import-cycle']);
    const { analysis, problems } = analyzeFiles('import "a.mmu"', { 'a.mmu': 'import "b.mmu"', 'b.mmu': 'import "a.mmu"' });
    assert.deepEqual(
      problems.map(({ uri, code }) => [uri, code]),
      [['file:///scenarios/b.mmu', 'import-cycle']],
    );
    assert.equal(analysis.imports.size, 2);
  });

  it('problems of an imported file stand in it, and nothing runs', () => {
    const analysis = analyzeFiles('import "a.mmu"\nrun guest { read 0 }\n', { 'a.mmu': `${library}const none = 1 / 0\n` });
    assert.deepEqual(
      analysis.problems.map(({ uri, code, range }) => [uri, code, range.start.line]),
      [['file:///scenarios/a.mmu', 'division-by-zero', 3]],
    );
    assert.equal(analysis.programs.length, 0);
  });

  it('a name of two files is defined twice', () => {
    check('import "a.mmu"\nconst ⟦page⟧ = 1\n', ['defined-twice'], { 'a.mmu': 'const page = 2' });
  });
});

describe('definitions', () => {
  it('of a name are one in a place', () => {
    const analysis = check('const a = 1\nconst ⟦a⟧ = 2\nvm a { slot 0 { gpa 0 size 1M } tables t at 0x1000 { 0 +4K -> 0 } }', [
      'defined-twice',
    ]);
    assert.equal(analysis.problems[0].related?.[0].range.start.line, 0);
    check('block f(a, ⟦a⟧) { read a }', ['defined-twice']);
    check(vm('tables t at 0x1000 { 0 +4K -> 0 }\n tables ⟦t⟧ at 0x2000 { 0 +4K -> 0 }\n vcpu { cr3 t }'), ['defined-twice']);
  });

  it('inside hide those outside', () => {
    const analysis = check(`const a = 0x40_0000\n${script('const a = 0x40_1000\n read a')}const b = a\nconst _c = b`, []);
    assert.ok(analysis.programs[0].acts.every((act) => act.do === 'access' && act.address === 0x40_1000n));
  });

  it('that nothing uses fade', () => {
    const analysis = check(`const ⟦a⟧ = 1\nconst _b = 2\nblock ⟦f⟧(⟦x⟧) { read 0 }\n${script('read 0x40_0000')}`, [
      'unused-name',
      'unused-name',
      'unused-name',
    ]);
    assert.ok(analysis.problems.every((each) => each.severity === 'hint' && each.tag === 'unnecessary'));
  });

  it('are not called unused in a file without runs', () => {
    check('const a = 1\nblock f(x) { read x }');
  });

  it('of built-in tables are refused', () => {
    check(vm('tables ⟦shadow⟧ at 0x1000 { 0 +4K -> 0 }'), ['built-in-name']);
  });
});
