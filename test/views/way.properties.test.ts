/**
 * Figure, hover, `mmu translate` and journal say the same: at every attempt of an access in a run, the way of its address is what the
 * journal's own rows say was read, reached or denied; and what a statement came to is what its way says at the end.
 */
import assert from 'node:assert/strict';
import { Kind } from '../../server/src/engine/journal/events';
import { eventAt, kindAt } from '../../server/src/events/fields';
import type { Event } from '../../server/src/events/fields';
import { hex } from '../../server/src/events/wording';
import type { TranslationView } from '../../server/src/protocol/translation';
import { cameTo } from '../../server/src/views/came-to';
import { translationMarkdown, translationText } from '../../server/src/views/translation-text';
import type { RunView } from '../../server/src/views/view';
import { pageFault } from '../../server/src/events/decode';
import { translate } from '../../server/src/views/way/way';
import { everyEntry } from '../../server/src/views/way/every-entry';
import { MOST_LINES } from '../../server/src/services/hover-lines';
import { waysText } from '../../server/src/services/ways-text';
import { holdFigure } from '../figure/held';
import { attempts } from './attempts';
import type { Attempted } from './attempts';
import { holdsForAllRuns } from './run-sources';

/** Figures of a run that are held to its ways: those of many accesses are alike. */
const MOST_DRAWN = 100;

const allEntries = (way: TranslationView) => everyEntry(way).map(({ entry }) => entry);

/** Rows of the processor in an attempt, as events. */
function eventsOf({ record }: RunView, { from, to }: Attempted): Event[] {
  const events: Event[] = [];
  for (let row = from; row < to; row++) {
    const event = kindAt(record, row) > Kind.change ? eventAt(record, row) : null;
    if (event) events.push(event);
  }
  return events;
}

/** Every numbered entry is the read of that number, and the numbers go up to the last read. */
function holdReferences(way: TranslationView, events: readonly Event[]): void {
  const reads = events.filter((event) => event.kind === Kind.table_read);
  const numbered = allEntries(way).filter(({ reference }) => reference !== null);
  for (const { reference, at, value, level } of numbered) {
    const read = reads[reference! - 1];
    assert.ok(read?.kind === Kind.table_read, `reference ${reference}`);
    assert.deepEqual([at ?? hex(read.fields.address), value, level], [hex(read.fields.address), hex(read.fields.entry), read.level]);
  }
  const last = Math.max(0, ...numbered.map(({ reference }) => reference!));
  assert.equal(last, reads.length, 'the last read is shown');
  const numbers = new Set(numbered.map(({ reference }) => reference));
  assert.equal(numbers.size, numbered.length, 'no number twice');
}

/** What the attempt came to, by the journal alone. */
function ended(
  { record }: RunView,
  events: readonly Event[],
  { to }: Attempted,
): { readonly hpa?: string; readonly fault?: string; readonly exit?: Event } {
  const last = events
    .filter(({ kind }) => kind !== Kind.tlb_fill && kind !== Kind.stale && kind !== Kind.table_write && kind !== Kind.pml_log)
    .at(-1)!;
  if (last.kind === Kind.translated) return { hpa: hex(last.fields.hpa) };
  if (last.kind === Kind.tlb_hit) return { hpa: hex(last.fields.hpa) };
  if (last.kind === Kind.ept_violation || last.kind === Kind.ept_misconfig || last.kind === Kind.nested_page_fault) return { exit: last };
  const next = eventAt(record, to);
  return next?.kind === Kind.guest_fault ? { fault: pageFault(next.fields.error) } : {};
}

function holdAttempt(view: RunView, attempt: Attempted, drawn: boolean): void {
  const { under, from } = attempt;
  const events = eventsOf(view, attempt);
  const way = translate(view, { position: from, vm: under.vm, vcpu: under.vcpu }, under.address, under.space, under.access);
  holdReferences(way, events);
  const { hpa, fault, exit } = ended(view, events, attempt);
  const deciding = allEntries(way).filter(({ decides }) => decides !== null && decides === way.now!.kind);
  if (hpa !== undefined) {
    assert.deepEqual([way.now?.kind, way.now?.what], ['ok', `→ hpa ${hpa}`]);
    assert.equal(way.stations.at(-1)!.address, hpa);
    assert.equal(way.outcome, `→ hpa ${hpa}`);
  } else if (fault !== undefined) {
    assert.deepEqual([way.now?.kind, way.now?.what], ['fault', fault]);
    assert.equal(way.stations.length, 1);
  } else if (exit) {
    assert.equal(way.now?.kind, 'exit');
    assert.ok(
      deciding.some(({ level }) => level === exit.level),
      `the deciding entry is of level ${exit.level}`,
    );
  } else assert.ok(way.now?.kind === 'exit', 'an exit');
  if (way.now!.kind !== 'ok' && way.now!.what !== 'PML full') assert.ok(way.now!.why, 'it says why');
  holdTexts(way);
  if (!drawn) return;
  holdFigure(way);
  holdHover(way);
}

