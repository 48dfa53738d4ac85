import { strict as assert } from 'node:assert';
import type { MmuKind } from '../../../../server/src/engine/program';
import { Bench, BY, exitsOf } from '../machines';

describe('instructions that exit', () => {
  for (const mmu of ['soft', 'ept', 'npt'] as const satisfies readonly MmuKind[]) {
    it(`are one exit, after which the guest goes on: ${mmu}`, () => {
      const done = new Bench({ mmu }).do({ do: 'instruction', by: BY, instruction: 'cpuid', origin: 0 });
      assert.deepEqual([done.result.kind, exitsOf(done)], ['done', 1]);
    });
  }

  it('are not executed by a guest that cannot be entered', () => {
    // A soft MMU has no root where no memory is.
    const bench = new Bench({ mmu: 'soft', vcpu: { cr3: 0xd000_0000n } });
    for (const instruction of ['cpuid', 'vmcall', 'rdmsr'] as const) {
      const done = bench.do({ do: 'instruction', by: BY, instruction, origin: 0 });
      assert.ok(done.result.kind === 'shutdown' || done.result.kind === 'error', done.result.kind);
      assert.equal(exitsOf(done), 0);
    }
  });
});
