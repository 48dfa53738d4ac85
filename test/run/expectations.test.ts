import { strict as assert } from 'node:assert';
import type { Inspection } from '../../server/src/engine/inspection';
import { Actor, Kind } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import type { Expectation, Program } from '../../server/src/engine/program';
import type { ExitCount, Result } from '../../server/src/engine/result';
import { VmxExit } from '../../server/src/engine/x86/exit-reasons';
import type { Counts } from '../../server/src/events/totals/counts';
import { evaluate } from '../../server/src/run/expectations';
import type { Outcome } from '../../server/src/run/record';
import { RunTotals } from '../../server/src/run/totals';

const program = {
  machine: { host: { vendor: 'intel', kvm: { tdpMmu: true } }, vms: [{ name: 'guest', mmu: 'ept' }] },
  acts: [],
} as unknown as Program;

const machine: Inspection = {
  entry: (_table, _by, address, level) => (address === 0n ? null : { level: level || 1, at: 0x4000, value: 0x5067n }),
  pageState: (_vm, gpa, state) => gpa === 0x4000 && state === 'unsync',
  dirtyPages: (_vm, slot) => (slot === 0 ? [0x5000, 0x7000] : null),
  tlbHas: (_by, address) => address === 0x40_0000n,
  word: (_vm, gpa) => (gpa < 0x1_0000 ? 7n : null),
  hpaOf: (_vm, gpa) => (gpa < 0x1_0000 ? 0x10_0000 + gpa : null),
  register: (_by, name) => (name === 'cr2' ? 0x40_0123n : 0x8001_0033n),
  control: () => null,
  brokenInvariants: () => [],
};

const ok: Result = { kind: 'ok', gpa: 0x5123, hva: 0x7f00_0000_5123, hpa: 0x10_5123, value: 5n };
const fault: Result = { kind: 'page-fault', error: 7, address: 0x40_0123n };

const totalsOf = (journal: Journal, of: Program): Counts => new RunTotals(of).upTo(journal);

function judge(what: Expectation, result: Result | null = ok, exits: readonly ExitCount[] = [], references = 0, journal = new Journal()) {
  const last: Outcome | null = result && { act: 0, origin: 0, from: 0, to: journal.length, result, exits, references };
  const { holds, expected, got, instead } = evaluate(
    { do: 'expect', origin: 1, by: { vm: 0, vcpu: 0 }, what },
    { machine, journal, last, program, totals: () => totalsOf(journal, program) },
  );
  return { holds, expected, got, instead };
}

