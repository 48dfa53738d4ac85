/** `cpuid`, `vmcall`, `vmmcall`: instructions that always exit, and for which no MMU is asked. */
import type { Act } from '../../engine/program';
import { always, bindParts, noAddress } from '../kind';
import type { StatementKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expect } from '../syntax/tree';
import { actEntry } from './head';

export interface Instruction extends Base {
  readonly kind: 'instruction';
  readonly name: 'cpuid' | 'vmcall' | 'vmmcall';
  readonly expects: readonly Expect[];
}

const NAMES: readonly Instruction['name'][] = ['cpuid', 'vmcall', 'vmmcall'];

/** `cpuid` */
const rule: Rule<[], Instruction> = ($) => {
  const choice = NAMES.map((name) => ({ ALT: () => $.CONSUME($.t.word(name)) }));
  return () => {
    const start = $.here();
    const name = $.OR(choice).image as Instruction['name'];
    const expects = $.expects();
    return { kind: 'instruction', name, expects, range: $.since(start) };
  };
};

export const instruction: StatementKind<Instruction> = {
  rule,
  begins: ($) => !$.isName(),
  words: {
    statement: {
      cpuid: 'CPUID, which exits under every kind of MMU. What it answers is not modelled.',
      vmcall: 'VMCALL: a call of the hypervisor (Intel).',
      vmmcall: 'VMMCALL: a call of the hypervisor (AMD).',
    },
  },
  numbered: 'always',
  line: 'statement',
  ends: { called: 'an instruction that exits', outcomes: ['ok', 'exit', 'error'] },
  does: always,
  bind: bindParts,
  address: noAddress,
  outline: actEntry,
  lower,
};

function lower(script: ScriptLowering, node: Instruction, frame: Frame, out: Act[]): void {
  const amd = script.run.host.vendor === 'amd';
  if (node.name !== 'cpuid' && (node.name === 'vmmcall') !== amd) {
    const message = amd ? "vmcall is Intel's; an AMD processor has vmmcall" : "vmmcall is AMD's; an Intel processor has vmcall";
    script.context.report(frame.env, node, 'other-vendor', message);
    return;
  }
  const by = script.performer(frame);
  const name = node.name === 'cpuid' ? 'cpuid' : 'vmcall';
  script.emit({ do: 'instruction', origin: script.statements.of(node), by, instruction: name }, out, node, frame.env);
}
