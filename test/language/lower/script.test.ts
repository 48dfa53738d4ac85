import assert from 'node:assert/strict';
import type { Act, MmuKind } from '../../../server/src/engine/program';
import { check, script, vm } from '../check';

/** Acts of a script, without what every act has. */
function acts(statements: string, codes: readonly string[] = []): Partial<Act>[] {
  return check(script(statements), codes).programs[0].acts.map((act) => {
    const { origin: _origin, ...rest } = act;
    return 'by' in rest && rest.by.vm === 0 && rest.by.vcpu === 0 ? omit(rest, 'by') : rest;
  });
}

function omit<T extends object>(value: T, key: string): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key)) as Partial<T>;
}

const ACCESS = {
  do: 'access',
  access: 'read',
  user: false,
  implicit: false,
  ac: null,
  size: 8,
  value: null,
  count: 1,
  stride: 0n,
  handler: null,
};
const TABLE = { format: '4-level', root: 0x1000 };

describe('statements become acts', () => {
  const cases: readonly [string, ...object[]][] = [
    ['user read 0x40_0000', { ...ACCESS, user: true, address: 0x40_0000n }],
    ['write 0x40_0000 = 7 size 4', { ...ACCESS, access: 'write', size: 4, value: 7n, address: 0x40_0000n }],
    ['write 0x40_0000 = -1', { ...ACCESS, access: 'write', value: 0xffff_ffff_ffff_ffffn, address: 0x40_0000n }],
    ['rmw 0x40_0000 += 1', { ...ACCESS, access: 'rmw', value: 1n, address: 0x40_0000n }],
    ['implicit read 0x40_0000 ac on', { ...ACCESS, implicit: true, ac: true, address: 0x40_0000n }],
    ['fetch 0x40_0000 x 16 step 4K', { ...ACCESS, access: 'fetch', count: 16, stride: 4096n, address: 0x40_0000n }],
    ['read 0x41_0000 x 2 step -4K', { ...ACCESS, count: 2, stride: -4096n, address: 0x41_0000n }],
    ['kernel[0x40_0000].writable = no', { do: 'edit', table: TABLE, address: 0x40_0000n, level: 0, clear: 2n, set: 0n }],
    ['kernel[0x40_0000].executable = no', { do: 'edit', table: TABLE, address: 0x40_0000n, level: 0, clear: 1n << 63n, set: 1n << 63n }],
    [
      'kernel[0x40_0000].frame = 0x9000',
      { do: 'edit', table: TABLE, address: 0x40_0000n, level: 0, clear: 0x000f_ffff_ffff_f000n, set: 0x9000n },
    ],
    ['kernel[0x40_0000].key = 5', { do: 'edit', table: TABLE, address: 0x40_0000n, level: 0, clear: 15n << 59n, set: 5n << 59n }],
    ['kernel[0x40_0000 level 2] = 0', { do: 'edit', table: TABLE, address: 0x40_0000n, level: 2, clear: 0xffff_ffff_ffff_ffffn, set: 0n }],
    ['word 0x4000 = 7', { do: 'store', gpa: 0x4000, value: 7n, size: 8 }],
    ['cr3 = kernel', { do: 'register', register: 'cr3', value: 0x1000n }],
    ['cr0.wp = off', { do: 'register', register: 'cr0', value: 0n, mask: 0x1_0000n }],
    ['eflags.ac = on', { do: 'register', register: 'eflags', value: 0x4_0000n, mask: 0x4_0000n }],
    ['invlpg 0x40_0000', { do: 'invlpg', address: 0x40_0000n }],
    ['invpcid 0x40_0000 pcid 0', { do: 'invpcid', type: 0, pcid: 0, address: 0x40_0000n }],
    ['invpcid pcid 0', { do: 'invpcid', type: 1, pcid: 0, address: 0n }],
    ['invpcid all', { do: 'invpcid', type: 2, pcid: 0, address: 0n }],
    ['invpcid non_global', { do: 'invpcid', type: 3, pcid: 0, address: 0n }],
    ['check invariants', { do: 'check-invariants' }],
    ['for i in 0 .. 1 { invlpg i * 4K }', { do: 'invlpg', address: 0n }, { do: 'invlpg', address: 4096n }],
    ['host delete slot 0', { do: 'delete-slot', vm: 0, id: 0 }],
    ['host move slot 0 to 16M', { do: 'move-slot', vm: 0, id: 0, gpa: 2 ** 24 }],
    ['host flags slot 0 log_dirty', { do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false }],
    [
      'host { flags slot 0 log_dirty\n get dirty log slot 0 }',
      { do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false },
      { do: 'get-dirty-log', vm: 0, id: 0 },
    ],
    [
      'host { flags slot 0 log_dirty\n clear dirty log slot 0 pages 64 .. 127 }',
      { do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false },
      { do: 'clear-dirty-log', vm: 0, id: 0, first: 64, pages: 64 },
    ],
    ['host reclaim gpa 0x5000 +8K', { do: 'reclaim', vm: 0, hva: 0x7f00_0000_5000, size: 8192 }],
    ['host reclaim hva 0x7f00_0000_5123', { do: 'reclaim', vm: 0, hva: 0x7f00_0000_5000, size: 4096 }],
    ['host protect gpa 0x5000 ro', { do: 'protect', vm: 0, hva: 0x7f00_0000_5000, size: 4096, writable: false }],
    ['host write gpa 0x5000 = 7', { do: 'host-write', vm: 0, gpa: 0x5000, value: 7n }],
    ['host zap all', { do: 'zap-all', vm: 0 }],
    ['host nr_mmu_pages 64', { do: 'set-nr-mmu-pages', vm: 0, pages: 64 }],
  ];
  for (const [statement, ...expected] of cases) it(statement, () => assert.deepEqual(acts(statement), expected));

  it('a handler belongs to its access, and knows the address', () => {
    const [access] = acts('write 0x40_0000 on fault { kernel[cr2].writable = yes  invlpg cr2 }') as Extract<Act, { do: 'access' }>[];
    assert.deepEqual(
      access.handler?.map((act) => [act.do, 'address' in act ? act.address : null]),
      [
        ['edit', 0x40_0000n],
        ['invlpg', 0x40_0000n],
      ],
    );
  });

  it("a vCPU's handler is that of each of its accesses", () => {
    const text = vm('tables kernel at 0x1000 { 0 +4K -> 0 }\n vcpu { cr3 kernel  on fault { kernel[cr2].present = yes } }');
    const [first] = check(`${text}run guest { read 0x3000 }`).programs[0].acts;
    assert.equal(first.do === 'access' && first.handler?.length, 1);
  });

  it('performers are the VM and the vCPU that are named', () => {
    const text = vm('vcpu 0 { paging none }\n vcpu boot { paging none cpl 3 }');
    const program = check(`${text}run guest { read 0  vcpu boot: read 0  vcpu boot: { read 0 } guest: read 0 }`).programs[0];
    assert.deepEqual(
      program.acts.map((act) => act.do === 'access' && [act.by.vcpu, act.user]),
      [
        [0, false],
        [1, true],
        [1, true],
        [0, false],
      ],
    );
  });

  it('areas of guest-physical memory are cut at slots', () => {
    const text = `vm guest { slot 0 { gpa 0 size 64K hva 0x7f00_0000_0000 }\n slot 1 { gpa 64K size 64K hva 0x7f10_0000_0000 }\n vcpu { paging none } }`;
    const program = check(`${text}\nrun guest { host reclaim gpa 0xf000 +8K }`).programs[0];
    assert.deepEqual(
      program.acts.map((act) => act.do === 'reclaim' && [act.hva, act.size]),
      [
        [0x7f00_0000_f000, 4096],
        [0x7f10_0000_0000, 4096],
      ],
    );
  });

  it('slots move while the script goes on', () => {
    const moved = 'host move slot 0 to 16M\n host reclaim gpa 16M';
    assert.deepEqual(acts(moved)[1], { do: 'reclaim', vm: 0, hva: 0x7f00_0000_0000, size: 4096 });
    check(script('host move slot 0 to 16M\n host reclaim ⟦gpa 0x5000⟧'), ['not-in-slot']);
  });
});

