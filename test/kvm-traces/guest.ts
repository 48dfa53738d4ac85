/** Guests like the recorded ones, made in a few words: their tables, their interpreter's own accesses, their operations. */
import { Interpreter } from '../../scripts/kvm-traces/interpreter';
import type { Line } from '../../scripts/kvm-traces/lines';
import type { Mode } from '../../scripts/kvm-traces/mode';
import type { Kernel } from '../../server/src/engine/program';
import { readScenario } from '../../scripts/kvm-traces/scenario';

/** Linear address of a guest-physical one in the guest kernel's map of its memory. */
export function linear(gpa: number): string {
  return `0x${(0xffff_ffff_8000_0000n + BigInt(gpa)).toString(16)}`;
}

/** Tables of 0x1000_0000: PDPT 0x11_0000, PD 0x11_1000 (entry at 0x11_1400), PT 0x11_2000. */
const TABLES = {
  '0x100000': '0x110027', '0x100008': '0x106027', '0x100ff8': '0x101023', '0x101ff0': '0x102023',
  '0x102000': '0x103023', '0x102008': '0x104023', '0x102010': '0x105023',
  '0x106000': '0x107027', '0x107000': '0x108027', '0x108000': '0x53065', '0x108008': '0x54067',
  '0x110000': '0x111027', '0x111400': '0x112027',
}; // prettier-ignore

const K = '0xffffffff800';
const OWN = {
  warmup: [
    ['X', `${K}10000`, 0], ['W', `${K}2fff8`, 0], ['W', `${K}510e0`, 0], ['R', `${K}40000`, 0], ['R', `${K}41000`, 0],
    ...Array.from({ length: 8 }, (_, i) => ['W', `${K}4${2 + i}000`, 0]),
    ['R', `${K}4a000`, 0], ['R', '0x7f0000000000', 0], ['R', `${K}50008`, 0], ['X', '0x8000000000', 3], ['R', `${K}52004`, 0],
    ['W', `${K}2eff8`, 0], ['R', '0x7f0000000000', 3], ['W', '0x8000001000', 3], ['R', `${K}4b000`, 0], ['W', `${K}4b000`, 0],
  ],
  before_op: [['X', `${K}10000`, 0], ['W', `${K}10ff8`, 0], ['R', `${K}40000 + 64*i`, 0]],
  before_access_R_W_X_RMW: [['W', `${K}2ff68`, 0]],
  cpl3: [['R', `${K}50018`, 0], ['X', '0x8000000000', 3], ['R', `${K}51800`, 0], ['R', `${K}52004`, 0], ['W', `${K}2eff8`, 0]],
  cpl3_X: [['W', '0x8000001ff8', 3]],
  on_guest_fault: [['R', `${K}510e0`, 0], ['R', `${K}50008`, 0], ['W', `${K}2ff68`, 0], ['W', `${K}42000 + 256*i`, 0]],
  after_op: [['X', `${K}10000`, 0], ['W', `${K}42000 + 256*i`, 0]],
}; // prettier-ignore

export interface GuestParts {
  readonly slots?: readonly object[];
  /** Further words of memory, tables among them, by address. */
  readonly words?: Record<string, string>;
  readonly cpu?: object;
  readonly kernel?: Kernel;
  readonly description?: string;
  readonly ops: readonly object[];
}

export const SLOTS = [
  { id: 0, gpa: '0x0', size: '0x400000', flags: 0, backing: 'anon4k' },
  { id: 1, gpa: '0x400000', size: '0x200000', flags: 0, backing: 'anon4k' },
];

/** Run such a guest in a mode. Operations are numbered; those without a privilege level are the kernel's. */
export function play(mode: Mode, { slots = SLOTS, words = {}, cpu = {}, kernel, description = '', ops }: GuestParts): Line[] {
  const scenario = {
    schema: 1,
    name: 'guest',
    description,
    cpu: { maxphyaddr: 40, cr0: '0x80010033', cr3: '0x100000', cr4: '0xa0', efer: '0xd00', ...cpu },
    slots,
    page_table_words: TABLES,
    linear_map: { va: linear(0), gpa: '0x0', size: '0x600000', page_size: '0x1000', entry_flags: '0x63' },
    data_words: words,
    watch: {},
    nested: null,
    own: OWN,
    ops: ops.map((op, i) => ({ i, text: `${i}`, cpl: 0, ...op })),
  };
  return [...new Interpreter(readScenario(JSON.stringify(scenario)), mode, kernel).lines()];
}
