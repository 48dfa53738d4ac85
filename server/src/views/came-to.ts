/** What one execution of a statement came to, with the entry, bit and rule that decided it: the way of its last access, where that ended. */
import { Kind } from '../engine/journal/events';
import type { Result } from '../engine/result';
import { eventAt, kindAt } from '../events/fields';
import { pageFault } from '../events/decode';
import { hex } from '../events/wording';
import type { TranslationView, Verdict } from '../protocol/translation';
import type { Outcome } from '../run/record';
import type { RunView } from './view';
import { accessUnderWay } from './way/accesses';
import type { UnderWay } from './way/accesses';
import { reachedAt, sentence, verdict } from './way/verdicts';
import { translate } from './way/way';

/** What a result is by itself; null: nothing to say of it (a register was loaded, an expectation judged). */
export function bare(result: Result): Verdict | null {
  switch (result.kind) {
    case 'ok':
      if (result.hpa !== null) return reachedAt(result.hpa);
      return verdict('ok', result.gpa === null ? 'ok' : `→ gpa ${hex(result.gpa)}`);
    case 'page-fault':
      return verdict('fault', pageFault(result.error));
    case 'general-protection':
      return verdict('fault', '#GP');
    case 'mmio':
      return verdict('mmio', `MMIO ${result.write ? 'write' : 'read'}`);
    case 'shutdown':
      return verdict('error', 'shutdown');
    case 'vm-exit':
      return verdict('exit', `exit ${result.reason}${result.gpa === null ? '' : ` at gpa ${hex(result.gpa)}`}`);
    case 'error':
      return verdict('error', result.errno, result.why);
    default:
      return null;
  }
}

/** Where the way of an access stood when its result was found: the fault delivered, the exit handed to L1, else the access's beginning. */
const ENDINGS: { readonly [kind in Result['kind']]?: Kind } = {
  'page-fault': Kind.guest_fault,
  'general-protection': Kind.guest_fault,
  'vm-exit': Kind.kvm_nested_vmexit_inject,
  mmio: Kind.kvm_mmio,
};

/** The verdict on an outcome; null where there is nothing to say. */
export function cameTo(view: RunView, outcome: Outcome): Verdict | null {
  const said = bare(outcome.result);
  if (!said || said.kind === 'ok' || said.kind === 'error') return said;
  const way = wayAtEnd(view, outcome);
  // What the way says must be what happened: KVM does not follow the architecture everywhere (docs/model.md).
  const found = way && [way.end, way.now].find((each) => each?.kind === said.kind && each.why !== null);
  if (found && (said.kind === 'exit' || found.what === said.what)) return { ...said, why: found.why, section: found.section };
  if (outcome.result.kind !== 'mmio') return said;
  // A table of the guest's can be what is in no slot; KVM emulates all the same.
  return { ...said, why: `gpa ${hex(outcome.result.gpa)} is in no slot`, section: 'mmio' };
}

/** The same without the access that asks for it: `#PF(P W U): PT[0].R/W = 0`. */
export function cameToShort(view: RunView, outcome: Outcome): string {
  const found = cameTo(view, outcome);
  return found ? sentence({ ...found, why: found.kind === 'error' ? null : (found.why?.split(', ')[0] ?? null) }) : '';
}

/** In one line: `#PF(P W U): PT[0].R/W = 0, user write`. */
export function cameToText(view: RunView, outcome: Outcome): string {
  const found = cameTo(view, outcome);
  return found ? sentence(found) : '';
}

function wayAtEnd(view: RunView, outcome: Outcome): TranslationView | null {
  const { record } = view;
  const kind = ENDINGS[outcome.result.kind];
  let row = outcome.to - 1;
  while (row > outcome.from && kindAt(record, row) !== kind) row--;
  const under = accessUnderWay(view, row === outcome.from ? outcome.to - 1 : row, outcome.from);
  if (!under) return null;
  const fault = eventAt(record, row);
  const delivered = fault?.kind === Kind.guest_fault && fault.fields.vector === 14 ? fault.fields.address : null;
  return wayOf(view, under, row === outcome.from ? under.row : row, delivered ?? under.address);
}

/** The way of an access at a row. */
function wayOf(view: RunView, under: UnderWay, row: number, address = under.address): TranslationView {
  return translate(view, { position: row, vm: under.vm, vcpu: under.vcpu }, address, under.space, under.access);
}
