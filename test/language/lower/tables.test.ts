import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Program } from '../../../server/src/engine/program';
import { check, vm } from '../check';

/** Guest memory of a program's VM. */
class Memory {
  private readonly words = new Map<number, bigint>();

  constructor(program: Program) {
    for (const { gpa, words } of program.machine.vms[0].memory) words.forEach((word, index) => this.words.set(gpa + index * 8, word));
  }

  word(gpa: number): bigint {
    return this.words.get(gpa) ?? 0n;
  }

  half(gpa: number): number {
    const word = this.word(gpa - (gpa % 8));
    return Number((gpa % 8 === 0 ? word : word >> 32n) & 0xffff_ffffn);
  }

  /** Entries from the top on the way of an address, as far as it goes. Levels of 8-byte entries, 9 index bits. */
  way(root: number, address: bigint, levels = 4): bigint[] {
    const entries: bigint[] = [];
    let table = root;
    for (let level = levels; level >= 1; level--) {
      const index = Number((address >> BigInt(12 + (level - 1) * 9)) & 511n);
      const entry = this.word(table + index * 8);
      entries.push(entry);
      if ((entry & 7n) === 0n || (level > 1 && level < 4 && (entry & 0x80n) !== 0n)) break;
      table = Number(entry & 0x000f_ffff_ffff_f000n);
    }
    return entries;
  }
}

const RUN = 'run guest { invlpg 0 }';

function memory(items: string, more = ''): Memory {
  return new Memory(check(`${vm(`tables kernel ${items}\n ${more}`)}${RUN}`).programs[0]);
}

