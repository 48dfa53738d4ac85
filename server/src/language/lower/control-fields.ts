/** Fields of an L1's VMCS or VMCB for its guest, as scripts write and expect them. */
import type { Act, ControlField } from '../../engine/program';
import type { HostFacts } from '../machine/host';
import type { RegisterLoad } from '../syntax/tree';
import type { Env, Value } from '../semantics/values';
import { isByScript, isHypervisor } from './hypervisors';
import type { Frame, ScriptLowering } from './script';

/** EPTP: write-back, a walk of four levels; and with accessed and dirty flags (SDM vol. 3C, "Extended-Page-Table Pointer"). */
const EPTP = 0x1en;
const EPTP_AD = 0x40n;

/** The name of tables stands for the EPTP with them. */
export function eptpOf(named: Value, value: bigint, { features, kvm }: HostFacts): bigint {
  if (typeof named !== 'object' || named === null) return value;
  return value | EPTP | (features.eptAd && kvm.eptAd ? EPTP_AD : 0n);
}

/** `vmcs.eptp = ept12`, `vmcb.asid = 2`: of the guest that was entered last, or else of the first. */
export function lowerControlLoad(script: ScriptLowering, node: RegisterLoad, frame: Frame, out: Act[]): void {
  const { context, run } = script;
  const { env } = frame;
  const { register, bit } = node;
  if (
    !isHypervisor(script, node, `a ${register.text.toUpperCase()}`, frame) ||
    !isByScript(script, node, 'fills in its control structures by itself', frame)
  )
    return;
  const guest = run.currentGuest(frame.vm);
  const written = guest && readControlField(script, node, env);
  if (!written) return;
  const { field } = written;
  const kind = TABLES_IN[field] ?? null;
  if (kind !== null && guest.mmu !== kind) {
    const why = `${guest.plan.named.name} is under ${guest.mmu} here, and runs by no ${kind.toUpperCase()}`;
    context.warn(env, bit ?? node, 'no-effect', `${register.text}.${field} changes nothing: ${why}`);
    return;
  }
  const named = context.evaluator.value(node.value, env);
  if (kind !== null && typeof named === 'object' && named !== null) {
    const tables = run.tablesOf(named);
    if (tables && (tables.vm !== frame.vm || tables.tables.shape.name !== kind)) {
      const message = `${field} takes ${kind} tables of ${frame.vm.plan.named.name}, and ${named.name} are ${tables.tables.shape.name} tables of ${tables.vm.plan.named.name}`;
      context.report(env, node.value, 'format-mismatch', message);
      return;
    }
  }
  if (kind !== null || (field === 'cr3' && guest.mmu === 'soft')) run.rooted.add(guest);
  const act: Act = { do: 'vmcs', origin: script.statements.of(node), by: script.performer(frame), guest: guest.index, ...written };
  script.emit(act, out, node, env);
}

/** Fields that lead to tables of a second stage. */
const TABLES_IN: { readonly [field in ControlField]?: 'ept' | 'npt' } = { eptp: 'ept', ncr3: 'npt' };

/** A field of a control structure with its value; null when the processor has no such field, or no value is known. */
export function readControlField(
  script: ScriptLowering,
  { register, bit, value: node }: Pick<RegisterLoad, 'register' | 'bit' | 'value'>,
  env: Env,
): { readonly field: ControlField; readonly value: bigint } | null {
  const { context, run } = script;
  const structure = register.text.toUpperCase();
  if ((register.text === 'vmcb') !== (run.host.vendor === 'amd')) {
    const [whose, has] = register.text === 'vmcb' ? ["AMD's", 'an Intel processor has a VMCS'] : ["Intel's", 'an AMD processor has a VMCB'];
    context.report(env, register, 'other-vendor', `the ${structure} is ${whose}; ${has}`);
    return null;
  }
  if (!bit) {
    context.report(env, register, 'not-loadable', `a ${structure} has fields: name one, as ${register.text}.cr3`);
    return null;
  }
  const value = context.evaluator.bits(node, env);
  if (value === null) return null;
  const field = bit.text as ControlField;
  return { field, value: field === 'eptp' ? eptpOf(context.evaluator.value(node, env), value, run.host) : value };
}
