/**
 * Expectations judged: each against the act before it or the state at its point, worded so that a failed one says what
 * happened instead. Asks the machine and the journal; changes neither.
 */
import type { Inspection } from '../engine/inspection';
import type { Journal } from '../engine/journal/journal';
import type { ExpectAct, Expectation, HypervisorTable, Performer, Program, TableRef } from '../engine/program';
import type { ExitCount, ExpectationResult, Result } from '../engine/result';
import { entryFields } from '../engine/x86/entries';
import type { EntryKind } from '../engine/x86/entries';
import { errorFlags } from '../events/decode';
import { entryText } from '../events/entry-text';
import { exitsText, totalExits } from '../events/exits';
import type { Counts } from '../events/totals/counts';
import { hex, pageRanges, plural } from '../events/wording';
import { compares, comparison, isReason } from './counted';
import { matchEvents } from './event-patterns';
import { exitsFrom } from './exits-from';
import type { Outcome } from './record';
import { judgeTotal } from './totals';

interface Context {
  readonly machine: Inspection;
  readonly journal: Journal;
  /** Outcome of the act before the expectation; null when nothing was done yet. */
  readonly last: Outcome | null;
  readonly program: Program;
  /** What was counted of the run up to here. */
  totals(): Counts;
}

type Kind = Expectation['kind'];
type Of<K extends Kind> = Extract<Expectation, { kind: K }>;
type Judge<K extends Kind> = (what: Of<K>, context: Context, by: Performer) => ExpectationResult;

export function evaluate(act: ExpectAct, context: Context): ExpectationResult {
  const judge = JUDGES[act.what.kind] as Judge<Kind>;
  return judge(act.what, context, act.by);
}

function judged(holds: boolean, expected: string, got: string, instead: string | null = null): ExpectationResult {
  return { kind: 'expectation', holds, expected, got, instead: holds ? null : instead };
}

const NOTHING_YET = 'nothing was done before it';

/** A result as the expectation that it meets: `ok`, `#PF(P W U)`, `mmio read`, `error EEXIST`. */
function resultAsExpectation(result: Result): string {
  switch (result.kind) {
    case 'page-fault':
      return `#PF(${errorFlags(result.error).join(' ')})`;
    case 'general-protection':
      return '#GP';
    case 'mmio':
      return `mmio ${result.write ? 'write' : 'read'}`;
    case 'shutdown':
      return 'shutdown';
    case 'vm-exit':
      return `exit ${result.reason}`;
    case 'error':
      return `error ${result.errno}`;
    default:
      return 'ok';
  }
}

/** The same with what people want to know besides. */
function resultInWords(result: Result): string {
  const short = resultAsExpectation(result);
  switch (result.kind) {
    case 'ok':
      return result.hpa === null ? short : `${short}, hpa ${hex(result.hpa)}`;
    case 'page-fault':
      return `${short} at ${hex(result.address)}`;
    case 'mmio':
      return `${short} at gpa ${hex(result.gpa)}`;
    case 'error':
      return `${short} (${result.why})`;
    default:
      return short;
  }
}

/** Judges by the last act's result alone. */
function byResult<K extends Kind>(expected: (what: Of<K>) => string, holds: (what: Of<K>, result: Result) => boolean): Judge<K> {
  return (what, { last }) => {
    if (!last) return judged(false, expected(what), NOTHING_YET);
    return judged(holds(what, last.result), expected(what), resultInWords(last.result), resultAsExpectation(last.result));
  };
}

function countOf(exits: readonly ExitCount[], reason: string | null): number {
  if (reason === null) return totalExits(exits);
  return exits.reduce((sum, each) => (isReason(each.reason, reason) ? sum + each.count : sum), 0);
}

const vmName = (program: Program, vm: number): string => program.machine.vms[vm]?.name ?? `VM ${vm}`;

