/**
 * What happened on a machine's vCPUs since it was last asked. All vCPUs tell one of these, so that an act costs nothing of vCPUs that it
 * does not concern.
 */
import type { KvmVcpu } from './kvm-vcpu';

export class Activity {
  /** Exits to the host by KVM's name. */
  private exits = new Map<string, number>();
  /** vCPUs that were running when something was asked of them, and have not gone on yet. */
  private readonly interrupted = new Set<KvmVcpu>();

  exited(name: string): void {
    this.exits.set(name, (this.exits.get(name) ?? 0) + 1);
  }

  takeExits(): ReadonlyMap<string, number> | null {
    const { exits } = this;
    if (exits.size === 0) return null;
    this.exits = new Map<string, number>();
    return exits;
  }

  interrupt(vcpu: KvmVcpu): void {
    this.interrupted.add(vcpu);
  }

  entered(vcpu: KvmVcpu): void {
    if (this.interrupted.size > 0) this.interrupted.delete(vcpu);
  }

  /** Those of the host that were interrupted, in the order of their numbers. */
  get waiting(): readonly KvmVcpu[] {
    if (this.interrupted.size === 0) return NOBODY;
    return [...this.interrupted].filter(({ mode }) => mode.level === 1).sort((a, b) => a.parts.number - b.parts.number);
  }
}

const NOBODY: readonly KvmVcpu[] = [];
