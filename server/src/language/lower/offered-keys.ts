/** Protection keys that KVM does not offer a guest: KVM_SET_SREGS fails with the bit of CR4, which stays 0 (x86.c: kvm_is_valid_sregs). */
import type { Setting } from '../syntax/tree';
import type { Context } from './context';
import type { RunState } from './run-state';

export function checkOfferedKeys(context: Context, { vms }: RunState): void {
  for (const { plan, mmu } of vms) {
    for (const { node, config } of plan.vcpus) {
      const refuse = (bit: 'pke' | 'pks', why: string): void => {
        const setting = node?.body?.items.find((item): item is Setting => item.kind === 'setting' && item.bit?.text === bit);
        if (setting) context.warn(plan.env, setting, 'register-refused', `EINVAL: CR4.${bit.toUpperCase()} stays 0: ${why}`);
      };
      if (config.cr4.pks) refuse('pks', 'KVM offers guests no protection keys of supervisor pages');
      if (config.cr4.pke && mmu === 'soft') refuse('pke', 'KVM offers protection keys with EPT or NPT only, not under soft MMU');
    }
  }
}
