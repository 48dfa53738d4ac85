/** What an L1 does as a hypervisor: INVEPT, INVVPID, fields of its VMCS or VMCB, entries of its guests. */
import type { Act, ControlField, HostConfig } from '../../engine/program';
import type { Enter, Invalidate, Node, RegisterLoad } from '../syntax/tree';
import type { Env, Value } from '../semantics/values';
import type { RunVm } from './run-state';
import type { Frame, ScriptLowering } from './script';

/** EPTP: write-back, a walk of four levels; and with accessed and dirty flags (SDM vol. 3C, "Extended-Page-Table Pointer"). */
const EPTP = 0x1en;
const EPTP_AD = 0x40n;

export function lowerHypervisorInvalidation(
  script: ScriptLowering,
  node: Invalidate,
  address: bigint | null,
  frame: Frame,
  out: Act[],
): void {
  const { context, run } = script;
  const { env } = frame;
  if (!isHypervisor(script, node, frame)) return;
  if (run.host.vendor === 'amd') {
    const instead = 'an AMD processor has TLB_CONTROL and INVLPGA';
    context.report(env, node, 'other-vendor', `${node.instruction} is Intel's; ${instead}: write vmcb.tlb_control`);
    return;
  }
  const base = { origin: script.statements.of(node), by: script.performer(frame) };
  if (node.instruction === 'invept') {
    const value = node.address ? context.unsigned(node.address, env, 'an EPTP') : 0n;
    if (value === null) return;
    const named = node.address ? context.evaluator.value(node.address, env) : null;
    script.emit({ ...base, do: 'invept', type: node.address ? 1 : 2, eptp: eptpOf(named, value, run.host) }, out, node, env);
    return;
  }
  const vpid = node.tag ? context.between(node.tag, env, 'a VPID', 0n, 0xffffn) : 0n;
  if (vpid === null) return;
  const scope = node.scope?.text;
  const type = scope === 'all' ? 2 : scope === 'non_global' ? 3 : address !== null ? 0 : 1;
  if (type !== 2 && vpid === 0n) context.warn(env, node.tag ?? node, 'out-of-range', 'VPID 0 is the hypervisor itself: INVVPID fails');
  script.emit({ ...base, do: 'invvpid', type, vpid: Number(vpid), address: address ?? 0n }, out, node, env);
}

/** The name of tables stands for the EPTP with them. */
function eptpOf(named: Value, value: bigint, { features, kvm }: HostConfig): bigint {
  if (typeof named !== 'object' || named === null) return value;
  return value | EPTP | (features.eptAd && kvm.eptAd ? EPTP_AD : 0n);
}

/* ------------------------------------------------------------ control structures */

/** `vmcs.eptp = ept12`, `vmcb.asid = 2`: of the guest that was entered last, or else of the first. */
export function lowerControlLoad(script: ScriptLowering, node: RegisterLoad, frame: Frame, out: Act[]): void {
  const { context, run } = script;
  const { env } = frame;
  const { register, bit } = node;
  if (!isHypervisor(script, node, frame) || !isByScript(script, node, frame)) return;
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

/* ------------------------------------------------------------ entries */

export function lowerEntry(script: ScriptLowering, node: Enter, frame: Frame, out: Act[]): void {
  const { context, run } = script;
  const { env } = frame;
  if (!isHypervisor(script, node, frame) || !isByScript(script, node, frame)) return;
  const svm = run.host.vendor === 'amd';
  if ((node.instruction === 'vmrun') !== svm) {
    context.report(
      env,
      node,
      'other-vendor',
      svm ? `${node.instruction} is Intel's; an AMD processor has vmrun` : "vmrun is AMD's; an Intel processor has vmlaunch and vmresume",
    );
    return;
  }
  const guest = enteredGuest(script, node, frame);
  if (!guest) return;
  if (!run.rooted.has(guest)) reportNoRoot(script, node, guest, env);
  run.enter(guest);
  const { instruction } = node;
  script.emit(
    { do: 'vmenter', origin: script.statements.of(node), by: script.performer(frame), instruction, guest: guest.index },
    out,
    node,
    env,
  );
}

function enteredGuest(script: ScriptLowering, node: Enter, { env, vm }: Frame): RunVm | null {
  const { context, run } = script;
  const target = node.vm ? context.links.byReference.get(node.vm) : null;
  const children = run.vms.filter((each) => each.plan.parent === vm.plan);
  const guest = node.vm ? children.find((each) => each.plan.named === target) : children[0];
  if (guest && (node.vm || children.length === 1)) return guest;
  // A name that means nothing has been reported.
  if (node.vm && !target) return null;
  context.report(env, node.vm ?? node, 'which-vm', `name the VM to enter: ${children.map((each) => each.plan.named.name).join(', ')}`);
  return null;
}

function reportNoRoot(script: ScriptLowering, node: Node, guest: RunVm, env: Env): void {
  const { name, definition, file } = guest.plan.named;
  const field =
    guest.mmu === 'ept' ? 'vmcs.eptp' : guest.mmu === 'npt' ? 'vmcb.ncr3' : script.run.host.vendor === 'amd' ? 'vmcb.cr3' : 'vmcs.cr3';
  const related = [{ file, node: definition, message: `${name} is declared here` }];
  script.context.report(env, node, 'setting-missing', `${name} has no tables to run by: give it a root, or write ${field} before`, {
    related,
  });
}

/* ------------------------------------------------------------ who may */

function isHypervisor(script: ScriptLowering, node: Invalidate | Enter | RegisterLoad, { vm, env }: Frame): boolean {
  if (vm.plan.children.length > 0) return true;
  const what = node.kind === 'register-load' ? `a ${node.register.text.toUpperCase()}` : node.instruction;
  script.context.report(env, node, 'not-a-hypervisor', `${what} is for hypervisors: ${vm.plan.named.name} has no VM inside`);
  return false;
}

function isByScript(script: ScriptLowering, node: Enter | RegisterLoad, { vm, env }: Frame): boolean {
  if (vm.plan.hypervisor === 'script') return true;
  const what = node.kind === 'enter' ? 'enters its guests by itself' : 'fills in its control structures by itself';
  script.context.report(env, node, 'not-by-script', `${vm.plan.named.name} behaves as KVM and ${what}; say hypervisor script to play it`);
  return false;
}
