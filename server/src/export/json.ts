/**
 * Runs as JSON, by the schema `schema/run.schema.json`. In pieces, since a run can have a million events.
 */
import { Actor } from '../engine/journal/events';
import { ROW_WORDS } from '../engine/journal/journal';
import { spaceSpec } from '../engine/journal/spaces';
import { State, isChange, keyAt, spaceAt } from '../engine/journal/state';
import { toBigInt } from '../engine/bits';
import type { Result } from '../engine/result';
import type { Outcome, RunRecord } from '../run/record';
import { errorCode } from '../events/decode';
import { eventAt, fieldsOf } from '../events/fields';
import type { NamedCount, PartTotals, Totals } from '../protocol/totals';
import { totals } from '../views/totals/totals';
import { nestedExits } from '../views/nested-exits';
import { Reasons } from './reasons';
import type { StatementPlace } from '../language/places';
import { executionOf } from '../views/execution';
import type { RunView } from '../views/view';

const SCHEMA_VERSION = 1;

interface JsonInput {
  /** The file as the user named it, and its URI. */
  readonly file: string;
  readonly uri: string;
  readonly views: readonly RunView[];
  readonly held: number;
  readonly failed: number;
  readonly exitStatus: number;
  /** Without events. */
  readonly brief?: boolean;
}

/** The document, one event a line. */
export function* json(input: JsonInput): Generator<string> {
  yield `{"schema":"mmu-run","version":${SCHEMA_VERSION},"file":${JSON.stringify(input.file)},"runs":[`;
  for (let i = 0; i < input.views.length; i++) {
    if (i > 0) yield ',';
    yield* run(input.views[i], input.uri, input.brief === true);
  }
  const { held, failed, exitStatus, views } = input;
  yield `\n],"summary":${JSON.stringify({ runs: views.length, held, failed, exitStatus })}}\n`;
}

function* run(view: RunView, uri: string, brief: boolean): Generator<string> {
  const { record, script } = view;
  const { vms, host } = record.program.machine;
  const mmu = Object.fromEntries(vms.map((vm) => [vm.name, vm.mmu]));
  yield `\n{"name":${JSON.stringify(record.program.name)},"mmu":${JSON.stringify(mmu)},"kernel":${JSON.stringify(host.kvm.kernel)}`;
  yield `,"ended":${JSON.stringify(record.ended)}`;
  yield `,\n"statements":[${script.statements.map((each) => JSON.stringify(place(each, uri))).join(',\n')}]`;
  const reasons = new Reasons(view);
  yield `,\n"outcomes":[${record.outcomes.map((each) => JSON.stringify(outcome(each, view, reasons))).join(',\n')}]`;
  yield `,\n"totals":${JSON.stringify(totalsOf(view))}`;
  if (!brief) {
    yield ',\n"events":[';
    yield* events(view);
    yield ']';
  }
  yield '}';
}

/** Of the whole run, and of each statement and block with their executions. */
function totalsOf(view: RunView): object {
  const { whole, parts } = totals(view);
  const of = (part: PartTotals['part']): PartTotals[] => parts.filter((each) => each.part === part);
  return {
    ...counts(whole),
    setup: counts(of('set-up')[0]?.totals ?? NOTHING),
    statements: of('statement').map(({ id, times, totals: each }) => ({ statement: Number(id.split(' ')[1]), times, ...counts(each) })),
    blocks: of('block').map(({ text, times, totals: each }) => ({ block: text.slice('block '.length), times, ...counts(each) })),
  };
}

function counts({ exits, references, statistics, events }: Totals): object {
  const byName = (all: readonly NamedCount[]): object => Object.fromEntries(all.map(({ name, count }) => [name, count]));
  return {
    exits: exits.map(({ name, from, count }) => ({ reason: name, ...(from !== null && { from }), count })),
    references: references.map(({ name, count, levels }) => ({ table: name, count, levels: byName(levels) })),
    kvm_stat: byName(statistics),
    events: byName(events),
  };
}

const NOTHING: Totals = { exits: [], references: [], statistics: [], events: [] };

function place(statement: StatementPlace, uri: string): object {
  const { line, character } = statement.range.start;
  const at = { line: line + 1, column: character + 1, text: statement.text };
  return statement.uri === uri ? at : { file: statement.uri, ...at };
}

function outcome(each: Outcome, view: RunView, reasons: Reasons): object {
  const { program } = view.record;
  const execution = program.bound?.[each.act] ? executionOf(view.script, program, each.origin, each.act) : null;
  return {
    origin: each.origin,
    ...(execution && { text: execution.text, line: execution.place.range.start.line + 1 }),
    rows: [each.from, each.to],
    result: result(each.result),
    ...reasons.verdict(each),
    exits: each.exits,
    references: each.references,
    nested: nestedExits(view, each.from, each.to) ?? undefined,
  };
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
const hexOrNull = (value: number | bigint | null): string | null => (value === null ? null : hex(value));

function result(each: Result): object {
  switch (each.kind) {
    case 'ok':
      return {
        kind: each.kind,
        gpa: hexOrNull(each.gpa),
        hva: hexOrNull(each.hva),
        hpa: hexOrNull(each.hpa),
        value: hexOrNull(each.value),
      };
    case 'page-fault':
      return { kind: each.kind, error: hex(each.error), flags: errorCode(each.error), address: hex(each.address) };
    case 'general-protection':
      return { kind: each.kind, error: hex(each.error) };
    case 'mmio':
      return { kind: each.kind, gpa: hex(each.gpa), write: each.write, value: hex(each.value) };
    case 'vm-exit': {
      const { kind, reason, info1, info2, gpa } = each;
      return { kind, reason, info1: hex(info1), info2: hex(info2), gpa: hexOrNull(gpa) };
    }
    case 'error':
      return { kind: each.kind, errno: each.errno, why: each.why };
    case 'dirty-log':
      return { kind: each.kind, gpas: each.gpas.map(hex) };
    case 'shutdown':
    case 'done':
      return { kind: each.kind };
    case 'expectation':
      return { kind: each.kind, holds: each.holds, expected: each.expected, got: each.got, instead: each.instead };
  }
}

function* events(view: RunView): Generator<string> {
  const { record, steps } = view;
  const state = new State(record);
  for (let step = 0; step < steps.length; step++) {
    const row = steps.rowOf(step);
    const event = eventAt(record, row)!;
    const fields = Object.fromEntries(fieldsOf(event).map(({ name, value }) => [name, hex(value)]));
    const changes = changesBetween(record, state, row, steps.rowOf(step + 1));
    const line = {
      row,
      actor: Actor[event.actor],
      event: event.spec.name,
      level: event.level,
      statement: steps.originOfRow(row),
      fields,
      ...(changes.length > 0 && { changes }),
    };
    yield `${step === 0 ? '' : ','}\n${JSON.stringify(line)}`;
  }
}

interface JsonChange {
  readonly space: string;
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

function changesBetween(record: RunRecord, state: State, from: number, to: number): JsonChange[] {
  const changes: JsonChange[] = [];
  const { words } = record;
  for (let row = from; row < to; row++) {
    const at = row * ROW_WORDS;
    if (!isChange(words, row)) continue;
    const space = spaceAt(words, row);
    const key = keyAt(words, row);
    const old = state.seek(row).space(space).get(key);
    changes.push({
      space: spaceSpec(space).name,
      key: hex(key),
      from: hex(old),
      to: hex(old ^ toBigInt(words[at + 3], words[at + 4])),
    });
  }
  return changes;
}
