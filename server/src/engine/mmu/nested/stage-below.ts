/** A nested guest's second stage as its own MOV CR reads PDPTEs through it: exits to the hypervisor below are handled on the way. */
import { ACCESS_READ, Actor } from '../../journal/events';
import { Outcome } from '../../vcpu/processor';
import { Access } from '../../x86/permissions';
import { Walk, type Stage } from '../../x86/stage';
import { handleOutcome } from '../exits/handle-exit';
import type { Completion } from '../vcpu/instruction';
import type { NestedCpu } from './nested-cpu';

const MOST_EXITS = 64;

export class StageBelow implements Stage {
  readonly tableAccess = ACCESS_READ | Access.table;
  /** What the last failure came to for the hypervisor. */
  outcome = Outcome.ok;

  constructor(private readonly cpu: NestedCpu) {}

  translate(lo: number, hi: number, access: number): number {
    const { below } = this.cpu;
    const { processor } = below;
    this.cpu.guestRuns();
    for (let exits = 0; exits < MOST_EXITS; exits++) {
      const failed = this.cpu.reenter();
      if (failed !== null) return this.carried(failed);
      below.kvm.trace.journal.actor = Actor.processor;
      const status = processor.second.translate(lo, hi, access);
      if (status === Walk.ok) return status;
      const seen = this.cpu.seen(handleOutcome(below, processor.failedBelow(), 0, 0));
      if (seen === null) continue;
      this.outcome = seen;
      return Walk.below;
    }
    return this.carried({ kind: 'error', errno: 'ELOOP', why: 'the PDPTEs cannot be read' });
  }

  private carried(completion: Completion): Walk {
    this.outcome = this.cpu.carried(completion);
    return Walk.below;
  }

  get outLo(): number {
    return this.cpu.below.processor.second.outLo;
  }

  get outHi(): number {
    return this.cpu.below.processor.second.outHi;
  }

  get hostLo(): number {
    return this.cpu.below.processor.second.hostLo;
  }

  get hostHi(): number {
    return this.cpu.below.processor.second.hostHi;
  }

  get hostRights(): number {
    return this.cpu.below.processor.second.hostRights;
  }
}
