import { strict as assert } from 'node:assert';
import { ACCESS_READ } from '../../../../server/src/engine/journal/events';
import type { NestedCpu } from '../../../../server/src/engine/mmu/nested/nested-cpu';
import { StageBelow } from '../../../../server/src/engine/mmu/nested/stage-below';
import type { Completion } from '../../../../server/src/engine/mmu/vcpu/instruction';
import { Outcome } from '../../../../server/src/engine/vcpu/processor';
import { Walk } from '../../../../server/src/engine/x86/stage';

const DEAD: Completion = { kind: 'error', errno: 'EIO', why: 'the VM is dead' };

/** A processor of an L1 whose hypervisor cannot go on, for this reason. */
class Stopped {
  completion: Completion | null = null;
  below = { processor: {} };
  guestRuns(): void {}
  reenter(): Completion {
    return DEAD;
  }
  carried(completion: Completion): Outcome {
    this.completion = completion;
    return Outcome.carriedOut;
  }
}

describe("a nested guest's PDPTEs that its MOV CR reads", () => {
  it('fail for the reason that stops the hypervisor below', () => {
    const cpu = new Stopped();
    const stage = new StageBelow(cpu as unknown as NestedCpu);
    assert.equal(stage.translate(0x1000, 0, ACCESS_READ), Walk.below);
    assert.equal(stage.outcome, Outcome.carriedOut);
    assert.deepEqual(cpu.completion, DEAD);
  });
});
