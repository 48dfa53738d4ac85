import { strict as assert } from 'node:assert';
import { Declared } from '../../server/src/services/completion/declared';
import { offeredValues } from '../../server/src/services/completion/values';
import { wayTo } from '../../server/src/services/completion/way';
import { opened } from '../support/scripts';

const TABLES = `  tables kernel at 0x1000 {
    0x40_0000 +2M -> 0x20_0000  rw user
    0x7fff_f000 +4K -> 0x9000  ro not user
  }
`;
const VM = `vm guest {\n  slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000 }\n  slot 2 { gpa 0x200_0000  size 2M }\n${TABLES}  vcpu { cr3 kernel }\n`;

/** Values offered at the cursor, as `0x40_0000 (about)`. */
function values(fixture: string): string[] {
  const { analysis, cursor } = opened(fixture);
  const way = wayTo(analysis.parsed.text.slice(0, cursor));
  return offeredValues(new Declared(analysis, cursor, way.path), way).map(({ text, about }) => `${text} (${about})`);
}
const inRun = (statement: string): string[] => values(`${VM}}\nrun guest under soft, ept {\n  ${statement}\n}\n`);
const inVm = (item: string): string[] => values(`${VM}  ${item}\n}\n`);

describe('completion of values', () => {
  const MAPPED = ['0x40_0000 (→ 0x20_0000 +2M · rw user · kernel)', '0x7fff_f000 (→ 0x9000 +4K · ro not user · kernel)'];
  const REACHED = ['0x20_0000 (← 0x40_0000 +2M · kernel)', '0x9000 (← 0x7fff_f000 +4K · kernel)'];
  const KNOWN = [...REACHED, '0x1000 (root of kernel)', '0 (slot 0 · 16M)', '0x200_0000 (slot 2 · 2M)'];
  const IDS = ['0 (gpa 0 · 16M)', '2 (gpa 0x200_0000 · 2M)'];

  it('linear addresses are those that are mapped, with what they map to', () => {
    for (const statement of ['read <|>', 'user write <|> = 1', 'invlpg <|>', 'kernel[<|>', 'expect kernel[<|>', 'tlb[<|>', 'shadow[<|>'])
      assert.deepEqual(inRun(statement), MAPPED, statement);
  });
  it('guest-physical addresses are what is mapped, roots and slots', () => {
    for (const statement of [
      'expect gpa <|>',
      'read 1 expect page <|>',
      'word <|>',
      'host reclaim gpa <|>',
      'expect hpa of gpa <|>',
      'expect dirty slot 0 [<|>',
    ])
      assert.deepEqual(inRun(statement), KNOWN, statement);
  });
  it('addresses of the VMM are those of slots', () => {
    assert.deepEqual(inRun('host reclaim hva <|>'), ['0x7f00_0000_0000 (slot 0 · 16M)']);
    assert.deepEqual(inRun('expect hpa <|>'), []);
  });
  it('ids of slots, where a slot is meant', () => {
    for (const statement of [
      'host delete slot <|>',
      'host move slot <|>',
      'host flags slot <|>',
      'host get dirty log slot <|>',
      'expect dirty slot <|>',
    ])
      assert.deepEqual(inRun(statement), IDS, statement);
  });
  it('slots that the script made before', () => {
    assert.deepEqual(inRun('host create slot 5 { gpa 0x300_0000  size 4K }\n  host delete slot <|>'), [...IDS, '5 (gpa 0x300_0000 · 4K)']);
    assert.deepEqual(inRun('host delete slot <|>\n  host create slot 5 { gpa 0x300_0000  size 4K }'), IDS);
  });
  it('a new slot: the next id, and space in no slot', () => {
    for (const where of [inRun, (slot: string): string[] => inVm(slot)]) {
      const create = where === inRun ? 'host create slot' : 'slot';
      assert.deepEqual(where(`${create} <|>`), ['1 (next)']);
      assert.deepEqual(where(`${create} 1 { gpa <|>`), ['0x100_0000 (free up to 0x1ff_ffff)', '0x220_0000 (free)']);
      assert.deepEqual(where(`${create} 1 { hva <|>`), ['0x7f01_0000_0000 (free)']);
    }
    assert.deepEqual(inRun('host move slot 2 to <|>'), ['0x100_0000 (free up to 0x1ff_ffff)', '0x220_0000 (free)']);
    assert.deepEqual(values('vm a { slot <|>'), ['0 (next)']);
    assert.deepEqual(values('vm a { slot 0 { gpa <|>'), ['0 (free)']);
  });
  it('free pages for tables, and free memory to map', () => {
    assert.deepEqual(inVm('tables more at <|>'), ['0x1_0000 (free · slot 0)']);
    assert.deepEqual(inVm('tables more { 0x1000 +4K -> <|>'), ['0x40_0000 (free · slot 0)']);
    assert.deepEqual(inVm('tables more {\n    <|>'), ['0x40_0000 (first address)']);
    assert.deepEqual(inVm('tables more {\n    0x1000 +8K -> 0x5000\n    <|>\n  }'), ['0x3000 (after 0x1000 +8K)']);
  });
  it('sizes, steps, levels', () => {
    assert.deepEqual(inVm('tables more { 0x1000 +<|>').slice(0, 2), ['4K (a page)', '2M (a large page)']);
    assert.deepEqual(inRun('read 1 x 2 step <|>').slice(0, 1), ['4K (a page)']);
    assert.deepEqual(inRun('read 1 size <|>'), ['8 (bytes, default)', '4 (bytes)', '2 (bytes)', '1 (byte)']);
    assert.deepEqual(inRun('kernel[0x40_0000 level <|>').length, 4);
    assert.deepEqual(inVm('tables small 32-bit { entry 0 level <|>').length, 2);
  });
  it('defaults of settings', () => {
    assert.deepEqual(values('host { maxphyaddr <|>').slice(0, 1), ['46 (default)']);
    assert.deepEqual(values('host { tlb { l1 <|>'), ['16 x 4 (default)']);
    assert.deepEqual(values('host { kvm { cached_roots <|>'), ['3 (default)']);
  });
  it('of the VM that performs', () => {
    const nested = (statement: string): string[] =>
      values(`vm l1 {\n  slot 0 { gpa 0 size 16M }\n  tables host1 at 0x1000 { 0 +16M -> 0 rw }
  tables ept12 ept at 0x2_0000 { 0x8000 +16K -> 0x40_8000 }\n  vcpu { cr3 host1 }
  vm l2 {\n    slot 0 { gpa 0 size 4M hva 0x40_0000 }\n    tables process at 0x1000 { 0x40_0000 +32K -> 0x8000 rw user }\n    vcpu { cr3 process }\n  }
}\nrun l1 {\n  ${statement}\n}\n`);
    assert.deepEqual(nested('l2: read <|>'), ['0x40_0000 (→ 0x8000 +32K · rw user · process)']);
    assert.deepEqual(nested('read <|>'), ['0 (→ 0 +16M · rw · host1)']);
    assert.deepEqual(nested('ept12[<|>'), ['0x8000 (→ 0x40_8000 +16K · ept12)']);
  });
  it('none where nothing is known of them', () => {
    assert.deepEqual(inRun('read kernel + <|>'), []);
    assert.deepEqual(values('const page = <|>'), []);
    assert.deepEqual(values('vm guest <|>'), []);
  });
  it('of large files are as many as anybody chooses from, and soon', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `    ${index} * 4K +4K -> 0x1000 rw`).join('\n');
    assert.equal(
      values(`vm a {\n  slot 0 { gpa 0 size 16M }\n  tables t at 0x1000 {\n${many}\n  }\n  vcpu { cr3 t }\n}\nrun a {\n  read <|>\n}\n`)
        .length,
      200,
    );
  });
});
