/** The top of the tree: what a machine has, and how a path leads to a thing. */
import { Space } from '../../engine/journal/spaces';
import { Bank, Register } from '../../engine/vcpu/registers';
import { plural } from '../../events/wording';
import type { MachineState } from '../machine-state';
import { counterThings } from './counters';
import { slotThings } from './memory-map';
import { vcpuThings } from './registers';
import { rmapThings, rootThings, shadowPageThings, shadowPagesText, sptesTouched, trackThings } from './shadow-pages';
import { tableRoots } from './table-roots';
import type { Thing, Touched } from './thing';
import { tlbThings } from './tlb';

const anyOf =
  (...spaces: readonly Space[]) =>
  (touched: Touched): boolean =>
    spaces.some((space) => (touched.get(space)?.size ?? 0) > 0);

function sections(state: MachineState): readonly Thing[] {
  const has = (space: Space): boolean => state.words(space).size > 0;
  const some = (there: boolean, thing: Thing): Thing[] => (there ? [thing] : []);
  const pages = has(Space.shadowPage);
  return [
    {
      part: 'tables',
      name: 'Page tables',
      inside: () => tableRoots(state),
      touchedBy: (touched) =>
        anyOf(Space.memory, Space.register)(touched) && tableRoots(state).some(({ touchedBy }) => touchedBy!(touched)),
    },
    { part: 'vcpus', name: 'Registers', inside: () => vcpuThings(state), touchedBy: anyOf(Space.register) },
    {
      part: 'slots',
      name: 'Memory slots',
      inside: () => slotThings(state),
      touchedBy: anyOf(Space.slot, Space.hostArea, Space.hostPage, Space.dirtyLog),
    },
    ...some(has(Space.tlb), { part: 'tlb', name: 'TLB', inside: () => tlbThings(state), touchedBy: anyOf(Space.tlb) }),
    ...some(pages, {
      part: 'roots',
      name: 'Roots',
      inside: () => rootThings(state, rootsInHardware(state)),
      touchedBy: anyOf(Space.shadowPage),
    }),
    ...some(pages, {
      part: 'shadow',
      name: 'Shadow pages',
      decoded: shadowPagesText(state),
      inside: () => shadowPageThings(state),
      touchedBy: anyOf(Space.shadowPage),
    }),
    ...some(pages, {
      part: 'rmap',
      name: 'Reverse map',
      inside: () => rmapThings(state),
      touchedBy: (touched) => sptesTouched(state, touched),
    }),
    ...some(has(Space.track), {
      part: 'track',
      name: 'Tracked frames',
      decoded: plural(state.words(Space.track).size, 'frame'),
      inside: () => trackThings(state),
      touchedBy: anyOf(Space.track),
    }),
    { part: 'counters', name: 'Counters', inside: () => counterThings(state), touchedBy: anyOf(Space.vm) },
  ];
}

/** Frames of the roots that stand in hardware, of all vCPUs. */
function rootsInHardware(state: MachineState): ReadonlySet<number> {
  const frames = new Set<number>();
  state.machine.vms.forEach(({ vcpus, parent }, vm) =>
    vcpus.forEach((_, vcpu) => {
      if (parent !== null) return;
      for (const bank of [Bank.own, Bank.nested]) {
        const registers = state.registers(vm, vcpu, bank);
        for (const register of [Register.hwCr3, Register.secondRoot])
          frames.add(Number((registers.value(register) >> 12n) & 0xff_ffff_ffffn));
      }
    }),
  );
  return frames;
}

const RANGE = /^(\d+)-(\d+)$/;

/** Entries of a run that is shown as one; null: the part names a thing. */
export function runOf(part: string): { readonly first: number; readonly last: number } | null {
  const [, first, last] = RANGE.exec(part) ?? [];
  return first === undefined ? null : { first: Number(first), last: Number(last) };
}

/** What is inside the thing at a path, of all when it is empty; null: there is no such thing. */
export function insideOf(state: MachineState, path: string): readonly Thing[] | null {
  let things: readonly Thing[] = sections(state);
  if (path === '') return things;
  for (const part of path.split('/')) {
    const run = runOf(part);
    if (run) things = things.filter(({ fold }) => fold !== undefined && fold.at >= run.first && fold.at <= run.last);
    else {
      const thing = things.find((each) => each.part === part);
      if (!thing?.inside) return null;
      things = thing.inside();
    }
  }
  return things;
}

/** The thing at a path; null: there is none. */
export function thingAt(state: MachineState, path: string): Thing | null {
  const cut = path.lastIndexOf('/');
  const things = insideOf(state, path.slice(0, Math.max(0, cut)));
  return things?.find(({ part }) => part === path.slice(cut + 1)) ?? null;
}
