import assert from 'node:assert/strict';
import { compareLines, emptyComparison } from '../../scripts/kvm-traces/compare';
import { OWN } from '../../scripts/kvm-traces/cleaning';
import { readDigest } from '../../scripts/kvm-traces/digest';
import type { Line } from '../../scripts/kvm-traces/lines';

const DIGEST = `##### x01_some  [npt0]  what it is about
 0 R 10000000 cpl0                          exits=1 val=0x1
        EXIT PF excp err=0 addr=10000000
        set_spte l1 gfn=400 rwxu spte=53e3e67
      ~ set_spte l1 gfn=11 rwx- spte=3a06e63
        pf_ret FIXED
 1 HOST del 1                               exits=0
##### x01_some  [npt1-tdp1]  what it is about
 0 R 10000000 cpl0                          exits=1 val=0x1
        tdp_spte l2 gfn=400 8000000000000000->7d4d827
        mark_mmio_spte gfn=fe000 access=7 gen=4
`;

describe('sptes of a digest', () => {
  it('are listed by mode and operation, without frames, own ones and generations', () => {
    const modes = readDigest(DIGEST);
    assert.deepEqual([...modes.keys()], ['npt0', 'npt1-tdp1']);
    assert.deepEqual([...modes.get('npt0')!], [[0, { raw: ['set 400 l1 e67'], flush: [] }], [1, { raw: [], flush: [] }]]); // prettier-ignore
    assert.deepEqual(modes.get('npt1-tdp1')!.get(0)!.raw, ['tdp 400 l2 8000000000000000 827', 'mmio fe000 access 7']);
  });

  it('are compared where there are some, without own tables and what a table that goes loses of nothing', () => {
    const line = (...raw: string[]): Line => ({ s: 'x', m: 'npt1-tdp1', i: 0, t: '', raw });
    const compared = (recorded: Line, actual: Line) => {
      const comparison = emptyComparison();
      compareLines([recorded], [actual], { mode: 'npt1-tdp1', own: OWN[1], vmx: false, order: true }, comparison);
      return { ...comparison.tiers.R };
    };
    const leaf = 'tdp 400 l1 0 e67';
    assert.deepEqual(compared(line(leaf), line(leaf, 'tdp 0 l4 0 827', 'tdp 401 l1 0 5a0', 'set 11 l1 e63')), { matched: 1, compared: 1 });
    assert.deepEqual(compared(line(leaf), line('tdp 400 l1 0 e65')), { matched: 0, compared: 1 });
    assert.deepEqual(compared({ ...line(), raw: undefined }, line(leaf)), { matched: 0, compared: 0 });
  });
});
