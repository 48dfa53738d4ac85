import assert from 'node:assert/strict';
import type { NaiveAccess, NaiveState, Paging } from '../x86/naive-machine';
import { NO_TLB, Subject } from '../x86/subject';
import { EPT_RWX, EPT_WB, Tables, identityEpt, type Words } from './tables';

const STATE: NaiveState = {
  paging: '4-level',
  cr3: 0x1000n,
  wp: true,
  nxe: true,
  smep: false,
  smap: false,
  pse: true,
  pke: false,
  pks: false,
  pkru: 0,
  pkrs: 0,
  maxPhyAddr: 46,
  page1G: true,
  amd: false,
  second: null,
};
const READ: NaiveAccess = { linear: 0x40_0000n, kind: 'read', user: true, implicit: false, ac: false };
const GIB = 0x4000_0000n;

/** Memory references of a read, in tables of these levels and pages. */
function references(paging: Paging, page: number, second: { levels: number; page: number } | null): number {
  const words: Words = new Map();
  const offset = second === null ? 0n : second.page === 3 ? GIB : second.page === 2 ? 0x20_0000n : 0x100_0000n;
  const place = (address: bigint): bigint => address + offset;
  const ept = second === null ? null : identityEpt(words, offset, { ...second, level: second.page, flags: EPT_RWX | EPT_WB });
  const levels = paging === '5-level' ? 5 : 4;
  if (paging === 'pae') {
    words.set(place(0x1000n), 0x2001n);
    words.set(place(0x2010n), 0x3007n);
    words.set(place(0x3000n), 0x5007n);
  } else if (paging === '32-bit') {
    words.set(place(0x1000n), 0x3007n << 32n);
    words.set(place(0x3000n), 0x5007n);
  } else if (paging !== 'none')
    new Tables(words, 0x1000n, 0x2000n, place).map(READ.linear, page === 1 ? 0x8000n : 0n, { levels, level: page });
  const state: NaiveState = {
    ...STATE,
    paging,
    second: ept === null || second === null ? null : { type: 'ept', root: ept.root, levels: second.levels, ad: true, executeOnly: true },
  };
  const subject = new Subject(state, words, NO_TLB, true);
  const linear = paging === 'none' ? 0x5000n : READ.linear;
  const before = subject.processor.references;
  assert.equal(subject.access({ ...READ, linear }).outcome, 'ok');
  return subject.processor.references - before;
}

describe('memory references of a walk (mmu-semantics.md §3.9)', () => {
  const cases: [string, Paging, number, { levels: number; page: number } | null, number][] = [
    ['4-level', '4-level', 1, null, 4],
    ['5-level', '5-level', 1, null, 5],
    ['PAE', 'pae', 1, null, 2],
    ['32-bit', '32-bit', 1, null, 2],
    ['2M page', '4-level', 2, null, 3],
    ['1G page', '4-level', 3, null, 2],
    ['4-level on 4-level', '4-level', 1, { levels: 4, page: 1 }, 24],
    ['5-level on 5-level', '5-level', 1, { levels: 5, page: 1 }, 35],
    ['5-level on 4-level', '5-level', 1, { levels: 4, page: 1 }, 29],
    ['4-level on 5-level', '4-level', 1, { levels: 5, page: 1 }, 29],
    ['4-level on 2M pages', '4-level', 1, { levels: 4, page: 2 }, 19],
    ['2M page on 4-level', '4-level', 2, { levels: 4, page: 1 }, 19],
    ['2M page on 2M pages', '4-level', 2, { levels: 4, page: 2 }, 15],
    ['PAE on 4-level', 'pae', 1, { levels: 4, page: 1 }, 14],
    ['32-bit on 4-level', '32-bit', 1, { levels: 4, page: 1 }, 14],
    ['no paging on 4-level', 'none', 1, { levels: 4, page: 1 }, 4],
    ['2M page on 1G pages', '4-level', 2, { levels: 4, page: 3 }, 11],
    ['1G page on 1G pages', '4-level', 3, { levels: 4, page: 3 }, 8],
    ['no paging', 'none', 1, null, 0],
  ];
  for (const [name, paging, page, second, count] of cases)
    it(`${name}: ${count}`, () => assert.equal(references(paging, page, second), count));
});
