/** What L0 checks of a control structure before it enters L2 (nested_vmx_check_controls, nested_check_vmcb_controls). */
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import type { Control } from './control-structure';

/** @returns why the entry fails; null: it does not */
export function whyRefused(vcpu: KvmVcpu, { context, rootLo, rootHi }: Control): string | null {
  const { kvm, parts } = vcpu;
  const { second } = context;
  if (second === null) return null;
  const name = second.ept ? 'EPT' : 'nested paging';
  if (!kvm.tdp) return `KVM offers ${name} to its guest only when it uses it itself`;
  if (rootHi >>> Math.max(parts.rules.maxPhyAddr - 32, 0) !== 0) return `the root of ${name} lies above MAXPHYADDR`;
  if (!second.ept) return null;
  // vmx_check_eptp
  const type = rootLo & 7;
  if (type !== 6 && type !== 0) return 'the memory type in the EPTP is neither UC nor WB';
  if (((rootLo >>> 3) & 7) + 1 !== second.levels) return 'the walk length in the EPTP is not supported';
  if ((rootLo & 0xf80) !== 0) return 'reserved bits are set in the EPTP';
  return null;
}
