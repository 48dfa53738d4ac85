/** Counts by the names that they have: exit reasons, tables with their levels, names of kvm_stat and of events. */
import { eventOfKind } from '../../engine/journal/event-table';
import { STAGE_GUEST, STAGE_SECOND } from '../../engine/journal/events';
import { STATISTIC_NAMES, STATISTICS } from '../../engine/journal/statistics';
import type { MachineConfig, Program } from '../../engine/program';
import { levelName, reasonName } from '../../events/decode';
import { nested } from '../../events/guests';
import type { Counts, TableOf } from '../../events/totals/counts';
import type { ExitTotal, NamedCount, ReferenceTotal, StatisticTotal, Totals } from '../../protocol/totals';
import { tablesOf } from '../way/tables';

const mostFirst = (a: NamedCount, b: NamedCount): number => b.count - a.count;
export const sum = (counts: readonly NamedCount[]): number => counts.reduce((all, { count }) => all + count, 0);

export function named(counts: Counts, program: Program): Totals {
  const { machine } = program;
  return {
    exits: exits(counts, program),
    references: references(counts, machine),
    statistics: STATISTIC_NAMES.flatMap((name, index): StatisticTotal[] => {
      const count = counts.statistics[index];
      return count === 0 ? [] : [{ name, count, ...STATISTICS[name] }];
    }),
    events: events(counts),
  };
}

function exits(counts: Counts, program: Program): ExitTotal[] {
  const inside = nested(program.machine);
  return counts.exits
    .map(({ reason, guestMode, count }): ExitTotal => ({
      name: reasonName(reason, program),
      from: !inside ? null : guestMode === 1 ? 'L2' : 'L1',
      count,
    }))
    .sort(mostFirst);
}

function events({ events: byKind }: Counts): NamedCount[] {
  const found: NamedCount[] = [];
  byKind.forEach((count, kind) => count > 0 && found.push({ name: eventOfKind(kind)!.name, count }));
  return found.sort(mostFirst);
}

function references(counts: Counts, machine: MachineConfig): ReferenceTotal[] {
  const byTable = new Map<string, { level: number; name: string; count: number }[]>();
  for (const { count, ...of } of counts.references) {
    const { table, name } = tableName(of, machine);
    byTable.set(table, [...(byTable.get(table) ?? []), { level: of.level, name, count }]);
  }
  const named = [...byTable].map(([name, levels]): ReferenceTotal => {
    levels.sort((a, b) => b.level - a.level);
    return { name, count: sum(levels), levels: levels.map(({ name: level, count }) => ({ name: level, count })) };
  });
  return named.sort(mostFirst);
}

/** Which tables an entry was read from, and what such an entry is called. */
function tableName({ stage, level, guestMode }: TableOf, machine: MachineConfig): { table: string; name: string } {
  const inner = machine.vms.findIndex(({ parent }) => parent !== null);
  const vm =
    guestMode === 1 && inner >= 0
      ? inner
      : Math.max(
          0,
          machine.vms.findIndex(({ parent }) => parent === null),
        );
  const { own, l1, l0 } = tablesOf(machine, vm);
  // What the processor walks first is the VM's own, or a shadow of it: L0's, or one that an L1 keeps above L0's EPT or NPT.
  const shadow = l1?.stage === 'shadow' ? l1 : l0.stage === 'shadow' ? l0 : null;
  const tables = stage === STAGE_SECOND ? l0 : stage === STAGE_GUEST ? (l1?.stage === 'shadow' ? l1 : own) : (shadow ?? l0);
  const second = stage === STAGE_SECOND;
  return { table: tables.table, name: second ? `${machine.vms[0].mmu === 'npt' ? 'NPT' : 'EPT'}${level}` : levelName(level) };
}
