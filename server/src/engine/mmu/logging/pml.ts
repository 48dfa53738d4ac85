/** Draining the PML buffer into the dirty logs (§6.5; vmx.c: vmx_flush_pml_buffer). */
import { join } from '../../bits';
import { PML_ENTRIES } from '../../vcpu/pml-log';
import { Register, type Registers } from '../../vcpu/registers';
import type { Kvm } from '../pages/kvm';

/** Whose buffer it is. */
interface Logging {
  readonly index: number;
  readonly registers: Registers;
}

/** On each exit: every page that the processor logged is marked dirty, and the buffer is empty again. */
export function drainPml(kvm: Kvm, vcpu: Logging): void {
  const pages = loggedPages(kvm, vcpu);
  if (pages.length === 0) return;
  kvm.trace.emit('vmx_flush_pml_buffer', { vcpu: vcpu.index, pages: pages.length });
  for (const gfn of pages) kvm.guest.markDirty(gfn);
  vcpu.registers.set(Register.pmlIndex, PML_ENTRIES - 1, 0);
}

/** Guest frames in the buffer of a vCPU that the hypervisor has not looked at yet. */
export function loggedPages({ tables }: Kvm, { registers }: Pick<Logging, 'registers'>): number[] {
  const buffer = join(registers.lo(Register.pmlAddress), registers.hi(Register.pmlAddress));
  const index = registers.lo(Register.pmlIndex);
  const pages: number[] = [];
  if (buffer === 0) return pages;
  for (let i = index >= PML_ENTRIES ? 0 : index + 1; i < PML_ENTRIES; i++) {
    const at = buffer + i * 8;
    pages.push(Math.floor(join(tables.low(at), tables.high(at)) / 4096));
  }
  return pages;
}

/** The buffer of a vCPU, made when it is first needed. @returns false: no frame is left */
export function ensurePmlBuffer(kvm: Kvm, { index, registers }: Logging): boolean {
  if (registers.lo(Register.pmlAddress) !== 0) return true;
  const frame = kvm.frames.allocate(1, 1, 0);
  if (frame < 0) return false;
  kvm.trace.emit('vmx_update_cpu_dirty_logging', { vcpu: index });
  registers.set(Register.pmlAddress, (frame << 12) | 0, Math.floor(frame / 0x10_0000));
  registers.set(Register.pmlIndex, PML_ENTRIES - 1, 0);
  return true;
}
