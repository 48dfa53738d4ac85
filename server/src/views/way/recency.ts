/**
 * When the parts of ways that a processor caches were last used: which of them gives way to a new one. The state has what is cached, the
 * rows before it when that was put there and when it served.
 */
import type { Structure } from '../../engine/journal/enumerations';
import { Kind } from '../../engine/journal/events';
import { ROW_WORDS } from '../../engine/journal/journal';
import { Space, SPACES } from '../../engine/journal/spaces';
import { isChange, keyAt, spaceAt } from '../../engine/journal/state';
import { structureLine } from '../../engine/vcpu/tlb';
import { CLASS_SHIFTS, decodeLine, LineField } from '../../engine/vcpu/tlb-array';
import { eventAt, kindAt } from '../../events/fields';
import type { EventOf } from '../../events/fields';
import type { MachineState } from '../machine-state';
import type { RunView } from '../view';

/** Rows looked back over: what was not used in so many is old. */
const MOST_ROWS = 20_000;
const LINE = SPACES[Space.tlb].key;

interface Part {
  readonly line: number;
  readonly structure: Structure;
  readonly level: number;
  readonly tag: number;
  /** Addresses that the line serves, shifted by this. */
  readonly page: bigint;
  readonly shift: bigint;
}

/** Row of the last use by line, of lines of paging-structure caches and guest-physical mappings. */
export function lastUses(view: RunView, state: MachineState, position: number, processor: number): ReadonlyMap<number, number> {
  const { record } = view;
  const unknown = new Map(partsOf(state, processor).map((part) => [part.line, part]));
  const uses = new Map<number, number>();
  const used = (line: number, row: number): void => {
    if (unknown.delete(line)) uses.set(line, row);
  };
  const runs = ownRows(view, processor);
  for (let row = position - 1; row >= Math.max(0, position - MOST_ROWS) && unknown.size > 0; row--) {
    if (isChange(record.words, row)) {
      if (spaceAt(record.words, row) !== Space.tlb) continue;
      const key = keyAt(record.words, row);
      if (LINE.field(key, 'processor') === processor) used(LINE.field(key, 'line'), row);
    } else if (kindAt(record, row) === Kind.tlb_hit && runs(row)) {
      const hit = eventAt(record, row) as EventOf<'tlb_hit'>;
      for (const part of unknown.values()) if (serves(part, hit)) used(part.line, row);
    }
  }
  return uses;
}

function serves({ structure, level, tag, page, shift }: Part, { fields, level: of }: EventOf<'tlb_hit'>): boolean {
  return fields.structure === (structure as number) && of === level && fields.tag === tag && fields.address >> shift === page >> shift;
}

/** What is cached of ways, at this point. */
function partsOf(state: MachineState, processor: number): Part[] {
  const words = state.words(Space.tlb);
  const parts: Part[] = [];
  for (const key of words.keys()) {
    const { processor: of, line, field } = LINE.decode(key);
    if (of !== processor || field !== (LineField.key as number)) continue;
    const place = structureLine(line, state.host.tlb);
    if (place === null) continue;
    const value = LINE.with(key, 'field', LineField.value);
    const cached = decodeLine(words.lo(key), words.hi(key), words.lo(value), words.hi(value))!;
    const shift = place.level === 0 ? CLASS_SHIFTS[cached.pageClass] : 3 + 9 * place.level;
    parts.push({ line, ...place, tag: cached.tag, page: cached.page, shift: BigInt(shift) });
  }
  return parts;
}

/** Whether a row is of a statement that this processor performs; of all, where there is one alone. */
function ownRows({ record, steps }: RunView, processor: number): (row: number) => boolean {
  const { machine, acts } = record.program;
  if (machine.vms.filter(({ parent }) => parent === null).every(({ vcpus }) => vcpus.length <= 1)) return () => true;
  return (row) => {
    const head = steps.headOfRow(row);
    const act = head === null ? undefined : acts[record.words[head * ROW_WORDS + 3]];
    if (!act || !('by' in act)) return true;
    const { parent } = machine.vms[act.by.vm];
    const [vm, vcpu] = parent === null ? [act.by.vm, act.by.vcpu] : [parent, act.by.vcpu % machine.vms[parent].vcpus.length];
    return machine.vms.slice(0, vm).reduce((sum, { vcpus }) => sum + vcpus.length, vcpu) === processor;
  };
}
