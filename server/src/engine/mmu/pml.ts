/** Draining the PML buffer into the dirty logs (§6.5; vmx.c: vmx_flush_pml_buffer). */
import { PML_ENTRIES } from '../vcpu/pml-log';
import { Register } from '../vcpu/registers';
import type { Kvm } from './kvm';
import type { KvmVcpu } from './kvm-vcpu';

/** On each exit: every page that the processor logged is marked dirty, and the buffer is empty again. */
export function drainPml(kvm: Kvm, vcpu: KvmVcpu): void {
  const { registers } = vcpu;
  const buffer = registers.lo(Register.pmlAddress) >>> 0;
  const index = registers.lo(Register.pmlIndex);
  if (buffer === 0 || index === PML_ENTRIES - 1) return;
  const first = index >= PML_ENTRIES ? 0 : index + 1;
  for (let i = first; i < PML_ENTRIES; i++) {
    const at = buffer + i * 8;
    kvm.guest.markDirty(Math.floor(((vcpu.parts.physical.high(at) >>> 0) * 0x1_0000_0000 + (vcpu.parts.physical.low(at) >>> 0)) / 4096));
  }
  registers.set(Register.pmlIndex, PML_ENTRIES - 1, 0);
}

/** The buffer of a vCPU, made when it is first needed. @returns false: no frame is left */
export function ensurePmlBuffer(kvm: Kvm, vcpu: KvmVcpu): boolean {
  const { registers } = vcpu;
  if (registers.lo(Register.pmlAddress) !== 0) return true;
  const frame = kvm.frames.allocate(1, 1, 0);
  if (frame < 0) return false;
  registers.set(Register.pmlAddress, (frame << 12) | 0, Math.floor(frame / 0x10_0000));
  registers.set(Register.pmlIndex, PML_ENTRIES - 1, 0);
  return true;
}
