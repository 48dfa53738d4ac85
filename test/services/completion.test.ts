import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { CompletionItem, TextEdit } from 'vscode-languageserver-types';
import { completion, resolveCompletion } from '../../server/src/services/completion';
import { MACHINE, opened } from '../support/scripts';

interface Expected {
  readonly has?: readonly string[];
  readonly not?: readonly string[];
  /** Exactly these, in any order. */
  readonly only?: readonly string[];
}

function items(fixture: string, snippets = false): CompletionItem[] {
  const { analysis, cursor } = opened(fixture);
  return completion(analysis, cursor, { snippets }).items;
}

function check(fixture: string, { has = [], not = [], only }: Expected): void {
  const labels = items(fixture).map(({ label }) => label);
  for (const each of has) assert.ok(labels.includes(each), `${each} in ${labels.join(' ')}`);
  for (const each of not) assert.ok(!labels.includes(each), `${each} not in ${labels.join(' ')}`);
  if (only) assert.deepEqual([...labels].sort(), [...only].sort());
}

describe('completion', () => {
  const inRun = (body: string): string =>
    `${MACHINE}const page = 4K\nblock touch(a) { read a }\nrun guest under soft, ept {\n  ${body}\n}\n`;

  it('of a file: declarations', () => check('v<|>', { only: ['import', 'const', 'host', 'budget', 'vm', 'block', 'run'] }));
  it('of a host: its settings', () => check('host { <|> }', { has: ['memory', 'cpu', 'tlb', 'kvm', 'maxphyaddr'], not: ['gpa', 'read'] }));
  it('of settings on one line', () => check('vm a { slot 0 { gpa 0 size 16M <|> } }', { has: ['hva', 'readonly'], not: ['memory'] }));
  it('of a setting with choices: the choices', () => check('vm a { mmu <|> }', { only: ['soft', 'ept', 'npt'] }));
  it('of a paging mode that is half written', () => check('vm a { vcpu { paging 4-<|> } }', { has: ['4-level', '5-level', 'pae'] }));
  it('of a switch: on and off', () => check('vm a { vcpu { cr0.wp <|> } }', { only: ['on', 'off', 'yes', 'no'] }));
  it('of bits in settings', () => check('vm a { vcpu { cr4.<|> } }', { has: ['pge', 'smep'], not: ['wp'] }));
  it('of an address: names and the default', () => check('const k = 1\nvm a { tables t { } vcpu { cr3 <|> } }', { has: ['t', 'k'] }));
  it('of a VM: settings and parts', () =>
    check('vm a {\n  <|>\n}', { has: ['mmu', 'slot', 'vcpu', 'tables', 'word', 'vm'], not: ['read'] }));
  it('of nested blocks of settings', () => check('host { kvm { <|> } }', { has: ['unsync', 'tdp_mmu'], not: ['memory'] }));
  it('of tables: items', () => check('vm a { tables t {\n <|>\n} }', { has: ['entry', 'upper', 'table', 'share'], not: ['slot'] }));
  it('of a mapping: flags', () =>
    check('vm a { tables t {\n 0 +4K -> 0x5000 rw <|>\n} }', { has: ['user', 'nx', 'global'], not: ['entry'] }));
  it('of formats of tables', () => check('vm a { tables t <|> }', { has: ['ept', 'npt', '4-level', 'at'] }));

  it('of a script: statements, blocks, tables, registers', () =>
    check(inRun('<|>'), { has: ['read', 'user', 'invlpg', 'touch', 'kernel', 'cr3', 'host', 'expect', 'for'], not: ['slot', 'memory'] }));
  it('of an access by somebody: what it can be', () => check(inRun('user <|>'), { only: ['read', 'write', 'fetch', 'rmw'] }));
  it('of an address in a script: names', () => check(inRun('read <|>'), { has: ['page', 'kernel'], not: ['touch', 'read'] }));
  it('behind an access: clauses', () => check(inRun('read 0x40_0000 <|>'), { has: ['expect', 'x', 'step'] }));
  it('of expectations', () => check(inRun('read 0x40_0000 expect <|>'), { has: ['ok', '#PF', 'mmio', 'exits', 'hpa', 'tlb', 'kernel'] }));
  it('of expectations after a comma, on a line of its own', () =>
    check(inRun('read 0x40_0000 expect ok,\n   <|>'), { has: ['exits', 'value'], not: ['user'] }));
  it('of flags of a #PF', () => check(inRun('read 0 expect #PF(P <|>'), { only: ['W', 'U', 'RSVD', 'I', 'PK', 'SS', 'SGX'] }));
  it('of a fault that is half written', () => check(inRun('read 0 expect #P<|>'), { has: ['#PF', '#GP'] }));
  it('of kinds after under', () => check(inRun('read 0 expect exits 1 under <|>'), { only: ['soft', 'ept', 'npt'] }));
  it('of exit reasons', () => check(inRun('read 0 expect exits 1 of <|>'), { has: ['EPT_VIOLATION', 'npf'], not: ['ok'] }));
  it('of errnos', () => check(inRun('host delete slot 0 expect error <|>'), { has: ['EINVAL', 'EEXIST'] }));
  it('of events', () => check(inRun('expect events <|>'), { has: ['kvm_exit', 'tlb_fill'] }));
  it('of fields of events', () => check(inRun('expect events kvm_page_fault(<|>'), { has: ['address', 'error_code'] }));
  it('of bits of an entry', () => check(inRun('kernel[0x40_0000].<|>'), { has: ['writable', 'accessed', 'nx'] }));
  it('of bits of a register', () => check(inRun('cr0.<|>'), { has: ['wp', 'pg'], not: ['writable'] }));
  it('of acts of the host', () => check(inRun('host <|>'), { has: ['create', 'delete', 'reclaim', 'zap'], not: ['read'] }));
  it('of acts of the host in braces', () => check(inRun('host {\n <|>\n }'), { has: ['create', 'delete'], not: ['read'] }));
  it('of states of a page', () => check(inRun('expect page 0x4000 <|>'), { has: ['write_protected', 'unsync', 'not'] }));
  it('of VMs to run', () => check(`${MACHINE}run <|>`, { only: ['guest', 'under', 'with'] }));
  it('of kernels: each once', () => check(`${MACHINE}run guest under ept with kernel 6.1, <|>`, { has: ['6.12'], not: ['6.1'] }));
  it('of loops: their variable', () => check(inRun('for i in 0 .. 3 { read 0x1000 * <|> }'), { has: ['i', 'page'] }));

  it('of settings: none that is given already', () => {
    check('vm a { slot 0 { gpa 0 size 16M <|> } }', { has: ['hva'], not: ['gpa', 'size'] });
    check('vm a { mmu ept\n  <|>\n}', { has: ['hypervisor', 'slot'], not: ['mmu'] });
  });
  it('of flags: none that is there already', () =>
    check('vm a { tables t {\n 0 +4K -> 0x5000 rw user <|>\n} }', { has: ['nx'], not: ['rw', 'user'] }));
  it('of the first flag of an item: those of the item before it too', () =>
    check('vm a { tables t {\n upper 0 +2M level 2 ro user\n upper 0x20_0000 +2M level 2 <|>\n} }', { has: ['ro', 'user', 'nx'] }));
  it('of kinds: none that is listed alone already', () => check(inRun('expect exits 1 under soft, <|>'), { only: ['ept', 'npt'] }));
  it('of a kernel that is half written: the kernels', () =>
    check(`${MACHINE}run guest under ept with kernel 6.1<|> { }`, { has: ['6.1', '6.12'], not: ['title'] }));
  it('of who performs, once', () => check(inRun('guest: <|>'), { has: ['read', 'user'], not: ['guest', 'vcpu'] }));
  it("of a handler: the fault's address", () => check(inRun('read 0 on fault { invlpg <|> }'), { has: ['cr2'] }));
  it('of an actor: who acts', () =>
    check(inRun('expect events kvm_mmu_set_spte(gfn 5, actor <|>'), { has: ['L0', 'L1', 'processor', 'user'], not: ['EPT_VIOLATION'] }));

  it('the usual comes first', () => {
    const first = (fixture: string, ...wanted: string[]): void => {
      const sorted = items(fixture).sort((a, b) => (a.sortText! < b.sortText! ? -1 : 1)).map(({ label }) => label); // prettier-ignore
      const places = wanted.map((label) => sorted.indexOf(label));
      assert.deepEqual(
        places,
        [...places].sort((a, b) => a - b),
        sorted.join(' '),
      );
      assert.ok(places.every((place) => place >= 0), sorted.join(' ')); // prettier-ignore
    };
    first(inRun('read 0 expect <|>'), 'ok', 'exits', '#PF', 'kernel', 'cr0');
    first(inRun('read <|>'), '0x40_0000', 'kernel');
    first(inRun('<|>'), 'expect', 'user', 'read', 'kernel', 'cr0');
    first(inRun('kernel[0x40_0000].writable = <|>'), 'on', 'page');
    first('vm a { slot 0 { <|> } }', 'gpa', 'size', 'readonly');
  });

  it('brings the sign without which a name is none, unless it is there', () => {
    const inserted = (fixture: string, label: string): string | undefined =>
      items(fixture).find((each) => each.label === label)?.textEdit?.newText;
    assert.equal(inserted(inRun('<|>'), 'kernel'), 'kernel[');
    assert.equal(inserted(inRun('<|>[0x40_0000] = 0'), 'kernel'), 'kernel');
    assert.equal(inserted(inRun('<|>'), 'touch'), 'touch(');
    assert.equal(inserted(inRun('<|>'), 'guest'), 'guest: ');
    assert.equal(inserted('vm a { tables t { } tables s { share <|> } }', 't'), 't');
  });

  it('comes by itself behind a space only where something must stand', () => {
    const offered = (fixture: string): number => {
      const { analysis, cursor } = opened(fixture);
      return completion(analysis, cursor, { snippets: true, trigger: ' ' }).items.length;
    };
    for (const fixture of [
      inRun('read <|>'),
      inRun('read 0 expect <|>'),
      inRun('host <|>'),
      'vm a { slot 0 { gpa <|> } }',
      'vm a { mmu <|> }',
    ])
      assert.ok(offered(fixture) > 0, fixture);
    for (const fixture of [inRun('read 0x40_0000 <|>'), inRun('read 0 expect ok <|>'), inRun('<|>'), 'vm <|>', 'vm a { <|> }'])
      assert.equal(offered(fixture), 0, fixture);
  });

  it('says nothing in comments and strings', () => {
    check('// <|>', { only: [] });
    check('/* <|> */', { only: [] });
    check('import "a<|>', { only: [] });
  });

  it('replaces the word at the cursor', () => {
    const [item] = items('hos<|>');
    assert.deepEqual(item.textEdit && 'range' in item.textEdit && item.textEdit.range, {
      start: { line: 0, character: 0 },
      end: { line: 0, character: 3 },
    });
  });

  it('has snippets only for editors that fill them in', () => {
    const snippets = (all: CompletionItem[]): string[] => all.filter((each) => each.insertTextFormat === 2).map(({ label }) => label);
    assert.deepEqual(snippets(items('<|>')), []);
    assert.ok(snippets(items('<|>', true)).includes('scenario'));
    const written = items('host { <|> }', true).map(({ textEdit }) => textEdit?.newText);
    assert.ok(written.includes('maxphyaddr ${1:46}'), written.join(', '));
    assert.ok(written.includes('memory '), 'what it is when nothing is said depends on the slots');
  });

  it('explains an item when it is looked at', () => {
    const { analysis, cursor } = opened('// The size of a page.\nconst page = 4K\nvm a { slot 0 { size <|> } }');
    const page = completion(analysis, cursor, { snippets: false }).items.find(({ label }) => label === 'page')!;
    assert.match(JSON.stringify(resolveCompletion(page, analysis).documentation), /The size of a page\\\\\./);
    const about = (setting: string): string => {
      const item = items('host { <|> }').find(({ label }) => label === setting)!;
      return JSON.stringify(resolveCompletion(item, null).documentation);
    };
    assert.match(about('maxphyaddr'), /default `46`/);
    assert.match(about('memory'), /default `what the slots need, and 1G at least`/);
  });

  it('never throws and starts before the cursor, wherever it is', () => {
    const piece = fc.constantFrom(
      'vm a {',
      '}',
      '\n',
      'read ',
      '0x10',
      '.',
      '(',
      '[',
      ']',
      'expect ',
      'under ',
      '"s',
      '/* ',
      '{',
      ':',
      'host ',
      '#PF(',
      '4-',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const end = opened(`${text}<|>`);
        for (const { textEdit } of completion(end.analysis, end.cursor, { snippets: true }).items) {
          const { start } = (textEdit as TextEdit).range;
          assert.ok(end.analysis.offsetAt(start) <= text.length);
        }
      }),
    );
  });
});
