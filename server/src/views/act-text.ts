/**
 * A statement as one execution of it: as written, with what the writing leaves open. A statement in a loop or a block, or one with
 * names in it, is about another address each time; one of several vCPUs performs it.
 */
import type { Act, Program } from '../engine/program';
import { hex } from '../events/wording';

interface ActText {
  /** `vcpu 1: user read page`. */
  readonly text: string;
  /** ` at 0x40_1000`, when the text has no such number; empty otherwise. */
  readonly address: string;
}

/** What the act with this index came to be, for a statement with this text. */
export function actText({ machine, acts }: Program, index: number, text: string): ActText {
  const act: Act | undefined = acts[index];
  if (!act) return { text, address: '' };
  return { text: performer(machine, act, text) + text, address: address(act, text) };
}

function performer({ vms }: Program['machine'], act: Act, text: string): string {
  if (!('by' in act) || /^(\w+\s+)?vcpu\b|^\w+:/.test(text)) return '';
  const { vm, vcpu } = act.by;
  const parts = [vms.length > 1 && vms[vm].name, vms[vm].vcpus.length > 1 && `vcpu ${vms[vm].vcpus[vcpu].name}`].filter(Boolean);
  return parts.length > 0 ? `${parts.join(' ')}: ` : '';
}

function address(act: Act, text: string): string {
  if (act.do !== 'access' && act.do !== 'edit' && act.do !== 'invlpg') return '';
  const said = text.replaceAll('_', '').toLowerCase();
  return new RegExp(`\\b0x0*${act.address.toString(16)}\\b|\\b${act.address}\\b`).test(said) ? '' : ` at ${hex(act.address)}`;
}