describe('expectations on the result of an act', () => {
  it('say what happened instead, and what would hold', () => {
    assert.deepEqual(judge({ kind: 'ok' }, fault), {
      holds: false,
      expected: 'ok',
      got: '#PF(P W U) at 0x40_0123',
      instead: '#PF(P W U)',
    });
    assert.deepEqual(judge({ kind: 'page-fault', error: 5 }, ok), {
      holds: false,
      expected: '#PF(P U)',
      got: 'ok, hpa 0x10_5123',
      instead: 'ok',
    });
  });

  it('hold when the result is of that kind', () => {
    assert.equal(judge({ kind: 'ok' }).holds, true);
    assert.equal(judge({ kind: 'ok' }, { kind: 'done' }).holds, true);
    assert.equal(judge({ kind: 'page-fault', error: 7 }, fault).holds, true);
    assert.equal(judge({ kind: 'page-fault', error: null }, fault).holds, true);
    assert.equal(judge({ kind: 'page-fault', error: 3 }, fault).holds, false);
    assert.equal(judge({ kind: 'general-protection' }, { kind: 'general-protection', error: 0 }).holds, true);
    const mmio: Result = { kind: 'mmio', gpa: 0xd000_0000, write: false, value: 9n };
    assert.equal(judge({ kind: 'mmio', write: null }, mmio).holds, true);
    assert.equal(judge({ kind: 'mmio', write: true }, mmio).instead, 'mmio read');
    assert.equal(judge({ kind: 'value', value: 9n }, mmio).holds, true);
    assert.equal(judge({ kind: 'error', errno: 'EEXIST' }, { kind: 'error', errno: 'EEXIST', why: 'slot 1 overlaps slot 0' }).holds, true);
    assert.match(
      judge({ kind: 'error', errno: 'EINVAL' }, { kind: 'error', errno: 'EEXIST', why: 'slot 1 overlaps slot 0' }).got,
      /EEXIST \(slot 1/,
    );
  });

  it('compare addresses and values', () => {
    assert.equal(judge({ kind: 'value', value: 5n }).holds, true);
    assert.deepEqual(judge({ kind: 'value', value: 6n }).got, 'value 0x5');
    assert.equal(judge({ kind: 'address', space: 'hva', address: 0x7f00_0000_5123 }).holds, true);
    assert.equal(judge({ kind: 'address', space: 'gpa', address: 0x5000 }).instead, 'gpa 0x5123');
    assert.equal(judge({ kind: 'address', space: 'gpa', address: 0x5000 }, fault).got, '#PF(P W U) at 0x40_0123');
    assert.equal(judge({ kind: 'hpa-of-gpa', gpa: 0x5123 }).holds, true);
    assert.equal(judge({ kind: 'hpa-of-gpa', gpa: 0x6123 }).got, 'hpa 0x10_5123 of gpa 0x5123 (gpa 0x6123 is at hpa 0x10_6123)');
  });

  it('fail when there is no act before them', () => {
    assert.equal(judge({ kind: 'ok' }, null).got, 'nothing was done before it');
    assert.equal(judge({ kind: 'exits', count: 0, reason: null, compare: '==' }, null).holds, false);
  });
});

describe('expectations say what they expect', () => {
  for (const [what, expected] of [
    [{ kind: 'exits', count: 3, reason: null, compare: '==' }, 'exits 3'],
    [{ kind: 'exits', count: 3, reason: null, compare: '>=' }, 'exits >= 3'],
    [{ kind: 'exits', count: 3, reason: null, compare: '<=' }, 'exits <= 3'],
    [{ kind: 'absent', table: 'tdp', vm: 0, address: 0x1000n, level: 0, not: false }, 'tdp entry of 0x1000 absent'],
    [{ kind: 'absent', table: 'tdp', vm: 0, address: 0x1000n, level: 2, not: true }, 'tdp entry of 0x1000 at level 2 present'],
    [{ kind: 'page-state', vm: 0, gpa: 0x4000, state: 'unsync', not: false }, 'page 0x4000 unsync'],
    [{ kind: 'page-state', vm: 0, gpa: 0x4000, state: 'unsync', not: true }, 'page 0x4000 not unsync'],
  ] as const satisfies readonly (readonly [Expectation, string])[]) {
    it(expected, () => assert.equal(judge(what).expected, expected));
  }
});

describe('expectations of nested runs', () => {
  const exit = {
    kind: 'vm-exit',
    reason: 'EPT_VIOLATION',
    code: 48,
    info1: 0x181n,
    info2: 0n,
    gpa: 0x5000,
    error: 0,
  } as const satisfies Result;

  it('on exits that are left to the script', () => {
    assert.equal(judge({ kind: 'vm-exit', reason: null }, exit).holds, true);
    assert.equal(judge({ kind: 'vm-exit', reason: 'EPT_VIOLATION' }, exit).holds, true);
    assert.equal(judge({ kind: 'vm-exit', reason: '#PF' }, { ...exit, reason: 'PF excp' }).holds, true);
    assert.deepEqual(judge({ kind: 'vm-exit', reason: 'EPT_MISCONFIG' }, exit), {
      holds: false,
      expected: 'exit EPT_MISCONFIG',
      got: 'exit EPT_VIOLATION',
      instead: 'exit EPT_VIOLATION',
    });
    assert.equal(judge({ kind: 'vm-exit', reason: null }, ok).instead, 'ok');
  });

  it('tell exits of a VM inside a VM from those of the VM around it, and events by their actor', () => {
    const journal = new Journal();
    for (const reason of [VmxExit.EPT_VIOLATION, VmxExit.EPT_VIOLATION]) {
      journal.actor = Actor.L0;
      journal.row(Kind.kvm_exit, 0, reason, 0, 0, 0, 0);
      journal.row(Kind.kvm_nested_vmexit, 0, reason, 0, 0, 0, 0);
      journal.actor = Actor.L1;
      journal.row(Kind.kvm_exit, 0, reason, 0, 0, 0, 0);
    }
    const exits = [
      { reason: 'EPT_VIOLATION', count: 3 },
      { reason: 'VMRESUME', count: 1 },
    ];
    const vms = [
      { name: 'l1', parent: null, mmu: 'ept' },
      { name: 'l2', parent: 0, mmu: 'ept' },
    ];
    const nested = { ...program, machine: { ...program.machine, vms } } as unknown as Program;
    const judged = (what: Expectation) =>
      evaluate(
        { do: 'expect', origin: 1, by: { vm: 1, vcpu: 0 }, what },
        {
          machine,
          journal,
          last: { act: 0, origin: 0, from: 0, to: journal.length, result: ok, exits, references: 0 },
          program: nested,
          totals: () => totalsOf(journal, nested),
        },
      );
    const from = (vm: number, reason: string | null) => judged({ kind: 'exits', count: 9, reason, compare: '==', from: vm }).got;
    assert.equal(from(1, null), '2 exits from l2: 2 × EPT_VIOLATION');
    assert.equal(from(0, null), '2 exits from l1: EPT_VIOLATION, VMRESUME');
    assert.equal(from(0, 'EPT_VIOLATION'), '1 exit of EPT_VIOLATION from l1: EPT_VIOLATION, VMRESUME');
    const event = (value: string) =>
      judged({ kind: 'events', events: [{ name: 'kvm_nested_vmexit', fields: [{ name: 'actor', value }] }] }).holds;
    assert.deepEqual([event('L0'), event('L1')], [true, false]);
  });

  it('on fields of control structures', () => {
    const field = { kind: 'control', vm: 1, field: 'eptp', value: 0x805en } as const;
    assert.equal(judge(field).holds, false);
    assert.match(judge(field).got, /there is no vmcs.eptp/);
  });
});

describe('expectations on exits and references', () => {
  const exits = [
    { reason: 'EPT_VIOLATION', count: 5 },
    { reason: 'EXCEPTION_NMI', count: 1 },
  ];

  it('count all, or one reason by its name; #PF on either vendor', () => {
    assert.equal(judge({ kind: 'exits', count: 6, reason: null, compare: '==' }, ok, exits).holds, true);
    assert.equal(judge({ kind: 'exits', count: 5, reason: 'EPT_VIOLATION', compare: '==' }, ok, exits).holds, true);
    assert.equal(judge({ kind: 'exits', count: 1, reason: '#PF', compare: '==' }, ok, exits).holds, true);
    assert.equal(judge({ kind: 'exits', count: 1, reason: '#PF', compare: '==' }, ok, [{ reason: 'PF excp', count: 1 }]).holds, true);
    assert.equal(judge({ kind: 'exits', count: 7, reason: null, compare: '<=' }, ok, exits).holds, true);
    assert.equal(judge({ kind: 'exits', count: 7, reason: null, compare: '>=' }, ok, exits).holds, false);
  });

  it('name the exits that were made', () => {
    assert.deepEqual(judge({ kind: 'exits', count: 1, reason: null, compare: '==' }, ok, exits), {
      holds: false,
      expected: 'exits 1',
      got: '6 exits: 5 × EPT_VIOLATION, EXCEPTION_NMI',
      instead: 'exits 6',
    });
    assert.equal(judge({ kind: 'references', count: 24, compare: '==' }, ok, [], 24).holds, true);
    assert.equal(judge({ kind: 'references', count: 24, compare: '==' }, ok, [], 1).got, '1 reference');
  });
});

describe('expectations on the state', () => {
  const table = { format: '4-level', root: 0x1000 } as const;
  const entry = (value: bigint, mask: bigint): Expectation => ({ kind: 'entry', table, vm: 0, address: 0x40_0000n, level: 1, mask, value });

  it('compare entries under a mask and show them by bits', () => {
    assert.equal(judge(entry(0x5067n, ~0n & 0xffff_ffff_ffff_ffffn)).holds, true);
    assert.equal(judge(entry(2n, 2n)).holds, true);
    assert.equal(judge(entry(0n, 2n)).got, 'level 1 entry 0x5067 (P R/W U/S A D)');
    assert.equal(
      judge(entry(4n, 0x8000_0000_0000_0806n)).expected,
      'entry of 0x40_0000 at level 1 R/W clear, U/S set, XD clear, bits 0x800 = 0x0',
    );
    assert.match(judge({ kind: 'entry', table, vm: 0, address: 0n, level: 1, mask: 1n, value: 1n }).got, /the way ends above it/);
  });

  it('know an absent entry', () => {
    assert.equal(judge({ kind: 'absent', table: 'tdp', vm: 0, address: 0n, level: 0 }).holds, true);
    assert.equal(judge({ kind: 'absent', table: 'tdp', vm: 0, address: 1n, level: 0 }).holds, false);
  });

  it('ask for the state of pages, dirty logs, the TLB, memory and registers', () => {
    assert.equal(judge({ kind: 'page-state', vm: 0, gpa: 0x4000, state: 'unsync', not: false }).holds, true);
    assert.deepEqual(judge({ kind: 'page-state', vm: 0, gpa: 0x5000, state: 'write-protected', not: false }), {
      holds: false,
      expected: 'page 0x5000 write_protected',
      got: 'it is not write_protected',
      instead: 'page 0x5000 not write_protected',
    });
    assert.equal(judge({ kind: 'dirty', vm: 0, slot: 0, gpas: [0x7000, 0x5000] }).holds, true);
    assert.deepEqual(judge({ kind: 'dirty', vm: 0, slot: 0, gpas: [0x5000, 0x6000] }), {
      holds: false,
      expected: 'dirty slot 0 [0x5000 +8K]',
      got: 'clean: 0x6000; dirty as well: 0x7000',
      instead: 'dirty slot 0 [0x5000, 0x7000]',
    });
    assert.equal(judge({ kind: 'dirty', vm: 0, slot: 3, gpas: [] }).got, 'slot 3 has no dirty log');
    assert.equal(judge({ kind: 'tlb', address: 0x40_0000n, present: true }).holds, true);
    assert.equal(judge({ kind: 'tlb', address: 0x50_0000n, present: true }).got, 'the translation is not cached');
    assert.equal(judge({ kind: 'word', vm: 0, gpa: 0x5000, value: 7n }).holds, true);
    assert.equal(judge({ kind: 'word', vm: 0, gpa: 0x2_0000, value: 7n }).got, 'gpa 0x2_0000 is in no slot of guest');
    assert.equal(judge({ kind: 'register', register: 'cr2', mask: 0xffff_ffff_ffff_ffffn, value: 0x40_0123n }).holds, true);
    assert.equal(judge({ kind: 'register', register: 'cr0', mask: 1n << 16n, value: 1n << 16n }).holds, true);
  });
});

describe('expectations on events', () => {
  const journal = new Journal();
  journal.row(Kind.kvm_exit, 0, 48, 0x83, 0, 0, 0);
  journal.row(Kind.more, 0, 0, 0, 0, 0, 0);
  journal.row(Kind.kvm_mmu_get_page, 0, 1, 5, 0, 0, 0);
  journal.row(Kind.kvm_exit, 0, 49, 0, 0, 0, 0);
  journal.row(Kind.more, 0, 0, 0, 0, 0, 0);
  const events = (...patterns: [string, ...[string | null, bigint | string][]][]): Expectation => ({
    kind: 'events',
    events: patterns.map(([name, ...fields]) => ({ name, fields: fields.map(([field, value]) => ({ name: field, value })) })),
  });

  it('hold in order, others in between', () => {
    assert.equal(judge(events(['kvm_exit', [null, 'EPT_VIOLATION']], ['kvm_exit', [null, 49n]]), ok, [], 0, journal).holds, true);
    assert.equal(judge(events(['kvm_mmu_get_page', ['gfn', 5n], ['created', 'new']]), ok, [], 0, journal).holds, true);
    assert.equal(judge(events(['kvm_mmu_get_page'], ['kvm_mmu_get_page']), ok, [], 0, journal).holds, false);
  });

  it('say which was missing and what stood nearest', () => {
    const { got } = judge(events(['kvm_exit', [null, 'EPT_MISCONFIG']], ['kvm_exit']), ok, [], 0, journal);
    assert.equal(got, 'no kvm_exit after kvm_exit(EPT_MISCONFIG)');
    assert.match(
      judge(events(['kvm_exit', [null, 'INVLPG']]), ok, [], 0, journal).got,
      /^no kvm_exit\(INVLPG\); the last kvm_exit there is EPT_MISCONFIG/,
    );
  });
});