describe('runs', () => {
  it('are one program a kind, in the order of the text', () => {
    const names = check(script('read 0x40_0000', 'under soft, ept, npt') + 'run guest "again" { read 0x40_0000 }').programs.map(
      (program) => program.name,
    );
    assert.deepEqual(names, ['guest under soft', 'guest under ept', 'guest under npt', 'again under ept']);
  });

  it('can be under one kind alone', () => {
    const { analysis } = check(script('read 0x40_0000 expect exits 1 under soft', 'under soft, ept'));
    const lengths = (under: MmuKind) => analysis.lower({ under }).programs.map((program) => [program.name, program.acts.length]);
    assert.deepEqual(lengths('npt'), [['guest under npt', 1]]);
    assert.deepEqual(lengths('soft'), [['guest under soft', 2]]);
  });

  it('without a VM are of the only one', () => {
    const text = 'vm guest { slot 0 { gpa 0 size 1M } vcpu { paging none } }';
    check(`${text}\nrun { read 0 }`);
    check('⟦run⟧ { read 0 }', ['no-vm']);
    const several = check(`${text}\n${text.replace('guest', 'other')}\n⟦run⟧ { read 0 }`, ['which-vm: guest, other']);
    assert.deepEqual(
      several.problems[0].fixes?.map((fix) => fix.text),
      ['run guest', 'run other'],
    );
  });

  it('leave out what is for other kinds', () => {
    const programs = check(
      script('under soft { invlpg 0 }\n read 0x40_0000 expect exits 1 under soft\n expect exits 5 under ept, npt', 'under soft, ept'),
    ).programs;
    assert.deepEqual(
      programs.map((program) => program.acts.map((act) => act.do)),
      [
        ['invlpg', 'access', 'expect'],
        ['access', 'expect'],
      ],
    );
  });

  it('say what never runs', () => {
    check(script('⟦under npt⟧ { invlpg 0 }\n read 0x40_0000 expect exits 1 ⟦under soft⟧', 'under ept'), [
      'never-runs: npt',
      'never-runs: soft',
    ]);
  });

  it('without statements do nothing', () => {
    check(`${vm('vcpu { paging none }')}⟦run⟧ guest { }`, ['nothing-to-do']);
  });

  it('are not there when something is wrong', () => {
    assert.equal(check(script('read ⟦nothing⟧'), ['unknown-name']).programs.length, 0);
  });
});