/** `tdp entry of 0x40_0000`, `entry of 0x40_0000 at level 2`. */
function entryName(table: TableRef | HypervisorTable, address: bigint, level: number): string {
  const of =
    typeof table === 'string' ? `${table} entry` : table.format === 'ept' || table.format === 'npt' ? `${table.format} entry` : 'entry';
  return `${of} of ${hex(address)}${level > 0 ? ` at level ${level}` : ''}`;
}

const ALL_BITS = 0xffff_ffff_ffff_ffffn;

/** Bits of an entry by name: `R/W clear, U/S set`. */
function bitsText(kind: EntryKind, level: number, mask: bigint, value: bigint): string {
  const said: string[] = [];
  let rest = mask;
  for (const { name, bits } of entryFields(kind, level, value)) {
    if ((rest & bits) !== bits) continue;
    rest &= ~bits;
    const lowest = bits & -bits;
    said.push(bits === lowest ? `${name} ${(value & bits) !== 0n ? 'set' : 'clear'}` : `${name} = ${(value & bits) / lowest}`);
  }
  if (rest !== 0n) said.push(`bits ${hex(rest)} = ${hex(value & rest)}`);
  return said.join(', ');
}

/** Bits that make an entry present: R, W or X in EPT, P elsewhere. `tdp` is EPT where the VM at the root runs under it. */
function presentBits(table: TableRef | HypervisorTable, program: Program): bigint {
  return isEpt(table, program) ? 7n : 1n;
}

function isEpt(table: TableRef | HypervisorTable, program: Program): boolean {
  if (typeof table !== 'string') return table.format === 'ept';
  return table.startsWith('tdp') && program.machine.vms[0]?.mmu === 'ept';
}

/** Whose tables: the expectation's VM by its vCPU, or by the performer's own. */
function performerOf(vm: number, by: Performer): Performer {
  return vm === by.vm ? by : { vm, vcpu: 0 };
}

/** Ranges of pages that a message names. */
const MOST_RANGES = 8;
const gpas = (list: readonly number[]): string => (list.length === 0 ? 'none' : pageRanges(list, MOST_RANGES));
const asExpected = (list: readonly number[]): string => `[${pageRanges(list)}]`;

const PAGE_STATE_WORDS: { readonly [state in Of<'page-state'>['state']]: string } = {
  'write-protected': 'write_protected',
  tracked: 'tracked',
  unsync: 'unsync',
  synced: 'synced',
  shadowed: 'shadowed',
};

