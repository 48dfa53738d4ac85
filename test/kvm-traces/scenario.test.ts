import assert from 'node:assert/strict';
import { readScenario } from '../../scripts/kvm-traces/scenario';

/** The smallest scenario that is of the form, with what a test wants in it. */
export function scenarioJson(parts: object = {}): string {
  return JSON.stringify({
    schema: 1,
    name: 'tiny',
    cpu: { maxphyaddr: 40, cr0: '0x80010033', cr3: '0x100000', cr4: '0xa0', efer: '0xd00' },
    slots: [{ id: 0, gpa: '0x0', size: '0x400000', flags: 0, backing: 'anon4k' }],
    page_table_words: { '0x100ff8': '0x101023', '0x101ff0': '0x102023', '0x102000': '0x103023' },
    linear_map: { va: '0xffffffff80000000', gpa: '0x0', size: '0x200000', page_size: '0x1000', entry_flags: '0x63' },
    watch: {},
    nested: null,
    own: { warmup: [['X', '0xffffffff80010000', 0]], before_op: [['R', '0xffffffff80040000 + 64*i', 0]] },
    ops: [],
    ...parts,
  });
}

describe('recorded scenarios', () => {
  it('are read with numbers, defaults and the linear map laid out', () => {
    const scenario = readScenario(
      scenarioJson({
        data_words: { '0x1000': '0xda7a000000001000' },
        data_bytes: { '0x1801': 'b80010' },
        watch: { 'PT[0]': '0x112000' },
        ops: [
          { i: 0, kind: 'R', va: '0x1000', cpl: 3, text: 'R 1000 cpl3', fix: { va: '0xffffffff80112000', value: '0x67', invlpg: 1 } },
          { i: 1, kind: 'W', va: '0x1000', value: '0x5', cpl: 0, ac: 1, text: 'W' },
          { i: 2, kind: 'HOST', text: 'HOST', host: [{ cmd: 'mprotect', slot: 0, offset: '0x1000', size: '0x1000', prot: 1 }] },
        ],
      }),
    );
    assert.equal(scenario.words.get(0x10_3000 + 8 * 5), 0x5063n);
    assert.equal(scenario.words.get(0x1000), 0xda7a_0000_0000_1000n);
    assert.deepEqual([...scenario.bytes[0].bytes], [0xb8, 0x00, 0x10]);
    assert.deepEqual(scenario.watch, [0x11_2000]);
    assert.deepEqual(scenario.own.beforeOp, [{ kind: 'R', base: 0xffff_ffff_8004_0000n, step: 64n, cpl: 0 }]);
    assert.deepEqual(scenario.ops[0], {
      i: 0,
      text: 'R 1000 cpl3',
      kind: 'R',
      vcpu: 0,
      size: 8,
      va: 0x1000n,
      cpl: 3,
      ac: false,
      value: null,
      fix: { va: 0xffff_ffff_8011_2000n, value: 0x67n, invlpg: true },
    });
    assert.deepEqual(scenario.ops[2], {
      i: 2,
      text: 'HOST',
      kind: 'HOST',
      vcpu: 0,
      host: [{ cmd: 'mprotect', slot: 0, offset: 0x1000, size: 0x1000, writable: false }],
    });
  });

  it('of schema 2 have the identity map in tables of both widths, a mode, several vCPUs and sizes of accesses', () => {
    const json = JSON.parse(scenarioJson({ data_words: { '0x21004': '0x7777' } })) as Record<string, unknown>;
    const scenario = readScenario(
      JSON.stringify({
        ...json,
        schema: 2,
        linear_map: undefined,
        cpu: { ...(json.cpu as object), mode: 'pae', vcpus: 2, cr3b: '0x200000' },
        identity: { size: '0x400000', entry_flags: '0x63', user_pages: ['0x15000'], user_flags: '0x67' },
        ops: [{ i: 0, kind: 'W8', va: '0x1000', cpl: 0, size: 4, vcpu: 1, value: '0x5', text: 'W8' }],
      }),
    );
    assert.deepEqual([scenario.schema, scenario.cpu.paging, scenario.cpu.vcpus, scenario.cpu.cr3b], [2, 'pae', 2, 0x20_0000n]);
    assert.deepEqual([scenario.words.get(0x2_3000 + 8 * 5), scenario.words.get(0x2_3000 + 8 * 0x15)], [0x5063n, 0x1_5067n]);
    assert.equal(scenario.words.get(0x2_1000), 0x7777_0000_0063n, 'two entries of 4 bytes in a word');
    const [op] = scenario.ops;
    assert.deepEqual([op.kind, op.vcpu], ['W8', 1]);
  });

  it('know every backing', () => {
    const backings = ['anon4k', 'anon4k-untouched', 'thp', 'hugetlb2m', 'same-as-slot 1+0x2000'];
    const slots = backings.map((backing, id) => ({ id, gpa: `0x${(id * 0x400000).toString(16)}`, size: '0x400000', flags: id, backing }));
    assert.deepEqual(
      readScenario(scenarioJson({ slots })).slots.map(({ readonly, logDirty, backing }) => [readonly, logDirty, backing]),
      [
        [false, false, { kind: 'anonymous', pageSize: 0x1000, populated: true, hugetlbfs: false }],
        [false, true, { kind: 'anonymous', pageSize: 0x1000, populated: false, hugetlbfs: false }],
        [true, false, { kind: 'anonymous', pageSize: 0x20_0000, populated: true, hugetlbfs: false }],
        [true, true, { kind: 'anonymous', pageSize: 0x20_0000, populated: true, hugetlbfs: true }],
        [false, false, { kind: 'shared', slot: 1, offset: 0x2000 }],
      ],
    );
  });

  for (const [what, parts, message] of [
    ['an operation of another kind', { ops: [{ i: 0, kind: 'FLY', text: '' }] }, /unknown kind FLY/],
    [
      'a host command of another kind',
      { ops: [{ i: 0, kind: 'HOST', text: '', host: [{ cmd: 'reboot' }] }] },
      /unknown host command reboot/,
    ],
    ['an unknown backing', { slots: [{ id: 0, gpa: 0, size: 4096, flags: 0, backing: 'paper' }] }, /unknown backing paper/],
    ['a number that is none', { ops: [{ i: 0, kind: 'R', va: 'here', text: '' }] }, /operation 0: a number is expected/],
  ] as const) {
    it(`refuse ${what}`, () => assert.throws(() => readScenario(scenarioJson(parts)), message));
  }
});
