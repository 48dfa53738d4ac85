import { strict as assert } from 'node:assert';
import { entryFields, type EntryKind } from '../../../server/src/engine/x86/entries';

const PS = 0x80n;
/** Bits that both kinds of processors have in every entry that is used, by the lowest bit. */
const COMMON = { P: 0, 'R/W': 1, 'U/S': 2, PWT: 3, PCD: 4, A: 5 };
const LEAF = { ...COMMON, D: 6, G: 8 };
const EPT = { R: 0, W: 1, X: 2 };
const EPT_LEAF = { ...EPT, MT: [3, 5], IPAT: 6, A: 8, D: 9, SVE: 63 };

/** mmu-semantics.md §2.3, §3.2: fields by their bit, or by their first and last one. */
const TABLES: readonly (readonly [EntryKind, string, level: number, value: bigint, { readonly [name: string]: number | readonly number[] }])[] = [
  ['32-bit', 'PTE', 1, 0n, LEAF],
  ['32-bit', 'PDE of a table', 2, 0n, COMMON],
  ['32-bit', 'PDE of a 4M page', 2, PS, { ...LEAF, PS: 7 }],
  ['pae', 'PTE', 1, 0n, { ...LEAF, XD: 63 }],
  ['pae', 'PDE of a table', 2, 0n, { ...COMMON, XD: 63 }],
  ['pae', 'PDE of a 2M page', 2, PS, { ...LEAF, PS: 7, XD: 63 }],
  ['pae', 'PDPTE', 3, 0n, { P: 0, PWT: 3, PCD: 4 }],
  ['paging', 'PTE', 1, 0n, { ...LEAF, PKEY: [59, 62], XD: 63 }],
  ['paging', 'PTE, whose bit 7 is PAT', 1, PS, { ...LEAF, PKEY: [59, 62], XD: 63 }],
  ['paging', 'PDPTE of a 1G page', 3, PS, { ...LEAF, PS: 7, PKEY: [59, 62], XD: 63 }],
  ['paging', 'PML4E', 4, 0n, { ...COMMON, XD: 63 }],
  ['ept', 'PTE', 1, 0n, EPT_LEAF],
  ['ept', 'PDE of a 2M page', 2, PS, { ...EPT_LEAF, PS: 7 }],
  ['ept', 'PML4E', 4, 0n, { ...EPT, A: 8, SVE: 63 }],
]; // prettier-ignore

describe('named bits of an entry', () => {
  for (const [kind, name, level, value, expected] of TABLES) {
    it(`are those of the manuals: ${kind}, ${name}`, () => {
      const mask = (place: number | readonly number[]): bigint => {
        const [first, last] = typeof place === 'number' ? [place, place] : place;
        return ((1n << BigInt(last - first + 1)) - 1n) << BigInt(first);
      };
      const fields = entryFields(kind, level, value);
      assert.deepEqual(
        Object.fromEntries(fields.map(({ name, bits }) => [name, bits])),
        Object.fromEntries(Object.entries(expected).map(([name, place]) => [name, mask(place)])),
      );
      assert.deepEqual(
        fields.map(({ bits }) => bits),
        fields.map(({ bits }) => bits).sort((a, b) => (a < b ? -1 : 1)),
        'lowest first',
      );
    });
  }
});
