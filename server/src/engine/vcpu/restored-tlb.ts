/** The cached translations of a processor as a point of a run has them, for whoever asks what it would do there. */
import { Space, SPACES } from '../journal/spaces';
import type { Spaces } from '../journal/state';
import type { StructureCache } from './structure-cache';
import { decodeTag, TagField } from './tags';
import { FIRST_LINE, type Tlb } from './tlb';
import { LineField, type TlbArray } from './tlb-array';

const LINE = SPACES[Space.tlb].key;
const TAG = SPACES[Space.tlbTag].key;

/**
 * @param tlb empty; what tags it has are forgotten
 * @param processor whose translations
 * @param uses when lines were last used, by their number: later is more; those left out are the oldest
 */
export function restoreTlb(tlb: Tlb, spaces: Spaces, processor: number, uses: ReadonlyMap<number, number>): void {
  restoreTags(tlb, spaces, processor);
  const arrays = arraysOf(tlb);
  const words = spaces.space(Space.tlb);
  const keys = [...words.keys()].filter((key) => LINE.field(key, 'processor') === processor && LINE.field(key, 'field') === LineField.key);
  const lastUse = (key: number): number => uses.get(LINE.field(key, 'line')) ?? -1;
  for (const key of keys.sort((a, b) => lastUse(a) - lastUse(b))) {
    const line = LINE.field(key, 'line');
    const [first, array] = arrays.find(([from, { lines }]) => line >= from && line < from + lines)!;
    const value = LINE.with(key, 'field', LineField.value);
    array.restore(line - first, words.lo(key), words.hi(key), words.lo(value), words.hi(value));
  }
}

function restoreTags({ tags }: Tlb, spaces: Spaces, processor: number): void {
  const words = spaces.space(Space.tlbTag);
  tags.clear();
  for (let number = 1; ; number++) {
    const [space, root] = [TagField.space, TagField.root].map((field) => TAG.encode({ processor, tag: number, field }));
    const tag = decodeTag(words.lo(space), words.lo(root), words.hi(root));
    if (tag === null) return;
    tags.restore(tag);
  }
}

/** All arrays, with the number of their first line. */
function arraysOf({ l1, l1Page2M, l1Page1G, l2, guestPhysical, structures, secondStructures }: Tlb): [number, TlbArray][] {
  const levels = (first: number, cache: StructureCache | null): [number, TlbArray][] =>
    cache === null ? [] : cache.arrays.map((array, i) => [first + i * cache.entries, array]);
  return [
    [FIRST_LINE.l1, l1],
    [FIRST_LINE.l1Page2M, l1Page2M],
    [FIRST_LINE.l1Page1G, l1Page1G],
    [FIRST_LINE.l2, l2],
    ...(guestPhysical === null ? [] : [[FIRST_LINE.guestPhysical, guestPhysical.array] satisfies [number, TlbArray]]),
    ...levels(FIRST_LINE.pagingStructure, structures),
    ...levels(FIRST_LINE.secondStructure, secondStructures),
  ];
}
