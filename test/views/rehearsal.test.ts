/**
 * What views take for what the processor does is what it did: at every attempt of an access in a run, the access made once more on the
 * state there writes the rows that the journal has.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { runScript } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import { ACCESS_WHAT, Actor, Kind } from '../../server/src/engine/journal/events';
import { ROW_WORDS } from '../../server/src/engine/journal/journal';
import type { Rows } from '../../server/src/engine/journal/state';
import { partsOf } from '../../server/src/engine/mmu/vcpu/instruction';
import { lowOf, highOf } from '../../server/src/engine/bits';
import { Outcome } from '../../server/src/engine/vcpu/processor';
import type { Program } from '../../server/src/engine/program';
import { kindAt } from '../../server/src/events/fields';
import { execute } from '../../server/src/run/execute';
import { accessUnderWay } from '../../server/src/views/way/accesses';
import type { UnderWay } from '../../server/src/views/way/accesses';
import { hardwareOf } from '../../server/src/views/way/hardware';
import { Rehearsal } from '../../server/src/views/way/rehearsal';
import { RunView } from '../../server/src/views/view';
import { NESTED_KINDS, asNested, nestedOf } from '../engine/mmu/nested/nested-kinds';
import { nestedProgram } from '../engine/mmu/nested/nested-machines';
import { senselessAct, senselessMachine } from '../engine/mmu/nested/senseless-programs';
import { actsOfAll, programs } from '../engine/mmu/random-programs';
import { programOf, worldPrograms } from '../engine/mmu/world-programs';
import { anyWorld } from '../engine/mmu/worlds';

/** Programs a property; more when asked for. */
const RUNS = Number(process.env.WAY_RUNS ?? 20);
const SEED = Number(process.env.WAY_SEED ?? 1);

const PROCESSOR: ReadonlySet<Kind> = new Set([
  Kind.table_read,
  Kind.table_write,
  Kind.translated,
  Kind.tlb_hit,
  Kind.tlb_fill,
  Kind.stale,
  Kind.ept_violation,
  Kind.ept_misconfig,
  Kind.nested_page_fault,
  Kind.pml_log,
]);

/** Rows of the processor from a row on, as text, until somebody else acts. */
function attempted(rows: Rows, from: number): { readonly said: string[]; readonly end: number } {
  const said: string[] = [];
  let at = from;
  for (; at < rows.length; at++) {
    const kind = kindAt(rows, at);
    if (kind === Kind.change || kind === Kind.more) continue;
    if (!PROCESSOR.has(kind)) break;
    const w = at * ROW_WORDS;
    said.push([Kind[kind], rows.words[w] >>> 12, ...rows.words.subarray(w + 1, w + ROW_WORDS)].join(' '));
  }
  return { said, end: at };
}

function rehearsed(view: RunView, row: number, { vm, vcpu, address, space, access, rmw, size }: UnderWay): string[] {
  const state = view.machine(row);
  const hardware = hardwareOf(state, vm, vcpu);
  assert.ok(hardware, `row ${row}: nothing in hardware`);
  const rehearsal = new Rehearsal(state, hardware);
  if (space === 'gpa') return attempted(rehearsal.physical(Number(address), access).rows, 0).said;
  const said: string[] = [];
  const kinds = rmw && state.host.rmwLoadsFirst === true ? [access & ~ACCESS_WHAT, access] : [access];
  for (const kind of kinds) {
    for (const part of partsOf({ lo: lowOf(address), hi: highOf(address), size })) {
      const { outcome, rows } = rehearsal.linear((BigInt(part.hi >>> 0) << 32n) | BigInt(part.lo >>> 0), kind);
      said.push(...attempted(rows, 0).said);
      if (outcome !== Outcome.ok) return said;
    }
  }
  return said;
}

/** @returns attempts compared */
function compare(view: RunView): number {
  const { record, steps } = view;
  let compared = 0;
  for (let row = record.setup; row < record.length; row++) {
    if (!PROCESSOR.has(kindAt(record, row)) || kindAt(record, row) === Kind.change) continue;
    const { said, end } = attempted(record, row);
    const under = accessUnderWay(view, row, steps.headOfRow(row) ?? 0);
    if (under && begins(view, row)) {
      assert.deepEqual(rehearsed(view, row, under), said, `row ${row} of ${record.program.name}`);
      compared++;
    }
    row = end - 1;
  }
  return compared;
}

function viewOf(program: Program): RunView {
  return new RunView(execute(program, {}), { statements: [] });
}

/** An attempt begins with an access or the VM entry before it; other walks are of loads of PDPTEs. */
function begins({ record }: RunView, row: number): boolean {
  for (let at = row - 1; at >= 0; at--) {
    const kind = kindAt(record, at);
    if (kind === Kind.change || kind === Kind.more) continue;
    return kind === Kind.access || kind === Kind.physical_access || (kind === Kind.kvm_entry && actorAt(record, at) === Actor.L0);
  }
  return false;
}

function actorAt({ words }: Rows, row: number): Actor {
  return (words[row * ROW_WORDS] >>> 8) & 15;
}

describe('an access made once more', function () {
  this.timeout(0);

  for (const name of readdirSync('samples', { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.mmu'))) {
    it(`does what it did in ${name}`, () => {
      const path = join('samples', name);
      const script = openScript(readFileSync(path, 'utf8'), pathToFileURL(path).href, {
        read: (each) => readFileSync(new URL(each), 'utf8'),
      });
      assert.ok(runScript(script, {}).reduce((sum, view) => sum + compare(view), 0) > 0);
    });
  }

  for (const kind of NESTED_KINDS) {
    it(`does what it did for a guest's guest, ${kind.name}`, () => {
      fc.assert(
        fc.property(programs(20), (steps) => {
          let hostActs = 0;
          const acts = [...actsOfAll(steps)].map(({ act }) => asNested(act, 'vm' in act && hostActs++ % 2 === 0));
          compare(viewOf(nestedProgram(nestedOf(kind), acts)));
        }),
        { numRuns: Math.ceil(RUNS / 10), seed: SEED },
      );
    });
  }

  it('does what it did in programs without sense for nested guests', () => {
    fc.assert(
      fc.property(senselessMachine, fc.array(senselessAct, { minLength: 5, maxLength: 20 }), (nested, acts) => {
        compare(viewOf(nestedProgram(nested, acts)));
      }),
      { numRuns: 2 * RUNS, seed: SEED },
    );
  });

  it('does what it did in worlds of every kind', () => {
    fc.assert(
      fc.property(anyWorld, worldPrograms(20), (world, steps) => {
        compare(viewOf(programOf(world, steps)));
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });
});