/** Hover and terminal are made of the same. */
function holdTexts(way: TranslationView): void {
  const [head] = translationText(way);
  assert.ok(head.startsWith(way.outcome));
  const markdown = translationMarkdown(way);
  for (const { space, address } of way.stations) if (address !== null) assert.ok(markdown.includes(`${space} \`${address}\``));
  for (const { label, index, value } of way.walks.flatMap(({ entries }) => entries)) {
    if (value !== null) assert.ok(markdown.includes(`${label}[${index}]`) && markdown.includes(value));
  }
}

/** A hover has the outcome first, then what decides, in at most eleven lines of eighty columns. */
function holdHover(way: TranslationView): void {
  const text = waysText([{ kinds: 'ept', way, after: null, cameTo: null }], MOST_LINES);
  const lines = text.replace(/\\(?=[!-/:-@[-`{-~])|\*\*/g, '').split('\n').filter((line) => line !== '' && !line.startsWith('```')); // prettier-ignore
  const rows = lines.reduce((sum, line) => sum + Math.ceil(line.length / 80), 0);
  assert.ok(rows <= MOST_LINES, `${rows} lines`);
  assert.ok(lines[0].startsWith(way.end.what));
  const all = lines.join(' ').replace(/ {2,}/g, ' ');
  for (const { label, index, value, decides } of allEntries(way)) {
    if (decides !== null) assert.ok(all.includes(`${label}[${index}] at `) && (value === null || all.includes(value)), `${label} decides`);
  }
  for (const { address } of way.stations) if (address !== null) assert.ok(all.includes(address));
}

/** What statements came to has the addresses of their ways. */
function holdOutcomes(view: RunView, last: ReadonlyMap<number, Attempted>): void {
  for (const outcome of view.record.outcomes) {
    const { result } = outcome;
    const verdict = cameTo(view, outcome);
    const attempt = last.get(outcome.from);
    if (result.kind === 'page-fault') assert.ok(verdict?.what === pageFault(result.error));
    const act = view.record.program.acts[outcome.act];
    if (result.kind !== 'ok' || result.hpa === null || !attempt || !('by' in act) || act.by.vm !== attempt.under.vm) continue;
    const { under, from } = attempt;
    const way = translate(view, { position: from, vm: under.vm, vcpu: under.vcpu }, under.address, under.space, under.access);
    // What was emulated was not reached by the processor.
    if (way.now?.kind !== 'ok') continue;
    assert.equal(way.now.what, verdict!.what);
    const nested = view.record.program.machine.vms[under.vm].parent !== null;
    const reached = (space: string): string | null => way.stations.find((each) => each.space === space)?.address ?? null;
    const hva = reached(nested ? 'GPA' : 'HVA');
    if (hva !== null && result.hva !== null) assert.equal(hva, hex(result.hva));
  }
}

describe('the way of an address', function () {
  this.timeout(0);

  holdsForAllRuns('is what the journal says', (view) => {
    const last = new Map<number, Attempted>();
    let held = 0;
    for (const attempt of attempts(view)) {
      const { from, under } = attempt;
      // An operand across a page has a way for each of its parts.
      if (Number(under.address % 4096n) + under.size > 4096) continue;
      held++;
      try {
        holdAttempt(view, attempt, held <= MOST_DRAWN);
      } catch (error) {
        if (error instanceof Error) error.message = `row ${from} of ${view.record.program.name}: ${error.message}`;
        throw error;
      }
      const head = view.steps.headOfRow(from);
      if (head !== null) last.set(head, attempt);
    }
    holdOutcomes(view, last);
    return held;
  });
});
