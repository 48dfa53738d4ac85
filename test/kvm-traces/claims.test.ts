/**
 * What is known of the recorded KVM beyond the scenarios that are there: guests like the recorded ones, and what KVM did.
 */
import assert from 'node:assert/strict';
import type { Line } from '../../scripts/kvm-traces/lines';
import { linear, play, SLOTS } from './guest';

const R = (va: string, more: object = {}) => ({ kind: 'R', va, ...more });
const W = (va: string, value = '0x5') => ({ kind: 'W', va, value });
const RMW = (va: string) => ({ kind: 'RMW', va, value: '0x0' });
const HOST = (...host: object[]) => ({ kind: 'HOST', host });

/** A slot of host 2M pages, and a 2M guest page over it at 0x1020_0000. */
const HUGE = { id: 2, gpa: '0x800000', size: '0x400000', flags: 0, backing: 'thp' };
const HUGE_PAGE = { '0x111408': '0x8000e7' };

function exits(lines: readonly Line[], op: number): number {
  return (lines[op].xl ?? []).length;
}

describe('what real KVM does, by the account of the recordings', () => {
  it('a store that reads first: on a leaf table as any store, on an upper table the shadow page goes and the store is retried', () => {
    const words = { '0x112000': '0x400067' };
    const lines = play('npt0', {
      words,
      ops: [R('0x10000000'), RMW(linear(0x11_2010)), RMW(linear(0x11_2018)), RMW(linear(0x11_1408)), R('0x10000000')],
    });
    assert.deepEqual([exits(lines, 1), lines[1].unsync, exits(lines, 2)], [1, ['0x112'], 0]);
    assert.equal(exits(lines, 3), 2);
    assert.deepEqual(
      [lines[3].zap, lines[3].untrack, lines[3].ptew],
      [
        [
          ['0x111', 2],
          ['0x112', 1],
        ],
        ['0x111'],
        undefined,
      ],
    );
    assert.deepEqual(lines[4].new, [
      ['0x111', 2, 'wux'],
      ['0x112', 1, 'wux'],
    ]);
  });

  it('a 1G guest page over 4K host pages: two levels of direct pages', () => {
    const slots = [...SLOTS, { id: 2, gpa: '0x40000000', size: '0x200000', flags: 0, backing: 'anon4k' }];
    const [line] = play('npt0', { slots, words: { '0x110008': '0x400000e7' }, ops: [R('0x40000000')] });
    assert.deepEqual(line.new, [
      ['0x110', 3, 'wux'],
      ['0x40000', 2, 'wux', 'direct'],
      ['0x40000', 1, 'wux', 'direct'],
    ]);
    assert.equal(line.map?.length, 8);
  });

  it('a self-map: one guest table has shadow pages of several levels, and a store through it is a store to a table', () => {
    const words = { '0x100010': '0x100027', '0x112000': '0x400067' };
    const lines = play('npt0', {
      words,
      ops: [R('0x10000000'), R('0x10000080000'), W('0x10000080008', '0x401067'), R('0x10001000'), W('0x10080000400', '0x0')],
    });
    assert.deepEqual(lines[1].new, [
      ['0x100', 3, 'wux'],
      ['0x110', 2, 'wux'],
      ['0x111', 1, 'wux'],
    ]);
    assert.deepEqual([lines[2].unsync, lines[2].ptew], [['0x112'], undefined]);
    assert.equal(lines[3].map?.[0][0], '0x401');
    assert.deepEqual(lines[4].ptew, [['0x111400', '0x0']]);
  });

  it('dirty logging over a 2M page, shadow paging: W goes, a write splits, and the page comes back when logging ends', () => {
    const ops = [
      W('0x10200000'),
      HOST({ cmd: 'set_flags', slot: 2, flags: 1 }),
      W('0x10201000'),
      HOST({ cmd: 'get_dirty_log', slot: 2 }),
      HOST({ cmd: 'set_flags', slot: 2, flags: 0 }),
      W('0x10201000'),
    ];
    const lines = play('npt0', { slots: [...SLOTS, HUGE], words: HUGE_PAGE, ops });
    assert.deepEqual(lines[1].vis, { '0x10200000': ['0x800000', 0, 1, 1, 2] });
    assert.deepEqual([lines[2].new, lines[2].map], [[['0x800', 1, 'wux', 'direct']], [['0x801', 1, 'rwxu']]]);
    assert.deepEqual(lines[3].dirty, ['0x801000']);
    assert.deepEqual(lines[4].vis, { '0x10201000': null });
    assert.deepEqual(lines[5].map, [['0x800', 2, 'rwxu']]);
  });

  it('dirty logging over a 2M page, TDP MMU: all of it is split when logging is turned on', () => {
    const lines = play('npt1-tdp1', {
      slots: [...SLOTS, HUGE],
      words: HUGE_PAGE,
      ops: [W('0x10200000'), HOST({ cmd: 'set_flags', slot: 2, flags: 1 })],
    });
    assert.deepEqual(lines[1].new, [['0x800', 1, 'wux', 'direct']]);
    assert.equal(Object.values(lines[1].vis ?? {}).filter((leaf) => leaf !== null && leaf[1] === 0 && leaf[4] === 1).length, 512);
  });

  it('guest tables inside a 2M page: no 2M spte, tables are protected one by one', () => {
    const words = { ...HUGE_PAGE, '0x111410': '0x810067', '0x810000': '0x400067' };
    const lines = play('npt0', {
      slots: [...SLOTS, HUGE],
      words,
      ops: [R('0x10400000'), R('0x10200000'), W('0x10210000', '0x401067'), W('0x10212000')],
    });
    assert.deepEqual(lines[1].new, [['0x800', 1, 'wux', 'direct']]);
    assert.deepEqual(lines[2].unsync, ['0x810']);
    assert.equal(exits(lines, 3), 0);
  });

  it('a page that is a 2M spte becomes a table: the spte loses W, the next write splits it', () => {
    const words = { ...HUGE_PAGE, '0x111410': '0x810067', '0x810000': '0x400067' };
    const lines = play('npt0', { slots: [...SLOTS, HUGE], words, ops: [W('0x10200000'), R('0x10400000'), W('0x10212000')] });
    assert.deepEqual(lines[1].vis?.['0x10200000'], ['0x800000', 0, 1, 1, 2]);
    assert.deepEqual(lines[2].vis?.['0x10210000'], ['0x810000', 0, 1, 1, 1]);
    assert.deepEqual(lines[2].vis?.['0x10212000'], ['0x812000', 1, 1, 1, 1]);
  });

  it('MMIO: a store that reads first is one exit and two MMIO exits; D is set at a first write; a denied access is a #PF', () => {
    const words = { '0x112000': '0xfe000023' };
    const lines = play('npt0', { words, ops: [RMW('0x10000000'), RMW('0x10000000'), R('0x10000000', { cpl: 3 })] });
    for (const op of [0, 1]) assert.deepEqual([exits(lines, op), lines[op].mmio?.map(([, write]) => write)], [1, [0, 1]]);
    assert.deepEqual(lines[0].D, ['0x112000']);
    assert.deepEqual([lines[2].mmio, lines[2].f], [undefined, [[14, '0x5', '0x10000000']]]);
  });

  it('guest tables in a read-only slot: they work under shadow paging, under nested paging they do where the offsets differ', () => {
    const slots = [...SLOTS, { id: 2, gpa: '0x700000', size: '0x10000', flags: 2, backing: 'anon4k' }];
    const words = { '0x111408': '0x700067', '0x700000': '0x400067', '0x400000': '0x11', '0x400010': '0x22' };
    const ops = [R('0x10200000'), R('0x10200010'), W('0x10200000', '0x9')];
    const soft = play('npt0', { slots, words, ops });
    assert.deepEqual([soft[0].v, soft[1].v, soft[2].mmio], ['0x11', '0x22', undefined]);
    const hard = play('npt1-tdp1', { slots, words, ops });
    assert.deepEqual([hard[0].v, hard[1].v], ['0x400067', '0x22']);
    assert.deepEqual(hard[2].mmio, [['0x700000', 1, '0x9']]);
  });

  it('memory that is not there yet: a read maps the zero page, the write takes two exits, a first write one', () => {
    const slots = [SLOTS[0], { ...SLOTS[1], backing: 'anon4k-untouched' }];
    const words = { '0x112000': '0x400067', '0x112008': '0x401067' };
    for (const mode of ['npt0', 'ept0'] as const) {
      const lines = play(mode, { slots, words, ops: [R('0x10000000'), W('0x10000000'), W('0x10001000')] });
      assert.deepEqual(lines[0].map, [['0x400', 1, 'r-xu']]);
      assert.deepEqual([lines[1].ret, lines[2].ret], [['RETRY', 'FIXED'], ['FIXED']]);
    }
  });

  it('a moved slot takes its memory along, all shadow pages are zapped, its old place is a device', () => {
    const slots = [...SLOTS, { id: 2, gpa: '0x800000', size: '0x10000', flags: 0, backing: 'anon4k' }];
    const words = { '0x112000': '0x800067', '0x112008': '0x900067', '0x800000': '0x1234' };
    for (const mode of ['npt0', 'npt1-tdp1', 'npt1-tdp0', 'ept0', 'ept1-tdp1'] as const) {
      const lines = play(mode, {
        slots,
        words,
        ops: [R('0x10000000'), HOST({ cmd: 'move_slot', slot: 2, gpa: '0x900000' }), R('0x10000000'), R('0x10001000')],
      });
      assert.deepEqual([lines[0].v, lines[2].mmio, lines[3].v], ['0x1234', [['0x800000', 0, '0x4d4d494f00000001']], '0x1234']);
      if (mode === 'npt0') assert.deepEqual(lines[1].zap?.map(([gfn]) => gfn).slice(0, 4), ['0x100', '0x110', '0x111', '0x112']);
    }
  });

  it('SMAP: the root is freed and found again, the processor checks, EFLAGS.AC lifts it', () => {
    const words = { '0x112000': '0x400067' };
    const ops = [
      R('0x10000000'),
      { kind: 'CR4', value: '0x2000a0' },
      R('0x10000000'),
      R('0x10000000', { ac: 1 }),
      R('0x10000000', { cpl: 3 }),
    ];
    for (const mode of ['npt0', 'npt1-tdp1', 'ept0', 'ept1-tdp1'] as const) {
      const lines = play(mode, { words, ops });
      assert.deepEqual(
        lines.slice(2).map(({ v }) => v),
        ['0xdead', '0x0', '0x0'],
      );
      assert.deepEqual(lines[2].f, [[14, '0x1', '0x10000000']]);
      if (mode === 'npt0') assert.deepEqual(lines[1].found, [['0x100', 4, 'wux']]);
    }
  });

  it('CR4.PGE: the unsync tables are synced, global entries too', () => {
    const words = { '0x112000': '0x400167' };
    const lines = play('npt0', {
      words,
      ops: [R('0x10000000'), W(linear(0x11_2000), '0x402167'), R('0x10000000'), { kind: 'CR4', value: '0x20' }],
    });
    assert.equal(exits(lines, 2), 0);
    assert.deepEqual([lines[3].sync, lines[3].vis], [['0x112'], { '0x10000000': null }]);
  });

  it('a huge host page that is divided is mapped in pieces', () => {
    const ops = [
      R('0x10200000'),
      HOST({ cmd: 'madvise_dontneed', slot: 2, offset: '0x1000', size: '0x1000' }),
      R('0x10200000'),
      R('0x10201000'),
    ];
    const lines = play('npt1-tdp1', { slots: [...SLOTS, HUGE], words: { ...HUGE_PAGE, '0x800008': '0x77' }, ops });
    assert.deepEqual(lines[0].map?.at(-1), ['0x800', 2, 'rwxu']);
    assert.deepEqual(lines[1].vis, { '0x800000': null });
    assert.deepEqual([lines[2].map, lines[3].map], [[['0x800', 1, 'rwxu']], [['0x801', 1, 'r-xu']]]);
  });

  it('aliases: what is written through one slot is read through the other', () => {
    const slots = [...SLOTS, { id: 2, gpa: '0x800000', size: '0x10000', flags: 0, backing: 'same-as-slot 1+0x0' }];
    const words = { '0x112000': '0x400067', '0x112008': '0x800067' };
    for (const mode of ['npt0', 'npt1-tdp1', 'ept1-tdp1'] as const) {
      assert.equal(play(mode, { slots, words, ops: [W('0x10000000', '0x7'), R('0x10001000')] })[1].v, '0x7');
    }
  });
});