describe('origins', () => {
  it('number statements and expectations in the order of the text', () => {
    const text = script(
      'user read 0x40_0000 // a comment\n      expect ok, exits 0\n  check invariants\n  expect kernel[0x40_0000] rw\n  host zap all',
    );
    const { analysis, programs } = check(text);
    assert.deepEqual(
      analysis.statements.map(({ text: said, of }) => [said, of]),
      [
        ['slot 0 { gpa 0 size 16M }', undefined],
        ['user read 0x40_0000', undefined],
        ['ok', 1],
        ['exits 0', 1],
        ['check invariants', undefined],
        ['expect kernel[0x40_0000] rw', undefined],
        ['kernel[0x40_0000] rw', 5],
        ['zap all', undefined],
      ],
    );
    const at = (needle: string): number | null => analysis.originAt(text.indexOf(needle) + 2);
    assert.deepEqual([at('user read'), at('exits 0'), at('kernel[0x40_0000] rw'), at('zap all'), at('slot 0')], [1, 1, 5, 7, null]);
    assert.equal(analysis.originBefore(text.indexOf('expect kernel')), 4);
    assert.equal(analysis.originBefore(text.indexOf('user read')), null);
    assert.equal(analysis.originBefore(text.length), null);
    const [program] = programs;
    assert.deepEqual(
      program.acts.map((act) => act.origin),
      [1, 2, 3, 4, 6, 7],
    );
  });

  it('of statements in blocks are those in the block', () => {
    const { analysis, programs } = check(`block f(a) { read a }\n${script('f(0x40_0000)\n f(0x40_1000)')}`);
    assert.deepEqual(
      programs[0].acts.map((act) => analysis.statements[act.origin].text),
      ['read a', 'read a'],
    );
  });
});