const JUDGES: { readonly [K in Kind]: Judge<K> } = {
  ok: byResult(
    () => 'ok',
    (_, result) => result.kind === 'ok' || result.kind === 'done' || result.kind === 'dirty-log',
  ),

  'page-fault': byResult(
    ({ error }) => (error === null ? '#PF' : `#PF(${errorFlags(error).join(' ')})`),
    ({ error }, result) => result.kind === 'page-fault' && (error === null || result.error === error),
  ),

  'general-protection': byResult(
    () => '#GP',
    (_, result) => result.kind === 'general-protection',
  ),

  shutdown: byResult(
    () => 'shutdown',
    (_, result) => result.kind === 'shutdown',
  ),

  mmio: byResult(
    ({ write }) => (write === null ? 'mmio' : `mmio ${write ? 'write' : 'read'}`),
    ({ write }, result) => result.kind === 'mmio' && (write === null || result.write === write),
  ),

  'vm-exit': byResult(
    ({ reason }) => `exit${reason === null ? '' : ` ${reason}`}`,
    ({ reason }, result) => result.kind === 'vm-exit' && (reason === null || isReason(result.reason, reason)),
  ),

  error: byResult(
    ({ errno }) => `error ${errno}`,
    ({ errno }, result) => result.kind === 'error' && result.errno === errno,
  ),

  value: ({ value }, { last }) => {
    const expected = `value ${hex(value)}`;
    if (!last) return judged(false, expected, NOTHING_YET);
    const { result } = last;
    const got = result.kind === 'ok' || result.kind === 'mmio' ? result.value : null;
    if (got === null) return judged(false, expected, resultInWords(result), resultAsExpectation(result));
    return judged(got === value, expected, `value ${hex(got)}`, `value ${hex(got)}`);
  },

  address: ({ space, address }, { last }) => {
    const expected = `${space} ${hex(address)}`;
    if (!last) return judged(false, expected, NOTHING_YET);
    const { result } = last;
    const got = result.kind === 'ok' ? result[space] : result.kind === 'mmio' && space === 'gpa' ? result.gpa : null;
    if (got === null) return judged(false, expected, resultInWords(result), resultAsExpectation(result));
    return judged(got === address, expected, `${space} ${hex(got)}`, `${space} ${hex(got)}`);
  },

  'hpa-of-gpa': ({ gpa }, { last, machine }, by) => {
    const expected = `hpa of gpa ${hex(gpa)}`;
    if (!last) return judged(false, expected, NOTHING_YET);
    const { result } = last;
    if (result.kind !== 'ok' || result.hpa === null) return judged(false, expected, resultInWords(result), resultAsExpectation(result));
    const wanted = machine.hpaOf(by.vm, gpa);
    const at = wanted === null ? `gpa ${hex(gpa)} has no host page` : `gpa ${hex(gpa)} is at hpa ${hex(wanted)}`;
    const instead = result.gpa === null ? null : `hpa of gpa ${hex(result.gpa)}`;
    return judged(
      result.hpa === wanted,
      expected,
      `hpa ${hex(result.hpa)}${result.gpa === null ? '' : ` of gpa ${hex(result.gpa)}`} (${at})`,
      instead,
    );
  },

  exits: ({ count, reason, compare, from }, { last, journal, program }) => {
    const of = `${reason === null ? '' : ` of ${reason}`}${from === undefined ? '' : ` from ${vmName(program, from)}`}`;
    const expected = `exits ${comparison(compare)}${count}${of}`;
    if (!last) return judged(false, expected, NOTHING_YET);
    const exits = from === undefined ? last.exits : exitsFrom(from, last, journal, program);
    const actual = countOf(exits, reason);
    const which = exits.length > 0 ? `: ${exitsText(exits)}` : '';
    return judged(compares(actual, compare, count), expected, `${plural(actual, 'exit')}${of}${which}`, `exits ${actual}${of}`);
  },

  references: ({ count, compare }, { last }) => {
    const expected = `references ${comparison(compare)}${count}`;
    if (!last) return judged(false, expected, NOTHING_YET);
    return judged(
      compares(last.references, compare, count),
      expected,
      `${plural(last.references, 'reference')}`,
      `references ${last.references}`,
    );
  },

  total: (what, { totals, program }) => judgeTotal(what, totals(), program),

  entry: ({ table, vm, address, level, mask, value }, { machine, program }, by) => {
    const kind = isEpt(table, program) ? 'ept' : 'paging';
    const found = machine.entry(table, performerOf(vm, by), address, level);
    const wanted = mask === ALL_BITS ? `= ${hex(value)}` : bitsText(kind, found?.level ?? (level || 1), mask, value);
    const expected = `${entryName(table, address, level)} ${wanted}`;
    if (!found) return judged(false, expected, 'no such entry: the way ends above it', 'absent');
    return judged(
      (found.value & mask) === (value & mask),
      expected,
      `level ${found.level} entry ${entryText(kind, found.level, found.value)}`,
      `= ${hex(found.value)}`,
    );
  },

  absent: ({ table, vm, address, level, not }, { machine, program }, by) => {
    const expected = `${entryName(table, address, level)} ${not ? 'present' : 'absent'}`;
    const found = machine.entry(table, performerOf(vm, by), address, level);
    const present = found !== null && (found.value & presentBits(table, program)) !== 0n;
    if (!present) return judged(not !== true, expected, 'absent', 'absent');
    return judged(
      not === true,
      expected,
      `level ${found.level} entry ${entryText(isEpt(table, program) ? 'ept' : 'paging', found.level, found.value)}`,
      `= ${hex(found.value)}`,
    );
  },

  'page-state': ({ vm, gpa, state, not }, { machine }) => {
    const word = PAGE_STATE_WORDS[state];
    const is = machine.pageState(vm, gpa, state);
    const page = `page ${hex(gpa)}`;
    return judged(
      is !== not,
      `${page} ${not ? 'not ' : ''}${word}`,
      `it is ${is ? '' : 'not '}${word}`,
      `${page} ${is ? '' : 'not '}${word}`,
    );
  },

  // Straight after KVM_GET_DIRTY_LOG, which clears the log, what it returned counts.
  dirty: ({ vm, slot, gpas: wanted }, { machine, last, program }) => {
    const expected = `dirty slot ${slot} ${asExpected(wanted)}`;
    const act = last && program.acts[last.act];
    const returned =
      act?.do === 'get-dirty-log' && act.vm === vm && act.id === slot && last?.result.kind === 'dirty-log' ? last.result.gpas : null;
    const actual = returned ?? machine.dirtyPages(vm, slot);
    if (!actual) return judged(false, expected, `slot ${slot} has no dirty log`);
    const is = new Set(actual);
    const should = new Set(wanted);
    const missing = wanted.filter((gpa) => !is.has(gpa));
    const further = actual.filter((gpa) => !should.has(gpa));
    const holds = missing.length === 0 && further.length === 0;
    const difference = [missing.length > 0 && `clean: ${gpas(missing)}`, further.length > 0 && `dirty as well: ${gpas(further)}`].filter(
      Boolean,
    );
    return judged(holds, expected, holds ? gpas(actual) : difference.join('; '), `dirty slot ${slot} ${asExpected(actual)}`);
  },

  tlb: ({ address, present }, { machine }, by) => {
    const is = machine.tlbHas(by, address);
    const said = (has: boolean): string => `tlb[${hex(address)}] ${has ? 'present' : 'absent'}`;
    return judged(is === present, said(present), `the translation is ${is ? '' : 'not '}cached`, said(is));
  },

  events: ({ events }, { last, journal, program }) => matchEvents(events, journal, last?.from ?? 0, program),

  word: ({ vm, gpa, value }, { machine, program }) => {
    const expected = `word ${hex(gpa)} = ${hex(value)}`;
    const actual = machine.word(vm, gpa);
    if (actual === null) return judged(false, expected, `gpa ${hex(gpa)} is in no slot of ${vmName(program, vm)}`);
    return judged(actual === value, expected, hex(actual), `word ${hex(gpa)} = ${hex(actual)}`);
  },

  register: ({ register, mask, value }, { machine }, by) => {
    const whole = mask === ALL_BITS;
    const actual = machine.register(by, register);
    const expected = whole ? `${register} = ${hex(value)}` : `${register} with bits ${hex(mask)} = ${hex(value & mask)}`;
    return judged(
      (actual & mask) === (value & mask),
      expected,
      `${register} = ${hex(actual)}`,
      whole ? `${register} = ${hex(actual)}` : null,
    );
  },

  control: ({ vm, field, value }, { machine, program }, by) => {
    const structure = program.machine.host.vendor === 'amd' ? 'vmcb' : 'vmcs';
    const expected = `${structure}.${field} = ${hex(value)}`;
    const actual = machine.control(performerOf(vm, by), field);
    if (actual === null) return judged(false, expected, `there is no ${structure}.${field} for ${vmName(program, vm)}`);
    const got = `${structure}.${field} = ${hex(actual)}`;
    return judged(actual === value, expected, got, got);
  },

  // Open until all runs are there: same.ts.
  same: () => judged(true, 'same', 'not compared'),
};
