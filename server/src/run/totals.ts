/** `total`: sums over a run up to a point, by the rows of its journal. */
import { EVENTS } from '../engine/journal/event-table';
import type { EventName } from '../engine/journal/event-table';
import type { Rows } from '../engine/journal/state';
import { STATISTIC_NAMES } from '../engine/journal/statistics';
import type { Expectation, Program, TotalOf } from '../engine/program';
import type { ExpectationResult } from '../engine/result';
import { reasonName } from '../events/decode';
import { Counter } from '../events/totals/counter';
import { Counts } from '../events/totals/counts';
import { plural } from '../events/wording';
import { compares, comparison, counted, isReason } from './counted';

/** Of a run that goes on: each row is counted once, when a sum is asked for. */
export class RunTotals {
  private counter: Counter | null = null;
  private readonly counts = new Counts();

  constructor(private readonly program: Program) {}

  upTo(journal: Rows): Counts {
    this.counter ??= new Counter(this.program, () => this.counts);
    this.counter.count(journal);
    return this.counts;
  }
}

export function judgeTotal(
  { of, count, compare }: Extract<Expectation, { kind: 'total' }>,
  counts: Counts,
  program: Program,
): ExpectationResult {
  const actual = sumOf(of, counts, program);
  const name = nameOf(of);
  const from = of.what === 'exits' && of.from !== undefined ? ` from ${program.machine.vms[of.from]?.name ?? `VM ${of.from}`}` : '';
  const expectation = (said: string): string => `total ${name} ${said}${from}`;
  const got = of.what === 'exits' && of.reason === null ? `${plural(actual, 'exit')}${from}` : `${actual}`;
  return counted(compares(actual, compare, count), expectation(`${comparison(compare)}${count}`), got, expectation(String(actual)));
}

/** As the language says it. */
function nameOf(of: TotalOf): string {
  switch (of.what) {
    case 'exits':
      return of.reason === null ? 'exits' : `exits ${of.reason}`;
    case 'references':
      return 'references';
    case 'event':
      return of.name;
    case 'statistic':
      return `kvm_stat ${of.name}`;
  }
}

function sumOf(of: TotalOf, counts: Counts, program: Program): number {
  switch (of.what) {
    case 'exits': {
      const inner = of.from === undefined ? null : Number(program.machine.vms[of.from]?.parent !== null);
      return counts.exits
        .filter(({ guestMode }) => inner === null || guestMode === inner)
        .filter(({ reason }) => of.reason === null || isReason(reasonName(reason, program), of.reason))
        .reduce((sum, each) => sum + each.count, 0);
    }
    case 'references':
      return counts.references.reduce((sum, each) => sum + each.count, 0);
    case 'event':
      return counts.events[EVENTS[of.name as EventName].kind];
    case 'statistic':
      return counts.statistics[(STATISTIC_NAMES as readonly string[]).indexOf(of.name)];
  }
}
