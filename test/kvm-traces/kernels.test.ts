/** What KVM of 6.1 and of 6.12 do differently, on guests like the recorded ones (docs/kernels.md). */
import assert from 'node:assert/strict';
import type { Line } from '../../scripts/kvm-traces/lines';
import type { Mode } from '../../scripts/kvm-traces/mode';
import { linear, play, SLOTS, type GuestParts } from './guest';

const R = (va: string, more: object = {}) => ({ kind: 'R', va, ...more });
const W = (va: string, value: string) => ({ kind: 'W', va, value });
const RMW = (va: string) => ({ kind: 'RMW', va, value: '0x200' });
const INVLPG = (va: string) => ({ kind: 'INVLPG', va });
const CR3 = { kind: 'CR3', value: '0x100000' };
const HOST = (...host: object[]) => ({ kind: 'HOST', host });

/** Leaf table 0x11_2000 of 0x1000_0000 with entries 0 and 1. */
const WORDS = { '0x112000': '0x400067', '0x112008': '0x401067' };
const PT = linear(0x11_2000);
const PT8 = linear(0x11_2008);
const ADDRESS = '0x10000000';

function both(mode: Mode, parts: GuestParts): readonly [old: Line[], now: Line[]] {
  return [play(mode, { ...parts, kernel: '6.1' }), play(mode, { ...parts, kernel: '6.12' })];
}

const exits = (line: Line): number => (line.xl ?? []).length;

