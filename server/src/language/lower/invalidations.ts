/** INVLPG and INVPCID; INVEPT and INVVPID are for hypervisors. */
import type { Act } from '../../engine/program';
import type { Invalidate } from '../syntax/tree';
import { lowerHypervisorInvalidation } from './hypervisor-acts';
import { whyNotLinear } from './tables/format';
import { registerBit } from './registers';
import { expectsGp } from './script';
import type { Frame, ScriptLowering } from './script';

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
    case 'invvpid':
      return lowerHypervisorInvalidation(script, node, address, frame, out);
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
