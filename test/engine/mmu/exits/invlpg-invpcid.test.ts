import { strict as assert } from 'node:assert';
import { Journal } from '../../../../server/src/engine/journal/journal';
import { canonical } from '../../../../server/src/engine/mmu/exits/invlpg-invpcid';
import type { KvmVcpu } from '../../../../server/src/engine/mmu/vcpu/kvm-vcpu';
import { resetRegisters } from '../../../../server/src/engine/vcpu/control-registers';
import { Registers } from '../../../../server/src/engine/vcpu/registers';
import { highOf } from '../../../../server/src/engine/bits';
import { VCPU } from '../machines';

describe('addresses that invalidations take', () => {
  for (const [paging, address, takes] of [
    ['4-level', 0x0000_7fff_ffff_f000n, true],
    ['4-level', 0x0000_8000_0000_0000n, false],
    ['4-level', 0xffff_7fff_ffff_f000n, false],
    ['4-level', 0xffff_8000_0000_0000n, true],
    ['5-level', 0x00ff_ffff_ffff_f000n, true],
    ['5-level', 0x0100_0000_0000_0000n, false],
    ['5-level', 0xfeff_ffff_ffff_f000n, false],
    ['5-level', 0xff00_0000_0000_0000n, true],
    ['32-bit', 0x0000_8000_0000_0000n, true],
  ] as const) {
    it(`are canonical: ${paging} ${takes ? 'takes' : 'does not take'} ${address.toString(16)}`, () => {
      const registers = new Registers(new Journal(), 0);
      resetRegisters(registers, { ...VCPU, paging });
      assert.equal(canonical({ registers } as KvmVcpu, highOf(address)), takes);
    });
  }
});
