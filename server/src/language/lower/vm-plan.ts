/** A VM with everything in it that does not depend on how it is run. */
import type { Cpuid, MemoryImage, MmuKind, VcpuConfig } from '../../engine/program';
import type { Tables, Vcpu, Vm } from '../syntax/tree';
import type { Named } from '../semantics/scopes';
import type { Env } from '../semantics/values';
import type { ControlPlan } from './nested-control';
import type { Surroundings } from './nested-memory';
import type { SlotPlan } from './slots';
import type { Shape } from './tables/format';

export interface VcpuPlan {
  /** Null: the one vCPU of a VM that declares none. */
  readonly node: Vcpu | null;
  readonly config: VcpuConfig;
}

export interface TablesPlan {
  readonly named: Named;
  readonly node: Tables;
  readonly shape: Shape;
  /** Null when it has no place, which has been reported. */
  readonly root: number | null;
}

export interface VmPlan {
  readonly node: Vm;
  readonly named: Named;
  readonly env: Env;
  readonly parent: VmPlan | null;
  readonly children: readonly VmPlan[];
  readonly mmu: MmuKind;
  readonly hypervisor: 'kvm' | 'script';
  readonly cpuid: Cpuid;
  readonly slots: readonly SlotPlan[];
  /** Of a VM inside a VM. */
  readonly control: ControlPlan | null;
  readonly vcpus: readonly VcpuPlan[];
  readonly tables: ReadonlyMap<Named, TablesPlan>;
  readonly memory: readonly MemoryImage[];
  /** As the place where the memory of its guests lies. */
  readonly surroundings: Surroundings;
}
