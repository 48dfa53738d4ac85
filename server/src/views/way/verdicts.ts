/** What an access comes to, in one sentence: the fault or exit, the entry that decides, its bit and the rule. */
import { ACCESS_IMPLICIT, ACCESS_USER } from '../../engine/journal/events';
import { deciding } from '../../engine/x86/deciding';
import type { Deciding, Rule } from '../../engine/x86/deciding';
import { keyOf } from '../../engine/x86/entries';
import { Access, Rights } from '../../engine/x86/permissions';
import { Walk } from '../../engine/x86/stage';
import type { Walker } from '../../engine/x86/walker';
import { shiftOf } from '../../engine/x86/walker-state';
import { accessText, pageFault } from '../../events/decode';
import { bytes, hex } from '../../events/wording';
import type { Verdict, VerdictKind } from '../../protocol/translation';
import { indexOf } from './entries';
import { entryName, labelOf } from './tables';
import type { Tables } from './tables';

/** A verdict with the entry that it stands on. */
export interface Judged {
  readonly verdict: Verdict;
  /** Null: no entry decides. */
  readonly deciding: Deciding | null;
}

/** Ends that no entry decides by a rule of the architecture. */
const OTHER_SECTIONS = ['mmio', 'mmio-mark', 'read-only-slot', 'non-canonical', 'host-mapping', 'first-touch'] as const;
/** Sections of docs/outcomes.md. */
type Section = Rule | (typeof OTHER_SECTIONS)[number];

export function verdict(kind: VerdictKind, what: string, why: string | null = null, section: Section | null = null): Verdict {
  return { kind, what, why, section };
}

/** `#PF(P W U): PT[0].R/W = 0, user write`. */
export function sentence({ what, why }: Verdict): string {
  return why === null ? what : `${what}: ${why}`;
}

export function reachedAt(hpa: number): Verdict {
  return verdict('ok', `→ hpa ${hex(hpa)}`);
}

export const NOT_CANONICAL = verdict('fault', '#GP', 'the address is not canonical', 'non-canonical');

/**
 * Of a walk that failed in its own tables.
 *
 * @param kind what a page fault by these tables is: the guest's own, or an exit of a hypervisor that shadows its tables
 * @param reading the entry of the stage above that was to be read, or in which flags were to be set; null: the access itself
 */
export function judge(walker: Walker, tables: Tables, kind: 'fault' | 'exit', reading: string | null = null): Judged {
  const found = deciding(walker);
  const { rule, level } = found;
  const entry =
    level === 0 ? '' : entryName(tables, labelOf(walker.format, level), indexOf(walker.format, level, walker.entryAddress(level)));
  const mark = isMmioMark(walker, tables);
  const said = mark ? `${entry} marks MMIO` : WHY[rule](entry, walker, found);
  const why = [said, reading !== null && `reading ${reading}`].filter(Boolean).join(', ');
  return { verdict: verdict(kind, whatOf(walker, kind), why, mark ? 'mmio-mark' : rule), deciding: found };
}

function whatOf({ format, status, errorCode }: Walker, kind: 'fault' | 'exit'): string {
  if (status === Walk.pmlFull) return 'PML full';
  if (format.ept) return status === Walk.reserved ? 'EPT misconfiguration' : 'EPT violation';
  if (format.userOnly) return 'nested page fault';
  return kind === 'exit' ? `exit ${pageFault(errorCode)}` : pageFault(errorCode);
}

/** KVM has made the entry malformed, as a mark of MMIO (§3.11). */
function isMmioMark(walker: Walker, { sptes }: Tables): boolean {
  const { status, level } = walker;
  return status === Walk.reserved && sptes !== null && sptes.isMmio(walker.entryLo(level), walker.entryHi(level));
}

/** `user write` of a walk's access, as its tables take it. */
function accessOf({ access, format }: Walker): string {
  return accessText(format.userOnly ? (access & ~ACCESS_IMPLICIT) | ACCESS_USER : access);
}

type Words = (entry: string, walker: Walker, deciding: Deciding) => string;

const WHY: { readonly [rule in Rule]: Words } = {
  'not-present': (entry, { format }) => (format.ept ? `${entry} is not present` : `${entry}.P = 0`),
  'no-table': (entry, walker, { level }) => `${entry} lies at ${hex(walker.entryAddress(level))}, where no memory is`,
  beyond: (_, { format }) => `the address has bits above bit ${format.inputBits - 1}`,
  'above-maxphyaddr': (entry, { format }, { bit }) => `bit ${bit} of ${entry} is above MAXPHYADDR (${format.maxPhyAddr})`,
  'xd-without-nxe': (entry) => `bit 63 (XD) of ${entry} is set while EFER.NXE = 0`,
  'no-large-page': (entry) => `PS (bit 7) of ${entry} is set, and there is no page of that size`,
  'large-misaligned': (entry, { format }, { bit, level }) =>
    `bit ${bit} of ${entry} is set, an address bit inside its page of ${bytes(2 ** shiftOf(format, level))}`,
  reserved: (entry, _, { bit }) => `bit ${bit} of ${entry} is reserved`,
  'write-without-read': (entry) => `${entry} has W without R`,
  'execute-only': (entry) => `${entry} has X alone, which this processor has not got`,
  'memory-type': (entry, walker, { level }) => `${entry} has memory type ${(walker.entryLo(level) >>> 3) & 7}, which is reserved`,
  'supervisor-page': (entry, walker) => `${entry}.U/S = 0, ${accessOf(walker)}`,
  'read-only': (entry, walker) => {
    const user = walker.format.userOnly || (walker.access & (ACCESS_USER | ACCESS_IMPLICIT)) === ACCESS_USER;
    return `${entry}.R/W = 0${user ? '' : ' with CR0.WP = 1'}, ${accessOf(walker)}`;
  },
  'no-execute': (entry, walker) => `${entry}.XD = 1, ${accessOf(walker)}`,
  smep: (entry, walker) => `${entry}.U/S = 1 with CR4.SMEP = 1, ${accessOf(walker)}`,
  smap: (entry, walker) => {
    const implicit = (walker.access & ACCESS_IMPLICIT) !== 0;
    return `${entry}.U/S = 1 with CR4.SMAP = 1${implicit ? '' : ' and EFLAGS.AC = 0'}, ${accessOf(walker)}`;
  },
  'protection-key': (entry, walker, { level }) => {
    const userPage = (walker.rights & Rights.user) !== 0;
    const key = keyOf(walker.entryHi(level));
    const bits = ((userPage ? walker.pkru : walker.pkrs) >>> (key * 2)) & 3;
    return `${entry} has key ${key}, which has ${(bits & 1) !== 0 ? 'AD' : 'WD'} in ${userPage ? 'PKRU' : 'PKRS'}, ${accessOf(walker)}`;
  },
  'second-stage-right': (entry, { access }, { bit }) => {
    const flags = bit === 1 && (access & Access.table) !== 0;
    return `${entry} has no ${'RWX'[bit ?? 0]}${flags ? ', and setting flags in a table is a write' : ''}`;
  },
  'pml-full': () => 'the buffer of page-modification logging has no room for the page',
};

export const SECTIONS: readonly string[] = [...Object.keys(WHY), ...OTHER_SECTIONS];