describe('problems of scripts', () => {
  const cases: readonly [string, ...string[]][] = [
    ['read 0x40_0000 size ⟦3⟧', 'out-of-range'],
    ['write 0x40_0000 = ⟦256⟧ size 1', 'value-too-large'],
    ['read 0x40_0000 x ⟦0⟧', 'out-of-range'],
    ['read 0x40_0000 step ⟦4K⟧', 'no-effect'],
    ['read ⟦0x8000_0000_0000⟧', 'non-canonical: #GP'],
    ['read ⟦0x7fff_ffff_f000⟧ x 2 step 4K', 'non-canonical: last repetition'],
    ['read ⟦-1⟧', 'out-of-range'],
    ['kernel[0x40_0000].⟦writeable⟧ = no', 'unknown-bit: writable'],
    ['kernel[⟦0x8000_0000_0000⟧].writable = no', 'non-canonical'],
    ['kernel[0x40_0000 level ⟦5⟧] = 0', 'out-of-range'],
    ['kernel[0x40_0000].writable = ⟦2⟧', 'out-of-range'],
    ['kernel[0x40_0000].frame = ⟦0x123⟧', 'not-aligned'],
    ['⟦shadow[0x40_0000]⟧.writable = no', 'not-editable'],
    ['⟦kernle⟧[0].writable = no', 'unknown-name: kernel'],
    ['word ⟦0x5001⟧ = 7', 'not-aligned'],
    ['⟦cr4.la57 = on⟧', 'register-refused: long mode'],
    ['⟦cr4.pae = off⟧', 'register-refused: long mode'],
    ['⟦efer.lme = off⟧', 'register-refused: paging is on'],
    ['⟦cr0.pe = off⟧', 'register-refused: CR0.PE'],
    ['⟦cr3 = 0x8000_0000_0000_0000⟧', 'register-refused: MAXPHYADDR'],
    ['cr3 = 0x1001\n ⟦cr4.pcide = on⟧', 'register-refused: bits 11:0'],
    ['⟦pkru = 0x1_0000_0000⟧', 'register-refused: 63:32'],
    ['⟦cr2⟧ = 0', 'not-loadable'],
    ['invpcid pcid ⟦5⟧', 'register-refused: CR4.PCIDE'],
    ['invpcid pcid ⟦4096⟧', 'out-of-range'],
    ['⟦invept all⟧', 'not-a-hypervisor'],
    ['⟦vmlaunch⟧', 'not-a-hypervisor'],
    ['vcpu ⟦7⟧: read 0x40_0000', 'unknown-name: no vCPU 7'],
    ['write 0x40_0000 x ⟦4⟧ on fault { invlpg cr2 }', 'cr2-in-repetition'],
    ['write 0x40_0000 on fault { ⟦host zap all⟧ }', 'host-in-handler'],
    ['host delete slot ⟦9⟧', 'slot-refused: EINVAL'],
    ['host create slot ⟦0⟧ { gpa 0 size 4K }', 'slot-refused: EINVAL'],
    ['host create slot 1 { gpa ⟦0⟧ size 4K }', 'slot-overlap: EEXIST'],
    ['host move slot 0 to ⟦0x123⟧', 'slot-refused: EINVAL'],
    ['host resize slot 0 to ⟦8M⟧', 'slot-refused: cannot be resized'],
    ['host flags slot 0 ⟦readonly⟧', 'slot-refused: READONLY'],
    ['host get dirty log slot ⟦0⟧', 'slot-refused: ENOENT'],
    ['host { flags slot 0 log_dirty\n clear dirty log slot 0 pages ⟦1 .. 2⟧ }', 'slot-refused: 64'],
    ['host reclaim ⟦gpa 0x8000_0000⟧', 'not-in-slot'],
    ['host reclaim gpa ⟦1T * 1M⟧', 'out-of-range'],
    ['host write gpa ⟦0x5001⟧ = 1', 'not-aligned'],
  ];
  for (const [statements, ...codes] of cases) {
    it(statements.replace(/[⟦⟧]/g, ''), () => void check(script(statements), codes));
  }

  it('are none where the script expects them', () => {
    check(script('read 0x8000_0000_0000 expect #GP\n cr4.pae = off expect #GP\n host delete slot 9 expect error EINVAL'));
  });

  it('of blocks that nothing calls are found', () => {
    check(`block ⟦f⟧(a) { read a  read ⟦0x8000_0000_0000⟧ }\n${script('read 0x40_0000')}`, ['unused-name', 'non-canonical']);
  });

  it('of such blocks are not those that depend on who calls', () => {
    check(`block ⟦f⟧() { expect ok, shadow[0] absent, tdp[0] absent, dirty slot 7 []  host delete slot 9 }\n${script('read 0x40_0000')}`, [
      'unused-name',
    ]);
  });

  it('of calls', () => {
    check(`block f(a) { read a }\n${script('⟦f(1, 2)⟧')}`, ['wrong-arguments: one argument']);
    check(`block f(a) { ⟦f(a)⟧ }\n${script('f(1)')}`, ['call-cycle']);
  });

  it('are said once, however often the statement is lowered', () => {
    check(script('for i in 0 .. 9 { read ⟦0x8000_0000_0000⟧ }', 'under soft, ept, npt'), ['non-canonical']);
  });
});
