/**
 * `same`: what the guest sees is equal under several kinds of MMU, with several kernels (mmu-semantics.md §9 X1). No run can
 * judge that alone, so it stays open while a program executes and is settled here, over all records of a script.
 */
import type { Act, Program } from '../engine/program';
import type { ExpectationResult } from '../engine/result';
import { accessText } from '../events/decode';
import { hex } from '../events/wording';
import { holeMet } from './holes';
import type { Outcome, RunRecord } from './record';
import { seenBefore } from './seen';
import type { Seen } from './seen';

/** The records with every `same` judged. Records of one run block are those that share the statement. */
export function settle(records: readonly RunRecord[]): readonly RunRecord[] {
  const open = new Set(records.flatMap((record) => sameActs(record).map(({ origin }) => origin)));
  if (open.size === 0) return records;
  const settled = records.map((record) => ({ ...record, outcomes: [...record.outcomes] }));
  for (const origin of open) settleStatement(origin, settled);
  return settled;
}

type Open = RunRecord & { outcomes: Outcome[] };

function sameActs(record: RunRecord): Extract<Act, { do: 'expect' }>[] {
  return record.program.acts.filter((act) => act.do === 'expect' && act.what.kind === 'same') as Extract<Act, { do: 'expect' }>[];
}

/** Judges a statement in each run that takes part, against the first of them. */
function settleStatement(origin: number, records: readonly Open[]): void {
  const all = records.flatMap((record) => {
    const act = sameActs(record).find((each) => each.origin === origin);
    return act ? [{ record, act }] : [];
  });
  const kernels = new Set(all.map(({ record }) => kernelOf(record)));
  const taking = all.map(({ record, act }): Taking & { readonly record: Open } => {
    const kinds = kindsOf(record.program, act.by.vm);
    const way = kernels.size > 1 ? `${kinds} with kernel ${kernelOf(record)}` : kinds;
    return { record, way, at: executions(record, origin) };
  });
  const [first, ...others] = taking;
  for (const other of others) {
    other.at.forEach((index, turn) => {
      const result = compared(first, other, turn, index);
      other.record.outcomes[index] = { ...other.record.outcomes[index], result };
    });
  }
}

function kernelOf({ program }: RunRecord): string {
  return program.machine.host.kvm.kernel;
}

/** Kinds of a VM and those around it, outwards: `soft on ept`. */
function kindsOf({ machine: { vms } }: Program, vm: number): string {
  const kinds: string[] = [];
  for (let at: number | null = vm; at !== null; at = vms[at].parent) kinds.push(vms[at].mmu);
  return kinds.join(' on ');
}

/** Indexes of a statement's outcomes, in order of execution. */
function executions(record: RunRecord, origin: number): number[] {
  return record.outcomes.flatMap((outcome, index) => (outcome.origin === origin ? [index] : []));
}

interface Taking {
  readonly record: RunRecord;
  /** `ept`, `soft on ept`, `ept with kernel 6.1` */
  readonly way: string;
  readonly at: readonly number[];
}

function compared(first: Taking, other: Taking, turn: number, index: number): ExpectationResult {
  const open = other.record.outcomes[index].result as ExpectationResult;
  const verdict = (holds: boolean, got: string): ExpectationResult => ({ ...open, holds, got, instead: null });
  if (turn >= first.at.length) return verdict(false, `the run under ${first.way} ended before it`);
  const expected = seenBefore(first.record, first.at[turn]);
  const actual = seenBefore(other.record, index);
  // Statements of one of both only are not comparable.
  const both = common(expected, actual);
  const one = expected.filter(({ origin }) => both.has(origin));
  const two = actual.filter(({ origin }) => both.has(origin));
  for (let i = 0; i < Math.max(one.length, two.length); i++) {
    if (one[i]?.text === two[i]?.text && one[i]?.origin === two[i]?.origin) continue;
    const said = (each: Seen | undefined): string => each?.text ?? 'nothing more';
    const difference = `${actText((two[i] ?? one[i]).act)}: ${said(two[i])} under ${other.way}, ${said(one[i])} under ${first.way}`;
    return verdict(false, difference + whyText(first, one[i], other, two[i]));
  }
  return verdict(true, `as under ${first.way}`);
}

/** Which hole of KVM's that is, and who does as the manuals say; empty when it is none that is known. */
function whyText(first: Taking, one: Seen | undefined, other: Taking, two: Seen | undefined): string {
  if (!one || !two) return '';
  const sides = [first, other].map(({ record }, index) => ({ record, seen: [one, two][index] }));
  const met = holeMet(sides[0], sides[1]);
  if (!met) return '';
  const { way } = met.follows === sides[0] ? first : other;
  return `; KVM falls short here (${met.name}), the manual wants what ${way} has: docs/model.md#where-kvm-itself-falls-short`;
}

function common(one: readonly Seen[], other: readonly Seen[]): ReadonlySet<number> {
  const origins = new Set(other.map(({ origin }) => origin));
  return new Set(one.map(({ origin }) => origin).filter((origin) => origins.has(origin)));
}

/** `user read 0x40_0000`, or what the act does. */
function actText(act: Act): string {
  if (act.do !== 'access') return act.do;
  const what = { read: 0, write: 1, fetch: 2, rmw: 3 }[act.access];
  return `${accessText(what | (act.user ? 4 : 0) | (act.implicit ? 8 : 0))} ${hex(act.address)}`;
}
