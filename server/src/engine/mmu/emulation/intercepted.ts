/** Instructions that exit and say nothing of their operands: KVM fetches and emulates them (svm.c: emulate_on_interception). */
import { emulating } from '../trace';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { otherEmulated } from './unprotect';

/** MOV between RAX and a control register, INVLPG of what RBX points to. */
export const movToCr = (cr: number): readonly number[] => [0x0f, 0x22, 0xc0 | (cr << 3)];
export const movFromCr = (cr: number): readonly number[] => [0x0f, 0x20, 0xc0 | (cr << 3)];
export const INVLPG: readonly number[] = [0x0f, 0x01, 0x3b];

/** The row of such an instruction. @returns false: the exit says what there is to know, and nothing is emulated */
export function emulatesIntercepted(vcpu: KvmVcpu, code: readonly number[]): boolean {
  if (vcpu.parts.decodeAssists) return false;
  vcpu.kvm.trace.emit('kvm_emulate_insn', emulating(vcpu.rip, code));
  otherEmulated(vcpu);
  return true;
}
