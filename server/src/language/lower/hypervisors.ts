/** Who may act as a hypervisor in a script. */
import type { Node } from '../syntax/tree';
import type { Frame, ScriptLowering } from './script';

/** @param what is for hypervisors alone */
export function isHypervisor(script: ScriptLowering, node: Node, what: string, { vm, env }: Frame): boolean {
  if (vm.plan.children.length > 0) return true;
  script.context.report(env, node, 'not-a-hypervisor', `${what} is for hypervisors: ${vm.plan.named.name} has no VM inside`);
  return false;
}

/** @param does what a VM that behaves as KVM does by itself */
export function isByScript(script: ScriptLowering, node: Node, does: string, { vm, env }: Frame): boolean {
  if (vm.plan.hypervisor === 'script') return true;
  script.context.report(env, node, 'not-by-script', `${vm.plan.named.name} behaves as KVM and ${does}; say hypervisor script to play it`);
  return false;
}
