import { strict as assert } from 'node:assert';
import { deedWords } from '../../server/src/import/episodes/deeds';
import type { Episode } from '../../server/src/import/episodes/episode';
import { faultCode, mmuByBits } from '../../server/src/import/episodes/fault-code';
import { spteChange } from '../../server/src/import/episodes/spte-change';
import type { Explanation } from '../../server/src/import/explanation';
import { entry, exit, explained, fault, line, mapped, sample } from './explained';

const episodesOf = ({ listed }: Explanation): Episode[] => listed.flatMap(({ folded }) => folded.body.map(({ first }) => first));

describe('the code of a page fault', () => {
  it('is read by the kind of MMU in force', () => {
    assert.equal(faultCode(0x181n, 'ept', 'exit').text, '0x181 (read, not present, final)');
    assert.equal(faultCode(0x2_0000_0006n, 'npt', 'exit').text, '0x2_0000_0006 (W·U, guest table)');
    assert.equal(faultCode(0x7n, 'soft', 'exit').text, '0x7 (#PF P·W·U)');
    const table = faultCode(0x83n, 'ept', 'exit');
    assert.deepEqual([table.write, table.table, table.present], [true, true, false]);
    const denied = faultCode(0x1aan, 'ept', 'exit');
    assert.deepEqual([denied.write, denied.table, denied.present], [true, false, true]);
  });

  it('tells by its bits what it is of, as far as they do', () => {
    assert.deepEqual([0x181n, 0x83n, 0x2_0000_0006n, 0x1_0000_0014n, 0x7n, 0x14n].map(mmuByBits), [
      'ept',
      'ept',
      'npt',
      'npt',
      'soft',
      'soft',
    ]);
  });

  it('is that of its exit; without one, that of the trace', () => {
    const kinds = (text: string): unknown[] =>
      episodesOf(explained(text)).flatMap((episode) =>
        episode.fault ? [[episode.fault.code.mmu, episode.fault.code.by, episode.fault.space]] : [],
      );
    const pf = 'kvm_page_fault: address 84d000 error_code 4';
    assert.deepEqual(kinds(line(pf)), [['soft', 'bits', 'gva']]);
    // Kernels before 6.0 print 32 bits of EXITINFO1: only other events tell, later ones too.
    assert.deepEqual(kinds(line(pf) + line('kvm_tdp_mmu_spte_changed: as id 0 gfn 800 level 1 old_spte 0 new_spte 100b4a00e67')), [
      ['npt', 'trace', 'gpa'],
    ]);
    assert.deepEqual(kinds(line(pf) + line('kvm_tdp_mmu_spte_changed: as id 0 gfn 800 level 1 old_spte 0 new_spte 600000100b4ab77')), [
      ['ept', 'trace', 'gpa'],
    ]);
    assert.deepEqual(kinds(line(exit('EXCEPTION_NMI')) + line(fault('401000', '0x6'))), [['soft', 'exit', 'gva']]);
    assert.deepEqual(kinds(line(exit('npf')) + line(fault('401000', '0x6'))), [['npt', 'exit', 'gpa']]);
  });
});

describe('an entry of the TDP MMU', () => {
  it('changes in one of these ways', () => {
    const leaf = 0x600000010400b77n;
    const table = 0x2c583d907n;
    const huge = 0x600000010400bf7n;
    for (const [old, now, level, what] of [
      [0n, leaf, 1, 'mapped'],
      [0x8000000000000000n, table, 2, 'linked'],
      [leaf, 0n, 1, 'unmapped'],
      [huge, 0x5a0n, 2, 'unmapped'],
      [table, 0x80000000000005a0n, 2, 'unlinked'],
      [table, huge, 2, 'collapsed'],
      [huge, table, 2, 'split'],
      [leaf, leaf & ~2n, 1, 'write-protected'],
      [leaf & ~2n, leaf, 1, 'made-writable'],
      [leaf, leaf | 0x300n, 1, 'flags'],
      [leaf, leaf + 0x1000n, 1, 'moved'],
      [0n, 0xf80fee00026n, 1, 'marked'],
    ] as const)
      assert.equal(spteChange(old, now, level), what);
  });
});

