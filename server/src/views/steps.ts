/**
 * The steps of a run: its events in order, by number. Rows of a million events are found without making an object of any
 * other; only the rows asked for become objects.
 */
import { eventAtRow } from '../engine/journal/attribution';
import { Actor, Kind } from '../engine/journal/events';
import { ROW_WORDS } from '../engine/journal/journal';
import type { StepRow } from '../protocol/messages';
import type { RunRecord } from '../run/record';
import { callsOf, executionOf, performedText } from './execution';
import { performerOf } from './performer';
import { describe } from '../events/describe';
import { eventAt } from '../events/fields';
import type { Script } from './view';
import { lastAtMost } from './last-at-most';

export class StepIndex {
  /** Journal row of each step, ascending. */
  private readonly eventRows: Uint32Array;
  /** Journal rows that begin a statement, ascending, and the statement of each. */
  private readonly heads: Uint32Array;
  private readonly origins: Uint32Array;
  private firstSteps: Map<string, number> | null = null;

  constructor(
    private readonly record: RunRecord,
    private readonly script: Script,
  ) {
    const { words, length } = record;
    const events = new Uint32Array(length);
    const heads: number[] = [];
    const origins: number[] = [];
    let count = 0;
    for (let row = 0, at = 0; row < length; row++, at += ROW_WORDS) {
      const kind = words[at] & 0xff;
      if (kind === Kind.change || kind === Kind.more) continue;
      events[count++] = row;
      if (kind === Kind.statement) {
        heads.push(row);
        origins.push(words[at + 1] >>> 0);
      }
    }
    this.eventRows = events.slice(0, count);
    this.heads = Uint32Array.from(heads);
    this.origins = Uint32Array.from(origins);
  }

  /** Number of steps. */
  get length(): number {
    return this.eventRows.length;
  }

  /** Journal row of a step; the journal's length for a step beyond the last. */
  rowOf(step: number): number {
    return step < this.length ? this.eventRows[Math.max(0, step)] : this.record.length;
  }

  /** The step whose event is at this row, or the last one before it; 0 when there is none. */
  stepOfRow(row: number): number {
    return Math.max(0, lastAtMost(this.eventRows, row));
  }

  /** The statement that caused a row; null for the set-up. */
  originOfRow(row: number): number | null {
    const head = lastAtMost(this.heads, row);
    return head < 0 ? null : this.origins[head];
  }

  /** Row at which the statement of a row begins; null in the set-up. */
  headOfRow(row: number): number | null {
    const head = lastAtMost(this.heads, row);
    return head < 0 ? null : this.heads[head];
  }

  /** First step of each statement executed, that of the set-up before them. */
  groups(): Uint32Array {
    const firsts = Array.from(this.heads, (row) => this.stepOfRow(row));
    if (this.length > 0 && firsts[0] !== 0) firsts.unshift(0);
    return Uint32Array.from(firsts);
  }

  /** First step of a statement; null when it was not executed. */
  stepOfOrigin(origin: number): number | null {
    const head = this.origins.indexOf(origin);
    return head < 0 ? null : this.stepOfRow(this.heads[head]);
  }

  /** First step of the statement that begins at a line or, failing that, of the last one begun before it in that file. */
  stepAtLine(uri: string, line: number): number | null {
    for (let at = line; at >= 0; at--) {
      const step = this.linesOf().get(`${uri}\n${at}`);
      if (step !== undefined) return step;
    }
    return null;
  }

  /** Steps [from, from + count), fewer at the end. */
  rows(from: number, count: number): StepRow[] {
    const rows: StepRow[] = [];
    const end = Math.min(from + count, this.length);
    for (let step = Math.max(0, from); step < end; step++) rows.push(this.row(step));
    return rows;
  }

  private row(step: number): StepRow {
    const row = this.eventRows[step];
    const begun = eventAtRow(this.record, row);
    // An event that goes on is the same one still.
    const event = eventAt(this.record, begun)!;
    const origin = this.originOfRow(row);
    const act = this.actOfRow(row);
    const { program } = this.record;
    const execution = origin === null ? null : executionOf(this.script, program, origin, act);
    const described = describe(event, program);
    const text = begun === row ? described.text : `goes on · ${described.text}`;
    return {
      step,
      actor: Actor[event.kind === Kind.statement ? performerOf(program, act) : event.actor] as StepRow['actor'],
      event: event.spec.name,
      text: event.kind === Kind.statement && execution ? performedText(this.script, program, origin!, act) : text,
      address: described.address,
      line: execution ? execution.place.range.start.line : null,
      kind: described.kind,
    };
  }

  /** Index of the act that a row is of, which stands in the second field of its statement's event; -1 in the set-up. */
  private actOfRow(row: number): number {
    const head = this.headOfRow(row);
    return head === null ? -1 : this.record.words[head * ROW_WORDS + 3];
  }

  private linesOf(): Map<string, number> {
    if (this.firstSteps) return this.firstSteps;
    const lines = (this.firstSteps = new Map<string, number>());
    for (let head = 0; head < this.heads.length; head++) {
      const place = this.script.statements[this.origins[head]];
      const bound = this.record.program.bound?.[this.actOfRow(this.heads[head])] ?? null;
      for (const { uri, range } of place ? [place, ...callsOf(this.script, bound)] : []) {
        const key = `${uri}\n${range.start.line}`;
        if (!lines.has(key)) lines.set(key, this.stepOfRow(this.heads[head]));
      }
    }
    return lines;
  }
}
