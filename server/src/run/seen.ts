/**
 * What the guest sees of a run: data read, faults, MMIO, in order (mmu-semantics.md §9 X1). Host-physical addresses, exits
 * and references are not among it.
 */
import { Kind } from '../engine/journal/events';
import type { Act } from '../engine/program';
import type { Result } from '../engine/result';
import { errorFlags } from '../events/decode';
import { eventAt } from '../events/fields';
import { hex } from '../events/wording';
import type { Outcome, RunRecord } from './record';

export interface Seen {
  /** Statement that it happened in. */
  readonly origin: number;
  readonly act: Act;
  readonly outcome: Outcome;
  readonly text: string;
}

/** Results of the guest's acts among the first `count` outcomes, faults of handled and repeated accesses included. */
export function seenBefore(record: RunRecord, count: number): Seen[] {
  const seen: Seen[] = [];
  for (const outcome of record.outcomes.slice(0, count)) {
    const act = record.program.acts[outcome.act];
    if (!act || !('by' in act) || act.do === 'expect') continue;
    const add = (text: string): void => void seen.push({ origin: outcome.origin, act, outcome, text });
    const delivered = [...faults(record, outcome)];
    delivered.forEach(add);
    const text = resultSeen(outcome.result, act);
    // A fault that ends the act was delivered as well.
    if (text !== null && text !== delivered.at(-1)) add(text);
  }
  return seen;
}

/** Faults delivered on the way to the result: by a handler's access, or by repetitions before the last. */
function* faults(record: RunRecord, outcome: Outcome): Generator<string> {
  for (let row = outcome.from; row < outcome.to; row++) {
    const event = eventAt(record, row);
    if (event?.kind !== Kind.guest_fault) continue;
    const { vector, error, address } = event.fields;
    yield vector === 13 ? '#GP' : pageFault(error, address);
  }
}

function pageFault(code: number, address: bigint): string {
  return `#PF(${errorFlags(code).join(' ')}) at ${hex(address)}`;
}

/** The act gives a value that the guest reads. */
function reads(act: Act): boolean {
  return (
    (act.do === 'access' && act.access !== 'write') || act.do === 'mov-from' || (act.do === 'instruction' && act.instruction === 'rdmsr')
  );
}

function resultSeen(result: Result, act: Act): string | null {
  switch (result.kind) {
    case 'ok':
      return result.value !== null && reads(act) ? `value ${hex(result.value)}` : 'ok';
    case 'page-fault':
      return pageFault(result.error, result.address);
    case 'general-protection':
      return '#GP';
    case 'shutdown':
      return 'shutdown';
    case 'mmio':
      return `mmio ${result.write ? 'write' : 'read'} at gpa ${hex(result.gpa)}${result.write ? ` of ${hex(result.value)}` : ''}`;
    case 'error':
      return `error ${result.errno}`;
    default:
      return null;
  }
}
