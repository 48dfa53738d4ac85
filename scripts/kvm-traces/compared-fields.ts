/**
 * The fields of a line that are compared, by tier: what guest and VMM see (A), the exits (B), what the MMU code did (C). Form and
 * meaning of each: test/kvm-traces/README.md.
 */
import { VmxExit } from '../../server/src/engine/x86/exit-reasons';
import type { Line, Recording } from './lines';
import { isIntel, isSoft } from './mode';
import type { Mode } from './mode';

/**
 * A: what guest and VMM see; B: the exits; C: what the MMU code did. Where a digest has them, R: every bit of its sptes; F: its flushes of
 * the TLB.
 */
export type Tier = 'A' | 'B' | 'C' | 'R' | 'F';

/** How a line is read: what is the recorded code's own, and whether the order of tier C counts. */
export interface Reading extends Recording {
  readonly order: boolean;
}

interface ComparedField {
  readonly tier: Tier;
  /** What is compared of a line: without own events, an absent field as an empty one. */
  readonly of: (line: Line, reading: Reading) => unknown;
  /** Taken for equal though it is not: what the emulated processor below the recorded KVM reports otherwise. */
  readonly accepts?: (recorded: never, actual: never, mode: Mode) => boolean;
}

type Fault = readonly [number, string, string?];
type L1Exit = readonly [string, string, string];

const ownGpa = ({ mode, own }: Reading, gpa: string): boolean => own.frame(mode, BigInt(gpa) >> 12n);

const gfns =
  (field: 'unsync' | 'sync' | 'track' | 'untrack') =>
  (line: Line, { mode, own, order }: Reading): readonly string[] =>
    asSet(
      (line[field] ?? []).filter((gfn) => !own.frame(mode, BigInt(gfn))),
      order,
    );

const gpas =
  (field: 'A' | 'D') =>
  (line: Line, reading: Reading): readonly string[] =>
    asSet(
      (line[field] ?? []).filter((gpa) => !ownGpa(reading, gpa)),
      reading.order,
    );

/** Shadow pages and sptes: gfn, level, and as many more facts as are compared. */
const pages =
  (field: 'new' | 'found' | 'map' | 'zap', facts: number) =>
  (line: Line, { mode, own, order }: Reading): readonly unknown[] =>
    asSet(
      (line[field] ?? []).filter(([gfn, level]) => !own.frame(mode, BigInt(gfn), Number(level))).map((page) => page.slice(0, facts)),
      order,
    );

const FIELDS = {
  v: { tier: 'A', of: value, accepts: sameValue },
  f: { tier: 'A', of: ({ f }) => f ?? [], accepts: sameFaults },
  g: { tier: 'A', of: ({ g }) => byKey(g ?? {}) },
  mmio: { tier: 'A', of: ({ mmio }) => mmio ?? [] },
  dirty: { tier: 'A', of: ({ dirty }, reading) => dirty && asSet(dirty.filter((gpa) => !ownGpa(reading, gpa)), false) }, // prettier-ignore
  l1: { tier: 'A', of: ({ l1 }) => l1 ?? [], accepts: sameL1Exits },
  x: { tier: 'B', of: exits },
  new: { tier: 'C', of: pages('new', 3) },
  found: { tier: 'C', of: pages('found', 3) },
  map: { tier: 'C', of: pages('map', 3) },
  sp: { tier: 'C', of: ({ sp }, { vmx, order }) => (vmx ? asSet(sp ?? [], order) : []) },
  zap: { tier: 'C', of: pages('zap', 2) },
  unsync: { tier: 'C', of: gfns('unsync') },
  sync: { tier: 'C', of: gfns('sync') },
  track: { tier: 'C', of: gfns('track') },
  untrack: { tier: 'C', of: gfns('untrack') },
  ptew: { tier: 'C', of: ({ ptew }, reading) => inOrder((ptew ?? []).filter(([gpa]) => !ownGpa(reading, gpa)), reading.order) }, // prettier-ignore
  A: { tier: 'C', of: gpas('A') },
  D: { tier: 'C', of: gpas('D') },
  inj: { tier: 'C', of: ({ inj }, { order }) => inOrder(inj ?? [], order), accepts: sameFaults },
  ret: { tier: 'C', of: ({ ret }, { order }) => inOrder(ret ?? [], order) },
  vis: { tier: 'C', of: leaves },
  vis2: { tier: 'C', of: l2Leaves },
  raw: { tier: 'R', of: rawSptes },
  flush: { tier: 'F', of: ({ flush }, { order }) => inOrder(flush ?? [], order) },
} as const satisfies { readonly [field in keyof Line]?: ComparedField };

export type FieldName = keyof typeof FIELDS;
export const COMPARED: ReadonlyMap<FieldName, ComparedField> = new Map(Object.entries(FIELDS) as [FieldName, ComparedField][]);

/** What a hypervisor reads of its processor (RDMSR, VMREAD), or sets up for it, is not the MMU's. */
function value({ v, t }: Line, { vmx }: Reading): string | null {
  return (vmx && /^(RDMSR|VMRD|L2INIT)/.test(t)) || v === undefined ? null : v;
}

