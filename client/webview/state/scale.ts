/** Addresses to places on a line: what is used is to scale, gaps are as long as the logarithm of what they leave out. */

interface Interval {
  readonly from: number;
  readonly size: number;
}

/** A part of the line. */
interface Part extends Interval {
  /** Nothing is there. */
  readonly gap: boolean;
  readonly x: number;
  readonly width: number;
}

/** Pixels. */
const LEAST_USED = 10;
const LEAST_GAP = 8;
const A_DOUBLING = 0.7;

export class Scale {
  readonly parts: readonly Part[];

  /**
   * @param used ranges, in bytes; they may overlap
   * @param width of the line in pixels
   */
  constructor(used: readonly Interval[], width: number) {
    const cut = partsOf(used);
    const gaps = cut.map(({ gap, size }) => (gap ? LEAST_GAP + A_DOUBLING * Math.log2(size / 4096 + 1) : 0));
    const room = Math.max(0, width - sum(gaps));
    const bytes = sum(cut.map(({ gap, size }) => (gap ? 0 : size)));
    const least = Math.min(LEAST_USED, room / Math.max(1, cut.filter(({ gap }) => !gap).length));
    const wanted = cut.map(({ gap, size }) => (gap ? 0 : Math.max(least, (size / bytes) * room)));
    // What was widened is taken from the others.
    const spare = sum(wanted.map((each) => Math.max(0, each - least)));
    const over = sum(wanted) - room;
    let x = 0;
    this.parts = cut.map((part, i) => {
      const own = part.gap ? gaps[i] : wanted[i] - (spare > 0 ? (Math.max(0, wanted[i] - least) / spare) * over : 0);
      const placed = { ...part, x, width: own };
      x += own;
      return placed;
    });
  }

  /** Place of an address, in pixels from the left. */
  at(address: number): number {
    const part = this.parts.find(({ from, size }) => address >= from && address <= from + size);
    return part ? part.x + ((address - part.from) / part.size) * part.width : 0;
  }
}

/** The line cut where a range begins or ends. */
function partsOf(used: readonly Interval[]): { from: number; size: number; gap: boolean }[] {
  const cuts = [...new Set(used.flatMap(({ from, size }) => [from, from + size]))].sort((a, b) => a - b);
  return cuts.slice(1).map((to, i) => {
    const from = cuts[i];
    return { from, size: to - from, gap: !used.some((each) => each.from <= from && each.from + each.size >= to) };
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
