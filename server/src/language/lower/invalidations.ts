/** INVLPG, INVPCID and what is for hypervisors: INVEPT, INVVPID, entries of their guests. */
import type { Act } from '../../engine/program';
import type { Enter, Invalidate } from '../syntax/tree';
import { whyNotLinear } from './tables/format';
import { registerBit } from './registers';
import { expectsGp } from './script';
import type { Frame, ScriptLowering } from './script';
import { reportUnsupported } from './unsupported';

export function lowerInvalidation(script: ScriptLowering, node: Invalidate, frame: Frame, out: Act[]): void {
  const { context } = script;
  const { env } = frame;
  const base = { origin: script.statements.of(node), by: script.performer(frame) };
  const address = node.address && node.instruction !== 'invept' ? context.unsigned(node.address, env, 'a linear address') : null;
  if (node.address && node.instruction !== 'invept' && address === null) return;
  const scope = node.scope?.text;
  switch (node.instruction) {
    case 'invlpg':
      if (address !== null) script.emit({ ...base, do: 'invlpg', address }, out, node, env);
      return;
    case 'invpcid': {
      const pcid = node.tag ? context.between(node.tag, env, 'a PCID', 0n, 0xfffn) : 0n;
      if (pcid === null) return;
      const type = scope === 'all' ? 2 : scope === 'non_global' ? 3 : address !== null ? 0 : 1;
      if (type < 2 && !node.tag) return;
      checkPcid(script, node, type, pcid, address ?? 0n, frame);
      return script.emit({ ...base, do: 'invpcid', type, pcid: Number(pcid), address: address ?? 0n }, out, node, env);
    }
    case 'invept':
      return invept(script, node, base, frame, out);
    case 'invvpid': {
      if (!isHypervisor(script, node, frame)) return;
      reportUnsupported(context, env, node, 'invvpid');
      const vpid = node.tag ? context.between(node.tag, env, 'a VPID', 0n, 0xffffn) : 0n;
      if (vpid === null) return;
      const type = scope === 'all' ? 2 : scope === 'non_global' ? 3 : address !== null ? 0 : 1;
      if (type !== 2 && vpid === 0n) context.warn(env, node.tag ?? node, 'out-of-range', 'VPID 0 is the hypervisor itself: INVVPID fails');
      return script.emit({ ...base, do: 'invvpid', type, vpid: Number(vpid), address: address ?? 0n }, out, node, env);
    }
  }
}

function checkPcid(script: ScriptLowering, node: Invalidate, type: number, pcid: bigint, address: bigint, frame: Frame): void {
  const registers = frame.vm.registers[frame.vcpu];
  if (!registers.known || type > 1 || expectsGp(script, node.expects)) return;
  const pcide = (registers.value('cr4') & (registerBit('cr4', 'pcide') ?? 0n)) !== 0n;
  if (pcid !== 0n && !pcide)
    script.context.warn(frame.env, node.tag ?? node, 'register-refused', '#GP(0): a PCID other than 0 needs CR4.PCIDE');
  const why = type === 0 ? whyNotLinear(registers.paging, address) : null;
  if (why) script.context.warn(frame.env, node.address ?? node, 'non-canonical', `#GP(0): ${why}`);
}

function invept(
  script: ScriptLowering,
  node: Invalidate,
  base: { readonly origin: number; readonly by: { readonly vm: number; readonly vcpu: number } },
  frame: Frame,
  out: Act[],
): void {
  const { context } = script;
  if (!isHypervisor(script, node, frame)) return;
  reportUnsupported(context, frame.env, node, 'invept');
  const value = node.address ? context.evaluator.value(node.address, frame.env) : 0n;
  const eptp = node.address ? context.unsigned(node.address, frame.env, 'an EPTP') : 0n;
  if (eptp === null) return;
  // The name of tables stands for the EPTP with them: write-back, walk length 4, accessed and dirty flags as the processor has.
  const attributes = typeof value === 'object' ? (script.run.host.features.eptAd ? 0x5en : 0x1en) : 0n;
  script.emit({ ...base, do: 'invept', type: node.address ? 1 : 2, eptp: eptp | attributes }, out, node, frame.env);
}

function isHypervisor(script: ScriptLowering, node: Invalidate | Enter, frame: Frame): boolean {
  if (frame.vm.plan.children.length > 0) return true;
  script.context.report(
    frame.env,
    node,
    'not-a-hypervisor',
    `${node.instruction} is for hypervisors: ${frame.vm.plan.named.name} has no VM inside`,
  );
  return false;
}

export function lowerEntry(script: ScriptLowering, node: Enter, frame: Frame, out: Act[]): void {
  const { context, run } = script;
  const { env, vm } = frame;
  if (!isHypervisor(script, node, frame)) return;
  reportUnsupported(context, env, node, 'enter');
  if (vm.plan.hypervisor !== 'script') {
    context.report(
      env,
      node,
      'not-by-script',
      `${vm.plan.named.name} behaves as KVM and enters its guests by itself; say hypervisor script to play it`,
    );
  }
  const svm = run.host.vendor === 'amd';
  if ((node.instruction === 'vmrun') !== svm) {
    context.report(
      env,
      node,
      'other-vendor',
      svm ? `${node.instruction} is Intel's; an AMD processor has vmrun` : "vmrun is AMD's; an Intel processor has vmlaunch and vmresume",
    );
  }
  const target = node.vm ? context.links.byReference.get(node.vm) : null;
  const children = run.vms.filter((each) => each.plan.parent === vm.plan);
  const guest = node.vm ? children.find((each) => each.plan.named === target) : children[0];
  if (!guest || (!node.vm && children.length > 1)) {
    context.report(env, node.vm ?? node, 'which-vm', `name the VM to enter: ${children.map((each) => each.plan.named.name).join(', ')}`);
    return;
  }
  script.emit(
    { do: 'vmenter', origin: script.statements.of(node), by: script.performer(frame), instruction: node.instruction, guest: guest.index },
    out,
    node,
    env,
  );
}