describe('an episode', () => {
  it('goes from an exit to the next entry: who, where, what KVM did, how it ended', () => {
    const [episode] = episodesOf(explained(mapped(0x400)));
    assert.deepEqual(
      [episode.task.vcpu, episode.exit?.reason, episode.fault?.address, episode.ends, episode.events],
      [0, 'EPT_VIOLATION', 0x40_0000n, 'entry', 6],
    );
    assert.deepEqual(deedWords(episode.deeds), [
      'asked for gfn 0x400 → pfn 0x1400, level 1',
      'set gfn 0x400, level 1, spte 0x600_0000_0040_0b77',
    ]);
    assert.equal(episode.until! - episode.time!, 5000);
  });

  it('is whole but for the first one of a task, when it has no exit, and the last one, when no entry follows', () => {
    const text = mapped(1) + mapped(2) + mapped(3);
    const behindExit = text.slice(text.indexOf('\n') + 1);
    const partial = (of: string): unknown[] => explained(of).listed.map(({ folded }) => folded.body[0].first.partial);
    assert.deepEqual(partial(text), [null]);
    const mixed = line(fault('1000')) + line(entry()) + line(fault('2000', '0x7')) + line(entry()) + line(exit('HLT')) + line(entry());
    assert.deepEqual(partial(mixed), ['beginning', null, null]);
    assert.deepEqual(partial(behindExit), ['beginning']);
    assert.deepEqual(partial(mapped(1) + line(exit('HLT'))), [null, 'end']);
  });

  it('of a task that runs no guest is what it does for one reason', () => {
    const unmap = (at: string): string =>
      line(`kvm_unmap_hva_range: mmu notifier unmap range: 0x007f00000${at}000 -- 0x007f00001${at}000`, 'kswapd0-52');
    const zap = (gfn: string): string =>
      line(`kvm_tdp_mmu_spte_changed: as id 0 gfn ${gfn} level 1 old_spte 600000010400b77 new_spte 0`, 'kswapd0-52');
    const { listed, zappers } = explained(unmap('1') + zap('1') + zap('2') + unmap('2') + zap('3'));
    assert.deepEqual(
      listed.map(({ folded }) => folded.body[0].first.deeds.changes?.unmapped?.count),
      [2, 1],
    );
    assert.deepEqual(
      zappers.map(({ who, leaves, from, to }) => [who, leaves, from, to]),
      [['kswapd0-52', 3, 1, 4]],
    );
  });

  it('has the vCPU of its task where the text does not say it, by other events or by its name', () => {
    const old = 'kvm_exit: reason EPT_VIOLATION rip 0x10 info 181 0';
    const vcpus = (text: string): (number | null)[] => episodesOf(explained(text)).map(({ task }) => task.vcpu);
    assert.deepEqual(vcpus(line(old, 'qemu-7') + line(entry('0x10', 3), 'qemu-7')), [3]);
    assert.deepEqual(vcpus(line(old, 'fc_vcpu 2-7')), [2]);
    assert.deepEqual(vcpus(line(old, 'VCPU-5-7')), [5]);
    assert.deepEqual(vcpus(line(old, 'crosvm_vcpu11-7')), [11]);
    assert.deepEqual(vcpus(line(old, 'qemu-7')), [null]);
  });

  it('of a guest’s guest says so, and whether it was handed to L1', () => {
    const nested = exit('EPT_VIOLATION').replace('kvm_exit', 'kvm_nested_vmexit');
    const inject =
      'kvm_nested_vmexit_inject: reason: EPT_VIOLATION ext_inf1: 0x0000000000000181 ext_inf2: 0x0000000000000000 ext_int: 0x00000000 ext_int_err: 0x00000000';
    const explanation = explained([exit('EPT_VIOLATION'), nested, fault('1000'), inject, entry()].map((event) => line(event)).join(''));
    const [episode] = episodesOf(explanation);
    assert.deepEqual([episode.nested, episode.deeds.toL1], [true, { reason: 'EPT_VIOLATION' }]);
    assert.equal(explanation.recordings[0].nested, true);
    assert.ok(explanation.summary.reasons.has('EPT_VIOLATION of L2'));
  });

  it('says which event was being delivered', () => {
    const delivering = (text: string): unknown => episodesOf(explained(line(text)))[0].exit!.delivering;
    const intel = exit('EPT_VIOLATION').replace('info2 0x0000000000000000', 'info2 0x0000000080000b0e');
    assert.deepEqual(delivering(intel), { vector: 14, type: 'exception' });
    assert.deepEqual(delivering(exit('npf').replace('intr_info 0x00000000', 'intr_info 0x800000ec')), { vector: 0xec, type: 'interrupt' });
    // Before 5.10 that was what the exit itself is by.
    assert.equal(delivering('kvm_exit: reason EXTERNAL_INTERRUPT rip 0x10 info 0 800000ef'), null);
    assert.equal(delivering(exit('EPT_VIOLATION')), null);
  });
});

describe('who zapped', () => {
  it('is told by what the episode began with, and whether the guest came back', () => {
    const { zappers, answers } = explained(sample('host-unmaps.trace'));
    assert.deepEqual(
      zappers.map(({ who, leaves, again, againLine }) => [who, leaves, again, againLine]),
      [['kswapd0-52', 3, 2, 29]],
    );
    assert.match(answers[2].said[0], /^kswapd0-52: the host unmaps memory of the VMM \(MMU notifier\): memory is reclaimed\. 3 leaf sptes/);
  });
});
