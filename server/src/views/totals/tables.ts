/** Totals as tables with bars: the panel and the report draw these, whatever they are drawn with. */
import { plural } from '../../events/wording';
import type {
  CountLine,
  CountTable,
  NamedCount,
  PartTables,
  PartTotals,
  ReferenceTotal,
  Totals,
  TotalsTables,
  TotalsView,
} from '../../protocol/totals';
import { sum } from './named';

/** The whole run, and its parts. */
export function totalsTables({ run, whole, parts }: TotalsView): TotalsTables {
  const of = ({ totals, ...part }: Omit<PartTotals, 'part'> & { readonly part: PartTables['part'] }): PartTables => ({
    ...part,
    exits: sum(totals.exits),
    references: sum(totals.references),
    events: sum(totals.events),
    tables: tablesOf(totals),
  });
  return [of({ id: 'run', part: 'run', text: run, line: null, times: 1, totals: whole }), ...parts.map(of)];
}

/** Those that are empty left out. */
function tablesOf({ exits, references, statistics, events }: Totals): CountTable[] {
  const all = (counts: readonly NamedCount[], noun: string): string => plural(sum(counts), noun);
  return [
    { title: `${all(exits, 'exit')} by reason`, lines: exitLines(exits) },
    { title: `${all(references, 'reference')} by table`, lines: references.map(referenceLine) },
    { title: 'kvm_stat', lines: statistics.map(({ name, count, about }) => ({ name, count, note: about })) },
    { title: `${all(events, 'event')} by name`, lines: events.map(({ name, count }) => ({ name, count, note: '' })) },
  ].filter(({ lines }) => lines.length > 0);
}

export function exitLines(exits: Totals['exits']): CountLine[] {
  return exits.map(({ name, from, count }) => ({ name, count, note: from === null ? '' : `from ${from}` }));
}

export function referenceLine({ name, count, levels }: ReferenceTotal): CountLine {
  return { name, count, note: levels.map((level) => `${level.name} ${level.count}`).join(' · ') };
}