describe('tables', () => {
  it('follow the root page by page, in the order in which mappings need them', () => {
    const guest = memory('at 0x1000 { 0x40_0000 +2M -> 0x20_0000 rw user\n 0x7fff_f000 +4K -> 0x9000 rw user nx }');
    assert.deepEqual(guest.way(0x1000, 0x40_0000n), [0x2007n, 0x3007n, 0x4007n, 0x20_0007n]);
    assert.deepEqual(guest.way(0x1000, 0x5f_f000n).at(-1), 0x3f_f007n);
    assert.deepEqual(guest.way(0x1000, 0x7fff_f000n), [0x2007n, 0x5007n, 0x6007n, 0x8000_0000_0000_9007n]);
    assert.deepEqual(guest.way(0x1000, 0x60_0000n).at(-1), 0n);
  });

  it('keep off pages that mappings, words and other tables have', () => {
    const guest = memory('at 0x1000 { 0x40_0000 +4K -> 0x2000 rw }', 'word 0x3008 = 7\n tables other at 0x4000 { }\n vcpu { cr3 kernel }');
    assert.deepEqual(
      guest.way(0x1000, 0x40_0000n).map((entry) => entry & ~0xfffn),
      [0x5000n, 0x6000n, 0x7000n, 0x2000n],
    );
  });

  it('keep to their place below a direct map of memory', () => {
    const guest = memory('at 0x1000 { 0xffff_8000_0000_0000 +16M -> 0 rw }');
    assert.deepEqual(guest.way(0x1000, 0xffff_8000_0000_0000n), [0x2007n, 0x3007n, 0x4007n, 0x3n]);
  });

  it('without a place begin at the first free page', () => {
    const program = check(`${vm('tables kernel { 0 +4K -> 0x1000 rw }\n vcpu { cr3 kernel }')}${RUN}`).programs[0];
    assert.equal(program.machine.vms[0].vcpus[0].cr3, 0x2000n);
    assert.deepEqual(new Memory(program).way(0x2000, 0n), [0x3007n, 0x4007n, 0x5007n, 0x1003n]);
  });

  it('stay in the area that is given', () => {
    const guest = memory('at 0x8000 +16K { 0 +4K -> 0x1000 rw }');
    assert.deepEqual(guest.way(0x8000, 0n), [0x9007n, 0xa007n, 0xb007n, 0x1003n]);
    check(vm('tables kernel at 0x8000 +8K { ⟦0⟧ +4K -> 0x1000 rw }').replace('⟦0⟧ +4K', '⟦0 +4K⟧'), ['no-room-for-tables']);
  });

  it('lie where they are placed', () => {
    const guest = memory('at 0x1000 { table 0x40_0000 level 1 at 0x8_0000\n 0x40_0000 +4K -> 0x9000 rw }');
    assert.deepEqual(guest.way(0x1000, 0x40_0000n), [0x2007n, 0x3007n, 0x8_0007n, 0x9003n]);
  });

  it('of 5 levels, with pages of 1G and 2M', () => {
    const program = check(
      `${vm('tables big 5-level at 0x1000 { 1G +1G -> 1G rw pages 1G\n 0 +4M -> 2M ro pages 2M }\n vcpu { paging 5-level }')}${RUN}`.replaceAll(
        'size 16M',
        'size 4G',
      ),
    ).programs[0];
    const guest = new Memory(program);
    assert.deepEqual(guest.way(0x1000, 1n << 30n, 5), [0x2007n, 0x3007n, 0x4000_0083n]);
    assert.deepEqual(guest.way(0x1000, 2n << 20n, 5).at(-1), 0x40_0081n);
  });

  it('of 32 bits have 4-byte entries', () => {
    const program = check(
      `${vm('tables old 32-bit at 0x1000 { 0x40_1000 +8K -> 0x9000 rw user\n 0x80_0000 +4M -> 0x40_0000 rw pages 4M }\n vcpu { paging 32-bit cr4.pse on }')}${RUN}`,
    ).programs[0];
    const guest = new Memory(program);
    assert.equal(guest.half(0x1000 + 4), 0x2007);
    assert.deepEqual([guest.half(0x2000), guest.half(0x2004), guest.half(0x2008), guest.half(0x200c)], [0, 0x9007, 0xa007, 0]);
    assert.equal(guest.half(0x1008), 0x40_0083);
  });

  it('of PAE have a root of four entries without rights', () => {
    const program = check(`${vm('tables pae32 pae at 0x1020 { 0xc000_0000 +4K -> 0x9000 rw }\n vcpu { paging pae }')}${RUN}`).programs[0];
    const guest = new Memory(program);
    assert.equal(program.machine.vms[0].vcpus[0].cr3, 0x1020n);
    assert.equal(guest.word(0x1020 + 24), 0x2001n);
    assert.equal(guest.word(0x2000), 0x3007n);
  });

  it('of EPT have rights by letters and a memory type', () => {
    const guest = memory(
      'ept at 0x1000 { 0 +4K -> 0x9000\n 0x1000 +4K -> 0x9000 r\n 0x2000 +4K -> 0x9000 rw x\n 0x3000 +4K -> 0x9000 x memtype 0\n 0x4000 +4K -> 0x9000 rwx nx accessed dirty }',
      'vcpu { paging none }',
    );
    const leaf = (address: bigint): bigint => guest.way(0x1000, address).at(-1)! & 0xfffn;
    assert.deepEqual([0n, 0x1000n, 0x2000n, 0x3000n, 0x4000n].map(leaf), [0x37n, 0x31n, 0x37n, 0x4n, 0x333n]);
    assert.equal(guest.way(0x1000, 0n)[0], 0x2007n);
  });

  it('of NPT are for user accesses', () => {
    const guest = memory('npt at 0x1000 { 0 +4K -> 0x9000\n 0x1000 +4K -> 0x9000 ro supervisor }', 'vcpu { paging none }');
    assert.equal(guest.way(0x1000, 0n).at(-1), 0x9007n);
    assert.equal(guest.way(0x1000, 0x1000n).at(-1), 0x9001n);
  });

  it('have flags, keys, and rights above', () => {
    const guest = memory(
      'at 0x1000 { upper 0x40_0000 +2M level 2 ro user accessed\n upper 0 +1G level 3 supervisor\n 0x40_0000 +4K -> 0x9000 rw user global dirty accessed pwt pcd key 5\n 0x40_1000 +4K -> 0x9000 absent }',
    );
    assert.deepEqual(guest.way(0x1000, 0x40_0000n), [0x2007n, 0x3003n, 0x4025n, (5n << 59n) | 0x917fn]);
    assert.equal(guest.way(0x1000, 0x40_1000n).at(-1), 0x9002n);
  });

  it('have raw entries, which win over mappings', () => {
    const guest = memory('at 0x1000 { 0x40_0000 +8K -> 0x9000 rw\n entry 0x40_1000 level 1 = 0xdead_0001 }');
    assert.equal(guest.way(0x1000, 0x40_0000n).at(-1), 0x9003n);
    assert.equal(guest.way(0x1000, 0x40_1000n).at(-1), 0xdead_0001n);
  });

  it('may point to themselves', () => {
    const guest = memory('at 0x1000 { entry 0xffff_ff80_0000_0000 level 4 = kernel | 3\n 0 +4K -> 0x9000 rw }');
    assert.equal(guest.word(0x1000 + 511 * 8), 0x1003n);
  });

  it('go through raw entries', () => {
    const guest = memory('at 0x1000 { entry 0x40_0000 level 2 = 0x8_0067\n 0x40_0000 +4K -> 0x9000 rw }');
    assert.equal(guest.word(0x8_0000), 0x9003n);
    check(vm('tables kernel at 0x1000 { entry 0x40_0000 level 2 = 0\n ⟦0x40_0000 +4K⟧ -> 0x9000 rw }'), ['way-blocked']);
  });

  it('share entries', () => {
    const guest = memory(
      'at 0x1000 { 0xffff_8000_0000_0000 +2M -> 0x20_0000 rw }',
      'tables process at 0x8000 { share kernel 0xffff_8000_0000_0000 +512G level 4\n 0x40_0000 +4K -> 0x9000 rw user }\n vcpu { cr3 process }',
    );
    assert.deepEqual(guest.way(0x8000, 0xffff_8000_0000_0000n), guest.way(0x1000, 0xffff_8000_0000_0000n));
    assert.equal(guest.way(0x8000, 0x40_0000n).at(-1), 0x9007n);
    const shared = memory(
      'at 0x1000 { 0 +4M -> 0 rw }',
      'tables process at 0x8000 { share kernel 0x20_0000 +2M level 2 }\n vcpu { cr3 process }',
    );
    assert.equal(shared.way(0x8000, 0x20_1000n).at(-1), 0x20_1003n);
    assert.equal(shared.way(0x8000, 0x1000n).at(-1), 0n);
  });

  it('map what the mapping says, whatever its size (property)', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, (1n << 35n) - 3001n),
        fc.integer({ min: 1, max: 1600 }),
        fc.integer({ min: 0, max: 1600 }),
        (page, pages, to) => {
          const from = page << 12n;
          const guest = memory(`at 0x1000 { ${from} +${pages * 4096} -> ${0x10_0000 + to * 4096} rw }`.replace('0x1000', '0xe0_0000'));
          for (const index of [0, 1, pages - 1, Math.floor(pages / 2)].filter((each) => each < pages)) {
            const way = guest.way(0xe0_0000, from + BigInt(index) * 4096n);
            assert.equal(way.at(-1), BigInt(0x10_0000 + (to + index) * 4096) | 3n);
          }
          assert.equal(guest.way(0xe0_0000, from + BigInt(pages) * 4096n).at(-1), 0n);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('words', () => {
  it('are guest memory at the start', () => {
    const guest = memory(
      'at 0x1000 { }',
      'word 0x5000 = 7\n word 0x5008 = 1 size 4\n word 0x500c = 2 size 4\n for i in 0 .. 3 { word 0x6000 + 8 * i = i }',
    );
    assert.deepEqual(
      [0x5000, 0x5008, 0x6000, 0x6018].map((gpa) => guest.word(gpa)),
      [7n, 0x2_0000_0001n, 0n, 3n],
    );
  });

  for (const [text, code] of [
    ['word ⟦0x5001⟧ = 7', 'not-aligned'],
    ['word ⟦0x8000_0000⟧ = 7', 'not-in-slot'],
    ['word 0x5000 = 7 size ⟦2⟧', 'out-of-range'],
    ['word 0x5000 = ⟦0x1_0000_0000⟧ size 4', 'value-too-large'],
  ]) {
    it(text.replace(/[⟦⟧]/g, ''), () => void check(vm(`${text}\n vcpu { paging none }`), [code]));
  }
});

describe('problems of tables', () => {
  for (const [items, ...codes] of [
    ['0x40_0000 +2M -> 0x20_0000\n ⟦0x50_0000 +4K⟧ -> 0', 'mappings-overlap'],
    ['⟦0x8000_0000_0000 +4K⟧ -> 0', 'non-canonical: bits 63:47'],
    ['⟦0x7fff_ffff_f000 +8K⟧ -> 0', 'non-canonical'],
    ['⟦0x123⟧ +4K -> 0', 'not-aligned'],
    ['0 +⟦5K⟧ -> 0', 'not-aligned'],
    ['0 +4K -> ⟦0x10⟧', 'not-aligned'],
    ['⟦0x1000⟧ +2M -> 0 pages 2M', 'not-aligned: 2M'],
    ['0 +4K -> 0 pages ⟦4M⟧', 'no-such-page-size: 4K, 2M, 1G'],
    ['0 +4K -> ⟦64T⟧', 'out-of-range: 46 bits'],
    ['0 +4K -> ⟦1G⟧', 'mapped-to-no-slot'],
    ['0 +4K -> 0 rw ⟦ro⟧', 'flags-clash'],
    ['0 +4K -> 0 ⟦rwx⟧', 'flag-not-here'],
    ['0 +4K -> 0 ⟦memtype 6⟧', 'flag-not-here'],
    ['0 +4K -> 0 key ⟦16⟧', 'out-of-range'],
    ['0 +4K -> 0\n upper 0 +4K level 2 ⟦dirty⟧', 'flag-not-here'],
    ['entry 0 level ⟦5⟧ = 0', 'out-of-range'],
    ['entry 0 level 1 = ⟦0x8_0000_0000_0001⟧', 'reserved-bits'],
    ['entry 0 level 4 = ⟦0x2087⟧', 'reserved-bits'],
    ['entry 0 level 1 = 1\n ⟦entry 0 level 1 = 2⟧', 'entry-twice'],
    ['0 +4K -> 0\n ⟦upper 1G +1G level 3 ro⟧', 'no-entry-here'],
    ['table 0 level 1 at ⟦0x1000⟧\n 0 +4K -> 0', 'tables-overlap'],
    ['table 0 level 1 at ⟦2G⟧\n 0 +4K -> 0', 'table-in-no-slot'],
    ['table 0 level 1 at ⟦0x2004⟧', 'not-aligned'],
    ['table 0 level 1 at 0x5000\n table 0x1000 level 1 at ⟦0x6000⟧', 'tables-clash'],
    ['⟦share kernel 0 +4K level 1⟧', 'share-cycle'],
  ] as const) {
    it(items.replace(/[⟦⟧]/g, ''), () => void check(vm(`tables kernel at 0x1000 { ${items} }`), codes));
  }

  it('in too many tables', () => {
    const text = vm('tables kernel at 0x1000 { ⟦0 +64G⟧ -> ⟦0⟧ }').replace('size 16M', 'size 1G');
    check(text, ['tables-too-large', 'mapped-to-no-slot']);
  });

  it('in NX without EFER.NXE', () => {
    check(vm('tables kernel at 0x1000 { ⟦0 +4K -> 0 nx⟧ }\n vcpu { efer.nxe off }'), ['reserved-bits']);
  });

  it('of roots', () => {
    check(vm('tables kernel at ⟦0x1004⟧ { }\n vcpu { cr3 0 }'), ['not-aligned']);
    check(vm('tables kernel at ⟦2G⟧ { }\n vcpu { cr3 0 }'), ['table-in-no-slot']);
    check(vm('tables a at 0x1000 { }\n tables b at ⟦0x1000⟧ { }\n vcpu { cr3 a }'), ['tables-overlap']);
    check('vm guest { tables ⟦a⟧ { } }', ['no-room-for-tables: it needs a slot']);
    check(vm('tables ⟦a⟧ at b { }\n tables b at a { }\n vcpu { cr3 0 }'), ['address-cycle']);
  });

  it('of 4-byte entries', () => {
    check(
      vm('tables old 32-bit at 0x1000 { entry 0 level 1 = ⟦0x1_0000_0000⟧\n 0 +4K -> 0x3000 }\n vcpu { paging 32-bit }').replace(
        '0 +4K',
        '0x1000 +4K',
      ),
      ['entry-too-wide'],
    );
    check(vm('tables old 32-bit at 0x1000 { 0 +4K -> 0 ⟦nx⟧ }\n vcpu { paging 32-bit }'), ['flag-not-here']);
  });
});
