/** Leaves of the tables by which a vCPU runs, and what changed in them: the field `vis`. */
import type { PhysicalMemory } from '../../server/src/engine/memory/physical-memory';
import { toBigInt } from '../../server/src/engine/bits';

/** [gpa, writable, user, executable, level] by address; null: it allows nothing. */
export type Leaf = readonly [string | null, 0 | 1, 0 | 1, 0 | 1, number];
export type Leaves = ReadonlyMap<bigint, Leaf>;

export interface Root {
  readonly hpa: number;
  readonly level: number;
}

export interface LeafFormat {
  readonly ept: boolean;
  /** Guest-physical address of the page that a leaf maps, by the address of the leaf; null: it is the address itself. */
  readonly gpaOf: ((at: number) => bigint | null) | null;
  /** Addresses left out; null: none. */
  readonly skip: ((address: bigint) => boolean) | null;
}

const MMU_PRESENT = 1n << 11n;
const LARGE = 1n << 7n;
const FRAME = 0x000f_ffff_ffff_f000n;

export function leavesOf(memory: PhysicalMemory, root: Root | null, format: LeafFormat): Leaves {
  const leaves = new Map<bigint, Leaf>();
  if (root) collect(memory, root.hpa, root.level, 0n, root.level, format, leaves);
  return leaves;
}

function collect(
  memory: PhysicalMemory,
  table: number,
  level: number,
  base: bigint,
  top: number,
  format: LeafFormat,
  into: Map<bigint, Leaf>,
): void {
  // A PAE root has four entries.
  for (let index = 0; index < (top === 3 && level === 3 ? 4 : 512); index++) {
    const at = table + index * 8;
    const entry = toBigInt(memory.low(at), memory.high(at));
    if (!present(entry, level === 3 && top === 3)) continue;
    const address = base + (BigInt(index) << BigInt(12 + 9 * (level - 1)));
    if (level > 1 && (entry & LARGE) === 0n) {
      collect(memory, Number(entry & FRAME), level - 1, address, top, format, into);
      continue;
    }
    const linear = canonical(address, top);
    if (format.skip?.(linear)) continue;
    const allowed = rights(entry, format.ept);
    // An EPT leaf without rights (access-tracked) maps nothing; in the other format a supervisor reads through it.
    const gpa = format.ept && !allowed.includes(1) ? null : format.gpaOf ? (format.gpaOf(at) ?? 0n) : address;
    into.set(linear, [gpa === null ? null : hex(gpa), ...allowed, level]);
  }
}

/** Entries of a PAE root are plain ones. */
function present(entry: bigint, pdpte: boolean): boolean {
  return (entry & (pdpte ? 1n : MMU_PRESENT)) !== 0n;
}

function rights(entry: bigint, ept: boolean): [0 | 1, 0 | 1, 0 | 1] {
  const bit = (n: bigint): 0 | 1 => (((entry >> n) & 1n) !== 0n ? 1 : 0);
  return ept ? [bit(1n), bit(0n), bit(2n)] : [bit(1n), bit(2n), bit(63n) === 1 ? 0 : 1];
}

/** Leaves that are new or other than before; null where one is gone. */
export function changedLeaves(before: Leaves, after: Leaves): Record<string, Leaf | null> {
  const changes: Record<string, Leaf | null> = {};
  for (const address of before.keys()) if (!after.has(address)) changes[hex(address)] = null;
  for (const [address, leaf] of after) {
    if (JSON.stringify(before.get(address)) !== JSON.stringify(leaf)) changes[hex(address)] = leaf;
  }
  return changes;
}

/** @param top levels of the tables */
function canonical(address: bigint, top: number): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(12 + 9 * Math.max(top, 4), address));
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
