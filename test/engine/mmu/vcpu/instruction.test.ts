/** The machine code of what a guest does, as the emulator's events show it. */
import assert from 'node:assert/strict';
import { codeOf } from '../../../../server/src/engine/mmu/vcpu/instruction';
import { eventAt, type EventOf } from '../../../../server/src/events/fields';
import type { Act, PagingMode } from '../../../../server/src/engine/program';
import { Bench, access, type Words } from '../machines';

/** SDM vol. 2: MOV (8A, 8B; 88, 89) and ADD (00, 01) between AL, AX, EAX, RAX and [RBX]; 66 and REX.W make the width. */
const BY_SIZE = {
  read: { 1: '8a 03', 2: '66 8b 03', 4: '8b 03', 8: '48 8b 03' },
  write: { 1: '88 03', 2: '66 89 03', 4: '89 03', 8: '48 89 03' },
  rmw: { 1: '00 03', 2: '66 01 03', 4: '01 03', 8: '48 01 03' },
} as const;
/** Eight bytes without REX: MOVQ MM0, [EBX], MOVQ [EBX], MM0, CMPXCHG8B [EBX]. */
const EIGHT_IN_32 = { read: '0f 6f 03', write: '0f 7f 03', rmw: '0f c7 0b' } as const;

const shown = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** Bytes that the emulator reads of an access to a device. */
function emulated(paging: PagingMode, kind: 'read' | 'write' | 'rmw', size: 1 | 2 | 4 | 8): string {
  const words: Words =
    paging === '32-bit' ? { 0x1000: 0x2007_0000_0000n, 0x2000: 0xd000_0003n } : { 0x1000: 0x2007n, 0x2000: 0x3007n, 0x3010: 0x4007n, 0x4000: 0xd000_0003n }; // prettier-ignore
  const bench = new Bench({ mmu: 'soft', words, vcpu: { paging, efer: { nxe: paging !== '32-bit' } } });
  const from = bench.journal.length;
  bench.do({ ...access(kind, 0x40_0000n, false, kind === 'read' ? null : 1n), size } as Act);
  const events = Array.from({ length: bench.journal.length - from }, (_, i) => eventAt(bench.journal, from + i));
  const { fields } = events.find((event) => event?.name === 'kvm_emulate_insn') as EventOf<'kvm_emulate_insn'>;
  return shown(Array.from({ length: fields.length }, (_, i) => Number((fields.bytes >> BigInt(8 * i)) & 0xffn)));
}

describe('the machine code of an access', () => {
  for (const kind of ['read', 'write', 'rmw'] as const) {
    it(`that is a ${kind}, by its size, is what the emulator reads`, () => {
      for (const size of [1, 2, 4, 8] as const) {
        assert.equal(emulated('4-level', kind, size), BY_SIZE[kind][size], `${size} bytes`);
        assert.equal(emulated('32-bit', kind, size), size === 8 ? EIGHT_IN_32[kind] : BY_SIZE[kind][size], `${size} bytes in 32-bit code`);
      }
    });
  }

  it('that is a fetch is not known', () => {
    for (const longMode of [true, false]) assert.deepEqual(codeOf({ kind: 'fetch', size: 8 }, longMode), []);
  });
});
