import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { Explanation } from '../../server/src/import/explanation';
import { explained, entry, exit, fault, line, mapped, sample, unanswered } from './explained';

const facts = (text: string): unknown[] => explained(text).recordings.map(({ since, until, vendor, mmu }) => [since, until, vendor, mmu]);
const problems = ({ problems: all }: Explanation): unknown[] => all.map(({ kind, line: at, count }) => [kind, at, count]);

describe('the machine of a trace', () => {
  it('is told by its texts', () => {
    assert.deepEqual(facts(line(entry())), [['5.10', '6.14', null, null]]);
    assert.deepEqual(facts(line('kvm_entry: vcpu 0')), [[null, '5.10', null, null]]);
    assert.deepEqual(facts(line(exit('EPT_VIOLATION')) + line(fault('1000'))), [['6.0', '6.14', 'intel', 'ept']]);
    assert.deepEqual(facts(line(`${entry()} intr_info 0x00000000 error_code 0x00000000`)), [['6.14', null, null, null]]);
    // The plugin of trace-cmd prints what older kernels print.
    assert.deepEqual(facts(line('kvm_exit: reason EXIT_NPF rip 0x10 info 100000014 1000')), [[null, null, 'amd', 'npt']]);
  });

  it('has shadow paging where KVM takes up exceptions or shadows tables, and has not where there is a second stage', () => {
    const page = (role: string): string => line(`kvm_mmu_get_page: sp gen 0 gfn 4 l1 8-byte q0${role} wux nxe ad root 0 sync new`);
    assert.deepEqual(facts(page('')), [['5.4', null, null, 'soft']]);
    assert.deepEqual(facts(page(' direct')), [['5.4', null, null, null]]);
    assert.deepEqual(facts(line(exit('PF excp')) + line(exit('npf'))), [['5.10', '6.14', 'amd', 'npt']]);
  });
});

describe('what is wrong with a trace', () => {
  it('is two hosts, two kernels, a clock that goes back: what could be read stays', () => {
    const vendors = explained(line(exit('EPT_VIOLATION')) + line(entry()) + line(exit('npf')) + line(entry()));
    assert.deepEqual(problems(vendors), [['two-vendors', 3, 1]]);
    assert.equal(vendors.summary.exits, 2);
    const kernels = explained(line('kvm_page_fault: address 84d000 error_code 4') + line(fault('1000')));
    assert.deepEqual(problems(kernels), [['two-kernels', 2, 1]]);
    assert.match(kernels.problems[0].message, /since 6\.0 \(line 2\).*before 6\.0 \(line 1\)/);
    const [one, two] = [line(entry()), line(entry())];
    assert.deepEqual(problems(explained(two + one + two)), [['clock', 2, 1]]);
    // Of other CPUs nothing follows.
    assert.deepEqual(problems(explained(two + one.replace('[000]', '[001]'))), []);
  });

  it('is a line that is cut off: it is named, and the others are explained', () => {
    const text = mapped(1) + mapped(2);
    const cut = explained(text.slice(0, text.lastIndexOf('kvm_mmu_set_spte: gfn') + 30));
    assert.deepEqual(problems(cut), [['unread-text', 11, 1]]);
    assert.equal(cut.summary.exits, 2);
  });

  it('is not that recordings are printed together: each has its own machine', () => {
    const named = (host: string, text: string): string => text.replace(/^/, `${host}: `);
    const both = explained(named('host.dat', line(exit('npf'))) + named('guest.dat', line(exit('EPT_VIOLATION'))));
    assert.deepEqual(both.recordings.map(({ host, vendor }) => [host, vendor]), [['host.dat', 'amd'], ['guest.dat', 'intel']]); // prettier-ignore
    assert.deepEqual(problems(both), []);
  });
});

describe('a long trace', () => {
  it('is listed from both ends, and what is left out is counted', () => {
    const text = Array.from({ length: 40 }, (_, i) => unanswered(`${(i % 2) + 1}000`, `0x${(i * 16).toString(16)}`) + mapped(i)).join('');
    const { listed, leftOut, summary } = explained(text, 10);
    assert.equal(listed.length, 10);
    assert.equal(listed.length + leftOut, 80);
    assert.equal(summary.exits, 80);
    assert.deepEqual([listed[0].folded.body[0].first.line, listed.at(-1)!.folded.body[0].first.line], [1, 355]);
  });
});

describe('any bytes', () => {
  it('are read without a fault, and every line is counted', () => {
    const lines = ['stale-fault-loop.trace', 'table-writes.trace', 'mmio.trace', 'dirty-logging.trace'].flatMap((name) =>
      sample(name).toString().split('\n'),
    );
    const damaged = fc
      .tuple(fc.constantFrom(...lines), fc.nat(200), fc.string({ unit: 'binary', maxLength: 8 }))
      .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + put.length));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...lines), damaged, fc.string({ unit: 'binary' })), { maxLength: 60 }), (all) => {
        const { lines: count, counts, listed } = explained(all.join('\n'));
        const others = [...counts.others.values()].reduce((sum, each) => sum + each.count, 0);
        assert.equal(counts.events + others + counts.continued + counts.stack + counts.marks + counts.text, count);
        for (const { folded } of listed) assert.ok(folded.body.length > 0);
      }),
      { numRuns: 40 },
    );
  });
});
