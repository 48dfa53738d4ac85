import { strict as assert } from 'node:assert';
import { Acc } from '../../../../server/src/engine/mmu/pages/role';
import { SpteFormat, spteOptions } from '../../../../server/src/engine/mmu/pages/spte';
import { toBigInt } from '../../../../server/src/engine/bits';
import { host } from '../machines';

const { features } = host('intel');
const format = (ept: boolean, eptAd: boolean): SpteFormat =>
  new SpteFormat(spteOptions(host('intel', {}, { features: { ...features, eptAd } }), ept, false));

/** What a format has of flags, and of a 4K leaf for gfn 5 that is writable, accessed and dirty (spte.c: make_spte). */
const FORMATS = [
  ['EPT with accessed and dirty flags', format(true, true), true, 0x0600_0000_0000_5b77n],
  ['EPT without them', format(true, false), false, 0x0610_0000_0000_5877n],
  ['ordinary entries', format(false, false), true, 0x5e67n],
] as const;

describe('sptes', () => {
  for (const [name, entries, accessedDirty, leaf] of FORMATS) {
    it(`of ${name}`, () => {
      assert.equal(entries.accessedDirty, accessedDirty);
      const { lo, hi } = entries.leaf({
        access: Acc.exec | Acc.write | Acc.user,
        pfn: 5,
        level: 1,
        hostWritable: true,
        writable: true,
        dirty: true,
        accessed: true,
        tracked: false,
        adDisabled: !entries.accessedDirty,
        guestMode: false,
      });
      assert.equal(toBigInt(lo, hi).toString(16), leaf.toString(16));
      assert.deepEqual(
        [entries.pfn(lo, hi), entries.present(lo), entries.writable(lo), entries.mmuWritable(lo, hi)],
        [5, true, true, true],
      );
      assert.deepEqual([entries.accessed(lo, hi), entries.dirty(lo, hi), entries.accessTracked(lo, hi)], [true, true, false]);
      const { lo: without, hi: withoutHi } = entries.protect(lo, hi, true);
      assert.deepEqual([entries.writable(without), entries.mmuWritable(without, withoutHi)], [false, false]);
      const kept = entries.protect(lo, hi, false);
      assert.deepEqual([entries.writable(kept.lo), entries.mmuWritable(kept.lo, kept.hi)], [false, true]);
    });
  }
});
