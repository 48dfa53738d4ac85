import { strict as assert } from 'node:assert';
import type { Act, Kernel, MmuKind, Program } from '../../server/src/engine/program';
import type { Result } from '../../server/src/engine/result';
import type { Outcome, RunRecord } from '../../server/src/run/record';
import { settle } from '../../server/src/run/same';

const by = { vm: 0, vcpu: 0 };
const read = (origin: number): Act => ({
  do: 'access',
  origin,
  by,
  access: 'read',
  user: true,
  implicit: false,
  ac: null,
  address: 0x1000n,
  size: 8,
  value: null,
  count: 1,
  stride: 0n,
  handler: null,
});
const same = (origin: number): Act => ({ do: 'expect', origin, by, what: { kind: 'same' } });
const open: Result = { kind: 'expectation', holds: true, expected: 'same', got: 'not compared', instead: null };

const record = (mmu: MmuKind, ...results: Result[]): RunRecord => recordWith('6.1', mmu, ...results);

function recordWith(kernel: Kernel, mmu: MmuKind, ...results: Result[]): RunRecord {
  const acts = [...results.map((_, i) => read(i)), same(9)];
  const outcomes = [...results, open].map((result, act): Outcome => ({
    act,
    origin: acts[act].origin,
    from: 0,
    to: 0,
    result,
    exits: [],
    references: 0,
  }));
  const host = { vendor: 'intel', kvm: { kernel } };
  const program = {
    machine: { host, vms: [{ name: 'guest', parent: null, mmu, slots: [], vcpus: [{ paging: '4-level' }] }] },
    acts,
  } as unknown as Program;
  return { program, words: new Int32Array(0), length: 0, setup: 0, outcomes, ended: { how: 'done' } };
}

const ok = (value: bigint, hpa: number): Result => ({ kind: 'ok', gpa: 0x1000, hva: 0x1000, hpa, value });
const fault: Result = { kind: 'page-fault', error: 5, address: 0x1000n };
const verdicts = (records: readonly RunRecord[]) =>
  settle(records).map(({ outcomes }) => {
    const { result } = outcomes.at(-1)!;
    return result.kind === 'expectation' ? [result.holds, result.got] : null;
  });

describe('same under several kinds of MMU', () => {
  it('holds when the guest sees the same, whatever host memory lies behind', () => {
    assert.deepEqual(verdicts([record('soft', ok(5n, 0x1000)), record('ept', ok(5n, 0x9000))]), [
      [true, 'not compared'],
      [true, 'as under soft'],
    ]);
  });

  it('fails at the first difference and says what each saw', () => {
    const [, [holds, got]] = verdicts([record('soft', ok(5n, 1), ok(6n, 1)), record('npt', ok(5n, 1), fault)]) as [
      unknown,
      [boolean, string],
    ];
    assert.equal(holds, false);
    assert.equal(got, 'user read 0x1000: #PF(P U) at 0x1000 under npt, value 0x6 under soft');
  });

  it('holds, and fails, with several kernels, and names them', () => {
    assert.deepEqual(
      verdicts([recordWith('6.1', 'ept', ok(5n, 1)), recordWith('6.12', 'ept', ok(5n, 1)), recordWith('6.12', 'npt', fault)]),
      [
        [true, 'not compared'],
        [true, 'as under ept with kernel 6.1'],
        [false, 'user read 0x1000: #PF(P U) at 0x1000 under npt with kernel 6.12, value 0x5 under ept with kernel 6.1'],
      ],
    );
  });

  it('looks only at the runs that have it', () => {
    const other = record('soft', fault);
    const { program } = other;
    const without = { ...other, program: { ...program, acts: program.acts.slice(0, 1) }, outcomes: other.outcomes.slice(0, 1) };
    const records = [without, record('ept', ok(5n, 1)), record('npt', ok(5n, 1))];
    assert.deepEqual(verdicts(records).slice(1), [
      [true, 'not compared'],
      [true, 'as under ept'],
    ]);
  });

  it('names the kinds of VMs inside VMs', () => {
    const nested = (l2: MmuKind, l1: MmuKind, result: Result): RunRecord => {
      const flat = record(l2, result);
      const vms = [
        { name: 'l1', parent: null, mmu: l1 },
        { name: 'l2', parent: 0, mmu: l2 },
      ];
      const acts = flat.program.acts.map((act) => ({ ...act, by: { vm: 1, vcpu: 0 } }));
      return { ...flat, program: { ...flat.program, acts, machine: { ...flat.program.machine, vms } } as unknown as Program };
    };
    const [, verdict] = verdicts([nested('soft', 'soft', ok(5n, 1)), nested('soft', 'ept', ok(6n, 1))]);
    assert.deepEqual(verdict, [false, 'user read 0x1000: value 0x6 under soft on ept, value 0x5 under soft on soft']);
  });

  it('has nothing to compare in a single run', () => {
    assert.deepEqual(verdicts([record('soft', fault)]), [[true, 'not compared']]);
  });
});
