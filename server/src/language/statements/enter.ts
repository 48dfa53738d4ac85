/** `vmlaunch l2`, `vmresume`, `vmrun`: an L1 by script enters its guest. */
import type { Act } from '../../engine/program';
import { always, bindParts, noAddress } from '../kind';
import type { StatementKind } from '../kind';
import { isByScript, isHypervisor } from '../lower/hypervisors';
import type { RunVm } from '../lower/run-state';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Env } from '../semantics/values';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expect, Node, Reference } from '../syntax/tree';
import { actEntry } from './head';

export interface Enter extends Base {
  readonly kind: 'enter';
  readonly instruction: 'vmlaunch' | 'vmresume' | 'vmrun';
  /** Null: its only guest. */
  readonly vm: Reference | null;
  readonly expects: readonly Expect[];
}

const ENTERED = { ERR_MSG: 'the name of a vm', REFERS: 'vm', LABEL: 'vm' } as const;

/** `vmlaunch l2` */
const rule: Rule<[], Enter> = ($) => {
  const named = { GATE: () => !$.onNewLine(), DEF: (): Reference => $.referenceOf($.CONSUME($.t.Word, ENTERED), 'vm') };
  return () => {
    const start = $.here();
    const instruction = $.CONSUME($.t.Entering).image as Enter['instruction'];
    const vm = $.OPTION(named) ?? null;
    const after = $.expects();
    return { kind: 'enter', instruction, vm, expects: after, range: $.since(start) };
  };
};

export const enter: StatementKind<Enter> = {
  rule,
  words: {
    statement: {
      vmlaunch: 'VMLAUNCH: an L1 played by the script enters its guest for the first time.',
      vmresume: 'VMRESUME: an L1 played by the script enters its guest again.',
      vmrun: 'VMRUN: an L1 played by the script enters its guest (AMD).',
    },
  },
  numbered: 'always',
  line: 'statement',
  ends: { called: 'a VM entry', outcomes: ['ok', 'exit', 'error'] },
  does: always,
  bind: bindParts,
  address: noAddress,
  outline: actEntry,
  lower,
};

function lower(script: ScriptLowering, node: Enter, frame: Frame, out: Act[]): void {
  const { context, run } = script;
  const { env } = frame;
  if (!isHypervisor(script, node, node.instruction, frame) || !isByScript(script, node, 'enters its guests by itself', frame)) return;
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
