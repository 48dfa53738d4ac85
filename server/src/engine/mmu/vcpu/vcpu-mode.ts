/**
 * What is particular to a vCPU by who its hypervisor is: the host's KVM (plain-mode.ts), a KVM that is a guest itself
 * (nested/l2-by-kvm.ts), or a hypervisor in a guest that the script plays (nested/l2-by-script.ts).
 */
import type { ControlField } from '../../program';
import type { Root } from '../contexts/roots';
import type { ExitInfo } from '../trace';
import type { Completion } from './instruction';
import type { KvmVcpu } from './kvm-vcpu';

/** Instructions of VM entry. */
export type VmEntry = 'vmlaunch' | 'vmresume' | 'vmrun';

export interface VcpuMode {
  /** Of a guest of the host (1), or of a guest's guest (2). */
  readonly level: 1 | 2;
  /** What the script does as its hypervisor; null: that is a KVM. */
  readonly script: HypervisorByScript | null;
  /** The host's vCPU by whose tables hardware runs the guest: its own one; of an L2, the one that its hypervisor runs on. */
  readonly below: KvmVcpu;
  /** The root of {@link below} by which the guest runs, or would without further ado. */
  readonly root: Root;
  /** The root that a KVM in a guest has for it (shadow12, tdp12); null: its KVM is the host's, or it has none. */
  readonly root12: Root | null;

  /** Into the guest. @returns why it cannot be */
  enter(): Completion | null;
  /** The processor is back in the hypervisor. */
  exited(reason: number, info: ExitInfo): void;
  /** What stands in hardware while the guest runs, from registers and root. */
  loadHardware(): void;
  /** A field of the control structure by which a hypervisor in a guest runs it; null: there is none of that name. */
  field(name: ControlField): bigint | null;
}

/** Instructions of a guest that exit where its hypervisor says so. */
export type Intercepted = 'invlpg' | 'mov to cr3' | 'mov from cr3';

/** A hypervisor that the script plays, as of one of its guests' vCPUs. */
export interface HypervisorByScript {
  intercepts(what: Intercepted): boolean;
  /** The exit that has just happened, which is the script's to handle. */
  exit(): Completion;
  /** VMLAUNCH, VMRESUME, VMRUN. */
  vmEntry(instruction: VmEntry): Completion;
  /** Write a field of the control structure; it counts from the next entry on. */
  writeField(name: ControlField, value: bigint): Completion;
}