/** Exits by kind; from their list where there is one, as an own exit is known by its address. */
function exits({ x, xl }: Line, reading: Reading): object {
  if (xl === undefined) return byKey(x ?? {});
  const counts: Record<string, number> = {};
  for (const [kind, , address] of xl) {
    if (ownExit(reading, kind, address) || (reading.vmx && SET_UP.has(kind))) continue;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return byKey(counts);
}

/** Exits by which a hypervisor that uses VMX sets its VMCS up and reads it. */
const SET_UP: ReadonlySet<string> = new Set(['VMON', 'VMCLEAR', 'VMPTRLD', 'VMREAD', 'VMWRITE', 'MSR', 'CR4']);

function ownExit(reading: Reading, kind: string, address: string | undefined): boolean {
  if (address === undefined) return false;
  if (kind === 'PF') return reading.own.address(BigInt(address));
  return (kind === 'NPF' || kind === 'EPTV') && ownGpa(reading, address);
}

/** Without own frames; and without the 512 rows of a table that is taken out of which every digest leaves out those of empty entries. */
function rawSptes({ raw }: Line, { mode, own, order }: Reading): readonly string[] {
  const kept = (raw ?? []).filter((said) => {
    const [, gfn, at, ...values] = said.split(' ');
    const level = /^l\d$/.test(at) ? Number(at[1]) : 0;
    // An entry that leads to an own table is as own as the table.
    return ![level, level - 1].some((each) => own.frame(mode, BigInt(`0x${gfn}`), each)) && !isRemovalOfEmpty(values);
  });
  return inOrder(kept, order);
}

const isRemovalOfEmpty = ([old, now]: readonly string[]): boolean => /^(8000000000000000|0)$/.test(old) && now?.endsWith('5a0');

/** Under nested paging the address of a leaf is guest-physical, and may be the interpreter's. */
function leaves({ vis }: Line, reading: Reading): object {
  return byKey(Object.fromEntries(Object.entries(vis ?? {}).filter(([address]) => isSoft(reading.mode) || !ownGpa(reading, address))));
}

/** Their guest-physical addresses follow from the tables, and are not known of all. */
function l2Leaves({ vis2 }: Line): object {
  return byKey(Object.fromEntries(Object.entries(vis2 ?? {}).map(([address, leaf]) => [address, leaf && leaf.slice(1)])));
}

const text = (value: unknown): string => JSON.stringify(value);

/** Sorted, each once; or as it comes. */
function asSet<T>(list: readonly T[], order: boolean): readonly T[] {
  return order ? list : inOrder([...new Map(list.map((each) => [text(each), each])).values()], false);
}

/** Sorted, unless order counts. */
function inOrder<T>(list: readonly T[], order: boolean): readonly T[] {
  return order ? list : [...list].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

function byKey(record: object): object {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sameList<T>(recorded: readonly T[], actual: readonly T[], same: (a: T, b: T) => boolean): boolean {
  return recorded.length === actual.length && recorded.every((each, i) => same(each, actual[i]));
}

/** RSVD implies P (SDM vol. 3 "Page-fault exceptions"); the emulated AMD processor leaves P out. */
function sameErrorCode(recorded: string, actual: string, mode: Mode): boolean {
  if (recorded === actual) return true;
  const code = BigInt(recorded);
  return !isIntel(mode) && (code & 9n) === 8n && BigInt(actual) === (code | 1n);
}

/** A value in which L1 says the qualification at which it gave up. */
function sameValue(recorded: string | null, actual: string | null): boolean {
  return recorded !== null && actual !== null && recorded.startsWith('0xe970') && sameQualification(recorded, actual);
}

/**
 * With EPT A/D flags an access to a guest's table is a read and a write (SDM vol. 3C, table "Exit Qualification for EPT Violations");
 * the emulated Intel processor says the write alone.
 */
function sameQualification(recorded: string, actual: string): boolean {
  return (BigInt(recorded) & 0x182n) === 0x82n && BigInt(actual) === (BigInt(recorded) | 1n);
}

function sameFaults(recorded: readonly Fault[], actual: readonly Fault[], mode: Mode): boolean {
  return sameList(recorded, actual, (a, b) => a[0] === b[0] && sameErrorCode(a[1], b[1], mode) && a[2] === b[2]);
}

function sameL1Exits(recorded: readonly L1Exit[], actual: readonly L1Exit[], mode: Mode): boolean {
  if (isIntel(mode)) return sameList(recorded, actual, sameVmxExit);
  return sameList(
    recorded,
    actual,
    (a, b) => a[0] === b[0] && (!saysMore(BigInt(a[0])) || (sameErrorCode(a[1], b[1], mode) && a[2] === b[2])),
  );
}

function sameVmxExit(a: L1Exit, b: L1Exit): boolean {
  return a[0] === b[0] && a[2] === b[2] && (a[1] === b[1] || (BigInt(a[0]) === EPT_VIOLATION && sameQualification(a[1], b[1])));
}

const EPT_VIOLATION = BigInt(VmxExit.EPT_VIOLATION);

/**
 * Does an SVM exit of this code say more in EXITINFO1 and EXITINFO2? Not CR accesses and INVLPG without decode assists, which the
 * emulated processor lacks; nor VMRUN, VMMCALL and VMEXIT_INVALID (APM vol. 2 appendix C).
 */
function saysMore(code: bigint): boolean {
  const isCr = code <= 0x1fn;
  const isInvalid = BigInt.asIntN(64, code) < 0n || code === 0xffff_ffffn;
  return !isCr && !isInvalid && ![0x79n, 0x80n, 0x81n].includes(code);
}
