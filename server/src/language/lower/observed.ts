/** Event patterns and exit reasons in expectations. */
import { eventNamed } from '../../engine/journal/event-table';
import type { EventFieldPattern, EventPattern as EnginePattern } from '../../engine/program';
import { exitReasonName } from '../../engine/mmu/exit-names';
import { SvmExit, VmxExit } from '../../engine/x86/exit-reasons';
import { isEventValue } from '../parts/event';
import { nearest } from '../syntax/problem';
import { ACTORS } from '../syntax/words/observed';
import type { EventPattern } from '../syntax/tree';
import type { Env } from '../semantics/values';
import type { ScriptLowering } from './script';

/** Null when there is no such event, which has been reported. */
export function lowerEvent(script: ScriptLowering, node: EventPattern, env: Env): EnginePattern | null {
  const { context } = script;
  const spec = eventNamed(node.name.text);
  if (!spec) return null;
  const known = ['level', 'actor', ...spec.fields.map(({ name }) => name)];
  const fields = node.fields.flatMap((field): EventFieldPattern[] => {
    const name = field.name?.text ?? null;
    if (name !== null && !known.includes(name)) {
      const near = nearest(name, known);
      const fixes = near ? [{ file: env.file, node: field.name!, title: `Change to ${near}`, text: near }] : [];
      context.report(env, field.name ?? field, 'unknown-field', `${spec.name} has no field ${name}; it has ${known.join(', ')}`, {
        fixes,
      });
      return [];
    }
    if (field.value.kind === 'word') return [{ name, value: field.value.text }];
    if (field.value.kind === 'name' && !context.links.byReference.has(field.value.name) && isEventValue(node, field)) {
      return [{ name, value: field.value.name.text }];
    }
    if (name === 'actor') {
      const actors = Object.keys(ACTORS).join(', ');
      context.report(env, field.value, 'unknown-field', `an event's actor is one of ${actors}`);
      return [];
    }
    const value = context.evaluator.bits(field.value, env);
    return value === null ? [] : [{ name, value }];
  });
  return { name: spec.name, fields };
}

/** KVM's names of the exits of each vendor. */
const REASONS = {
  intel: new Set(Object.values(VmxExit).flatMap((code) => (typeof code === 'number' ? exitReasonName('intel', code) : []))),
  amd: new Set(Object.values(SvmExit).flatMap((code) => (typeof code === 'number' ? exitReasonName('amd', code) : []))),
};

/** Says that exits of this reason do not exist on this vendor's processors. */
export function otherVendor(reason: string, vendor: 'intel' | 'amd'): string | null {
  const other = vendor === 'amd' ? 'intel' : 'amd';
  if (REASONS[vendor].has(reason) || !REASONS[other].has(reason)) return null;
  return vendor === 'amd'
    ? `${reason} is an exit of Intel's VMX; this run is on AMD`
    : `${reason} is an exit of AMD's SVM; this run is on Intel`;
}