describe('6.1 and 6.12', () => {
  it('INVLPG of a changed entry: 6.1 maps the new frame at once, 6.12 at the next access', () => {
    const ops = [R(ADDRESS), W(PT, '0x402067'), INVLPG(ADDRESS), R(ADDRESS)];
    const [old, now] = both('npt0', { words: WORDS, ops });
    assert.deepEqual([old[2].map, exits(old[3])], [[['0x402', 1, 'rwxu']], 0]);
    assert.deepEqual([now[2].map, exits(now[3])], [undefined, 1]);
    assert.deepEqual([old[3].v, now[3].v], [now[3].v, old[3].v]);
  });

  it('a denied access: 6.1 maps what was never mapped, 6.12 does not', () => {
    const words = { ...WORDS, '0x112040': '0x402065' };
    const ops = [R(ADDRESS), W(PT8, '0x401067'), W('0x10008000', '0x1'), R('0x10008000')];
    const [old, now] = both('npt0', { words, ops });
    assert.deepEqual([old[2].f, now[2].f], [[[14, '0x3', '0x10008000']], [[14, '0x3', '0x10008000']]]);
    assert.deepEqual([exits(old[3]), exits(now[3])], [0, 1]);
  });

  it('MOV CR3 with an unsync table: 6.1 makes an unchanged entry anew without A and D, 6.12 leaves it', () => {
    const ops = [
      W(ADDRESS, '0x1'),
      W(PT8, '0x402067'),
      CR3,
      HOST({ cmd: 'set_flags', slot: 1, flags: 1 }),
      HOST({ cmd: 'get_dirty_log', slot: 1 }),
    ];
    const [old, now] = both('npt0', { words: WORDS, ops });
    assert.deepEqual([old[4].dirty, now[4].dirty], [[], []]);
    const logged = [ops[3], ops[4], W(PT8, '0x403067'), CR3, HOST({ cmd: 'get_dirty_log', slot: 1 })];
    const [oldLog, newLog] = both('npt0', { words: WORDS, ops: [W(ADDRESS, '0x1'), ...logged] });
    assert.deepEqual([oldLog[5].dirty, newLog[5].dirty], [['0x400000'], []], 'and so marks a page dirty that nobody wrote');
  });

  it('a write to a table in use is EMULATE, and WRITE_PROTECTED', () => {
    const [old, now] = both('npt0', { words: WORDS, ops: [R(ADDRESS), W(linear(0x11_1960), '0x0')] });
    assert.deepEqual([old[1].ret, now[1].ret], [['EMULATE'], ['WRITE_PROTECTED']]);
  });

  it('a read-modify-write of a read-only slot: two exits, and one', () => {
    const slots = [...SLOTS, { id: 2, gpa: '0xc00000', size: '0x10000', flags: 2, backing: 'anon4k' }];
    const words = { ...WORDS, '0x112010': '0xc00067' };
    for (const mode of ['npt0', 'npt1-tdp1', 'npt1-tdp0'] as const) {
      const [old, now] = both(mode, { slots, words, ops: [R('0x10002000'), RMW('0x10002000')] });
      assert.deepEqual([exits(old[1]), exits(now[1])], [2, 1], mode);
    }
  });

  it('the same instruction on the same table again: 6.1 forgets with every emulated instruction, 6.12 with the next protected write', () => {
    const rmw = RMW(linear(0x11_1400));
    const table = linear(0x11_1400);
    const ops = [
      R(ADDRESS),
      R(table),
      rmw,
      R(ADDRESS),
      INVLPG(ADDRESS),
      rmw,
      R(ADDRESS),
      rmw,
      R(ADDRESS),
      W(linear(0x11_1960), '0x0'),
      rmw,
    ];
    const [old, now] = both('npt0', { words: WORDS, ops });
    assert.deepEqual([2, 5, 7, 10].map((op) => exits(old[op])), [2, 2, 1, 2]); // prettier-ignore
    assert.deepEqual([2, 5, 7, 10].map((op) => exits(now[op])), [2, 1, 1, 2]); // prettier-ignore
  });

  it('a slot goes with its tree: depth first, and level by level', () => {
    const [old, now] = both('npt1-tdp1', { words: WORDS, ops: [R(ADDRESS), HOST({ cmd: 'delete_slot', slot: 1 })] });
    const gone = (line: Line): string[] =>
      (line.raw ?? []).filter((said) => /^tdp (400|0) l/.test(said) && !/ (8000000000000000|0) \S*5a0$/.test(said)).slice(0, 3);
    assert.deepEqual(gone(old[1]), ['tdp 0 l3 827 0', 'tdp 0 l2 827 5a0', 'tdp 400 l2 827 5a0']);
    const EMPTY = '8000000000000000';
    assert.deepEqual(gone(now[1]), [`tdp 400 l1 e67 ${EMPTY}`, `tdp 0 l2 827 ${EMPTY}`, `tdp 400 l2 827 ${EMPTY}`]);
  });

  it('a slot goes without the quirk of 6.12: what it does not map stays; 6.1 has no such quirk', () => {
    const slots = [...SLOTS, { id: 2, gpa: '0x800000', size: '0x10000', flags: 0, backing: 'anon4k' }];
    const words = { ...WORDS, '0x112010': '0x800067' };
    const ops = [R(ADDRESS), R('0x10002000'), HOST({ cmd: 'delete_slot', slot: 2 }), R(ADDRESS), R('0x10002000')];
    const quirk = { slots, words, ops, description: 'VM with KVM_X86_QUIRK_SLOT_ZAP_ALL disabled' };
    for (const mode of ['npt0', 'npt1-tdp1', 'npt1-tdp0'] as const) {
      const [old, now] = both(mode, quirk);
      assert.equal(exits(old[3]) > 0, true, mode);
      assert.equal(exits(now[3]), 0, mode);
      assert.equal(now[4].mmio?.length, 1, mode);
      assert.ok(exits(play(mode, { ...quirk, description: '', kernel: '6.12' })[3]) > 0, mode);
    }
  });

  it('a slot with guest tables goes without the quirk: their shadow pages do, after the leaves', () => {
    const slots = [...SLOTS, { id: 2, gpa: '0x800000', size: '0x10000', flags: 0, backing: 'anon4k' }];
    const words = { ...WORDS, '0x111408': '0x800027', '0x800000': '0x402067' };
    const ops = [R(ADDRESS), R('0x10200000'), HOST({ cmd: 'delete_slot', slot: 2 }), R(ADDRESS), R('0x10200000')];
    const lines = play('npt0', { slots, words, ops, kernel: '6.12', description: 'KVM_X86_QUIRK_SLOT_ZAP_ALL disabled' });
    assert.deepEqual([lines[2].zap, exits(lines[3])], [[['0x800', 1]], 0]);
    assert.deepEqual(lines[4].f, [[14, '0x0', '0x10200000']]);
  });

  it('CR3 in no slot: the guest is shut down before it is entered, or by faults that it cannot handle; nothing of it runs any more', () => {
    const ops = [R(ADDRESS), { kind: 'CR3', value: '0x900000' }, R(ADDRESS), INVLPG(ADDRESS)];
    for (const lines of both('npt0', { words: WORDS, ops })) {
      assert.deepEqual(lines[1].x, { CR3: 1 });
      assert.deepEqual(lines[1].vis, { '0x10000000': null, '0x10001000': null });
      for (const line of lines.slice(2)) assert.deepEqual(Object.keys(line), ['s', 'm', 'i', 't']);
    }
  });
});
