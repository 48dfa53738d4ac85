import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { fileURLToPath } from 'node:url';
import type { TraceEvent } from '../../server/src/import/trace-event';
import { TraceReader } from '../../server/src/import/trace-reader';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Reads a trace in pieces of a size. */
function readTrace(bytes: Uint8Array, piece = 1 << 16): { readonly events: TraceEvent[]; readonly reader: TraceReader } {
  const events: TraceEvent[] = [];
  const reader = new TraceReader((event) => events.push(event));
  for (let at = 0; at < bytes.length; at += piece) reader.push(bytes.subarray(at, at + piece));
  reader.end();
  return { events, reader };
}

const fixture = (name: string): Buffer => readFileSync(here(`fixtures/${name}`));
const text = (given: string): Buffer => Buffer.from(given);
const counted = (map: ReadonlyMap<string, { readonly count: number }>): object =>
  Object.fromEntries([...map].map(([name, { count }]) => [name, count]));

describe('a trace', () => {
  it('of the kernel: comments, flags, stacks, lost events, other subsystems', () => {
    const { events, reader } = readTrace(fixture('two-vcpus.ftrace'));
    assert.deepEqual(
      events.map(({ name, pid, cpu }) => [name, pid, cpu]),
      [
        ['kvm_exit', 4101, 2],
        ['kvm_page_fault', 4101, 2],
        ['kvm_exit', 4102, 3],
        ['fast_page_fault', 4101, 2],
        ['kvm_mmu_spte_requested', 4101, 2],
        ['kvm_tdp_mmu_spte_changed', 4101, 2],
        ['kvm_mmu_set_spte', 4101, 2],
        ['kvm_entry', 4101, 2],
        ['kvm_halt_poll_ns', 4102, 3],
      ],
    );
    assert.equal(events[2].comm, 'CPU 1/KVM');
    assert.equal(events[0].time, 901_000_100_000);
    assert.deepEqual([events[0].line, events[0].form], [14, 'ftrace']);
    assert.equal(fixture('two-vcpus.ftrace').subarray(events[3].offset).toString().split('\n')[0].includes('fast_page_fault'), true);
    const { counts } = reader;
    assert.deepEqual(counted(counts.others), { '': 1, irq_handler_entry: 1 });
    assert.deepEqual(counted(counts.keptAsText), { kvm_halt_poll_ns: 1 });
    assert.deepEqual([counts.stack, counts.lost, counts.text, counts.unread.size], [3, 4 + 12, 0, 0]);
    assert.deepEqual(
      reader.problems.all().map(({ kind, line }) => [kind, line]),
      [['lost-events', 3]],
    );
  });

  it('of trace-cmd: no flags, blanks in names of tasks, words of its own, what grep puts between', () => {
    const { events, reader } = readTrace(fixture('trace-cmd.txt'));
    assert.equal(events.length, 7);
    assert.deepEqual([...new Set(events.map(({ comm }) => comm))], ['CPU 0/KVM', 'fc_vcpu 0']);
    assert.deepEqual(
      events.map(({ form }) => form),
      ['trace-cmd', 'trace-cmd', 'trace-cmd', 'trace-cmd', 'trace-cmd', 'trace-cmd', 'ftrace'],
    );
    assert.deepEqual(counted(reader.counts.others), { write_msr: 1, rcu_utilization: 1 });
    assert.deepEqual([reader.counts.marks, reader.counts.text], [4, 0]);
    assert.equal(events.at(-1)!.values!.reason, 0x78);
  });

  it('that a mailer has quoted and wrapped', () => {
    const { events, reader } = readTrace(fixture('mail-wrapped.txt'));
    assert.deepEqual(
      events.map(({ name, line, lines }) => [name, line, lines]),
      [
        ['kvm_page_fault', 3, 2],
        ['kvm_tdp_mmu_spte_changed', 5, 2],
        ['kvm_exit', 8, 3],
        ['kvm_mmu_pagetable_walk', 11, 3],
        ['kvm_mmu_pagetable_walk', 14, 1],
      ],
    );
    assert.deepEqual(events[0].values, { address: 0x84_d000n, error_code: 4n });
    assert.equal(events[2].values!.reason, 48);
    assert.deepEqual(events[3].values, { addr: 0x40_1000n, pferr: 6n });
    // What stands around it is no part of it, and is counted.
    assert.deepEqual(
      reader.counts.firstTexts.map(({ line }) => line),
      [1, 15],
    );
  });

  it('of perf script: systems before names, threads, call chains', () => {
    const { events, reader } = readTrace(fixture('perf-script.txt'));
    assert.deepEqual(
      events.map(({ name, comm, pid, tgid, time }) => [name, comm, pid, tgid, time]),
      [
        ['kvm_exit', 'CPU 0/KVM', 9110, 9101, 4_711_000_001_000],
        ['handle_mmio_page_fault', 'CPU 0/KVM', 9110, 9101, 4_711_000_002_000],
        ['kvm_fast_mmio', 'qemu-system-x86', 9110, null, 4_711_000_003_000],
        ['kvm_entry', 'fc_vcpu 0', 9120, null, 4_711_000_003_500],
      ],
    );
    assert.deepEqual([reader.counts.stack, reader.counts.others.get('sched_switch')?.count, reader.counts.text], [2, 1, 0]);
  });

  it('in other forms: of several recordings, numbered by grep, by latency, of a clock that counts, with lists of fields', () => {
    const { events, reader } = readTrace(fixture('other-forms.txt'));
    assert.deepEqual(
      events.map(({ name, pid, time, ticks, values }) => [name, pid, time, ticks, values === null ? null : 'read']),
      [
        ['kvm_entry', 7001, 5_559_771_610_941_000, false, 'read'],
        ['kvm_entry', 81, 1_000_001_000, false, 'read'],
        ['kvm_exit', 81, 1_000_123_000, false, 'read'],
        ['kvm_entry', 81, 5_534_534_534, true, 'read'],
        ['kvm_new_in_7_0', 81, 5_534_534_536, true, null],
        ['kvm_mmu_get_page', 81, 5_534_534_537, true, 'read'],
        ['mark_mmio_spte', 81, 5_534_534_538, true, 'read'],
        ['kvm_page_fault', 81, 5_534_534_539, true, null],
      ],
    );
    assert.deepEqual([events[0].host, events[0].tgid], ['trace.dat', 7000]);
    assert.equal(events[6].values!.sptep, undefined);
    assert.deepEqual(counted(reader.counts.keptAsText), { kvm_new_in_7_0: 1 });
    assert.deepEqual(
      reader.problems.all().map(({ kind, line }) => [kind, line]),
      [
        ['unread-text', 9],
        ['cut-line', 10],
      ],
    );
  });

  it('is the same in pieces of any size, and every line is counted', () => {
    const all = Buffer.concat(readdirSync(here('fixtures')).map((name) => Buffer.concat([fixture(name), text('\n')])));
    const whole = readTrace(all);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (piece) => {
        const { events, reader } = readTrace(all, piece);
        assert.deepEqual(events, whole.events);
        assert.deepEqual(reader.counts, whole.reader.counts);
      }),
      { numRuns: 12 },
    );
    const { counts, lines } = whole.reader;
    const others = [...counts.others.values()].reduce((sum, { count }) => sum + count, 0);
    assert.equal(counts.events + others + counts.continued + counts.stack + counts.marks + counts.text, lines);
  });

  it('can have other letters than those of English, lines of any length, and none at its end', () => {
    const entry = '  vm-größe-7 [000] 1.000001: kvm_entry: vcpu 0, rip 0x10';
    const { events, reader } = readTrace(text(`${entry}\r\n${'x'.repeat(200_000)}\n🙂\n${entry}`), 5000);
    assert.deepEqual(
      events.map(({ line, comm }) => [line, comm]),
      [
        [1, 'vm-größe'],
        [4, 'vm-größe'],
      ],
    );
    assert.equal(events[1].offset, Buffer.byteLength(`${entry}\r\n${'x'.repeat(200_000)}\n🙂\n`));
    assert.equal(reader.counts.text, 2);
    assert.deepEqual(
      reader.problems.all().map(({ kind }) => kind),
      ['cut-line'],
    );
  });

  it('of recorded kernels has no line that is not read', function () {
    const folder = here('../../../shared/kvm-6.12/trace-text');
    if (!existsSync(folder)) return this.skip();
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.trace'));
    assert.ok(files.length > 20);
    for (const name of files) {
      const { events, reader } = readTrace(readFileSync(join(folder, name)));
      assert.equal(events.length, reader.lines, name);
      assert.ok(
        events.every(({ values }) => values !== null),
        name,
      );
    }
  });

  it('found in public is read', function () {
    const folder = here('../../../shared/inputs');
    if (!existsSync(folder)) return this.skip();
    const traces = readdirSync(folder).filter((name) => /trace/.test(name));
    assert.ok(traces.length > 7);
    for (const name of traces) {
      const { events, reader } = readTrace(readFileSync(join(folder, name)));
      assert.ok(events.length > 0, name);
      assert.deepEqual([...reader.counts.unread.keys(), ...reader.counts.firstTexts], [], name);
    }
  });
});
