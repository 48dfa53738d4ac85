/** Where the memory of a VM inside a VM lies: addresses of L1's VMM, which are taken to be guest-physical ones of L1. */
import { show } from '../semantics/values';
import type { Named } from '../semantics/scopes';
import type { Context } from './context';
import { settingOf } from './slots';
import type { SlotPlacer, SlotPlan } from './slots';
import type { Area } from './tables/allocator';

const K = 2 ** 10;
const M = 2 ** 20;
/** Memory of guests comes from here on, where there is room: below are L1's own kernel and tables. */
const FIRST = 4 * M;

/** A VM as the place of its guests' memory. */
export interface Surroundings {
  readonly named: Named;
  /** Its memory, ascending. */
  readonly areas: readonly Area[];
  /** What its scenario has put there: tables and words. */
  readonly used: readonly Area[];
  /** Tables of its own in an area; null: there are none. */
  tablesIn(area: Area): { readonly tables: Named; readonly gpa: number } | null;
}

/** Finds memory of L1 for slots that do not say where they lie, each congruent to its GPA, so that large pages stay possible. */
export class GuestPlacer implements SlotPlacer {
  private readonly areas: readonly Area[];
  private readonly taken: Area[];

  constructor({ areas, used }: Pick<Surroundings, 'areas' | 'used'>, guests: readonly Area[] = []) {
    this.areas = joined(areas);
    this.taken = [...used, ...guests];
  }

  claim(hva: number, size: number): void {
    this.taken.push({ from: hva, end: hva + size });
  }

  allocate(gpa: number, size: number): number | null {
    for (const unit of [2 * M, 4 * K]) {
      const found = this.search(gpa, size, unit, FIRST) ?? this.search(gpa, size, unit, 0);
      if (found !== null) return found;
    }
    return null;
  }

  private search(gpa: number, size: number, unit: number, first: number): number | null {
    const aligned = (from: number): number => Math.ceil((from - (gpa % unit)) / unit) * unit + (gpa % unit);
    for (const area of this.areas) {
      let at = aligned(Math.max(area.from, first));
      while (at + size <= area.end) {
        const inside = this.taken.find(({ from, end }) => from < at + size && at < end);
        if (!inside) return at;
        at = aligned(inside.end);
      }
    }
    return null;
  }
}

/** Memory of a VM inside another must be memory of that one, and not where the tables of that one lie. */
export function checkGuestMemory(context: Context, slots: readonly SlotPlan[], around: Surroundings): void {
  const memory = joined(around.areas);
  for (const { node, env, config } of slots) {
    const from = config.hva;
    const end = from + config.size;
    const at = settingOf(node, 'hva') ?? node.id;
    const outside = memory.find((area) => area.from <= from && from < area.end);
    if (!outside || end > outside.end) {
      const where = outside ? outside.end : from;
      const message = `hva ${show(where)} is in no slot of ${around.named.name}: the memory of a VM inside it is part of its own`;
      context.report(env, at, 'not-in-slot', message);
      continue;
    }
    const clash = around.tablesIn({ from, end });
    if (!clash) continue;
    const { tables, gpa } = clash;
    const related = [{ file: tables.file, node: tables.definition, message: `${tables.name} are defined here` }];
    context.report(env, at, 'tables-overlap', `${tables.name} of ${around.named.name} have a table at ${show(gpa)}, in this memory`, {
      related,
    });
  }
}

/** Areas that touch are one. */
function joined(areas: readonly Area[]): Area[] {
  const found: Area[] = [];
  for (const area of areas) {
    const last = found.at(-1);
    if (last && area.from <= last.end) found[found.length - 1] = { from: last.from, end: Math.max(last.end, area.end) };
    else found.push(area);
  }
  return found;
}

/** Pages as areas, ascending. */
export function areasOf(pages: Iterable<number>): Area[] {
  const sorted = [...pages].sort((a, b) => a - b);
  return joined(sorted.map((page) => ({ from: page * 4 * K, end: (page + 1) * 4 * K })));
}
