/** Which mutants are tried: random ones by a seed, as many of each kind as can be, over all files alike. */
import { MUTATIONS } from './mutants';
import type { Mutant } from './mutants';

/** Mulberry32: numbers in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** At most `count` of the mutants, kinds in turn, at most one a line; the same for the same seed and sources. */
export function choose(mutants: readonly Mutant[], count: number, seed: number): Mutant[] {
  const random = randomNumbers(seed);
  const left = MUTATIONS.map((kind) => mutants.filter((mutant) => mutant.kind === kind));
  const lines = new Set<string>();
  const chosen: Mutant[] = [];
  for (let turn = 0; chosen.length < count && left.some((each) => each.length > 0); turn++) {
    const pool = left[turn % left.length];
    while (pool.length > 0) {
      const at = Math.floor(random() * pool.length);
      const [mutant] = pool.splice(at, 1);
      const place = `${mutant.file}:${mutant.line}`;
      if (lines.has(place)) continue;
      lines.add(place);
      chosen.push(mutant);
      break;
    }
  }
  return chosen;
}
