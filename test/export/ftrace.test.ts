import { strict as assert } from 'node:assert';
import { emit } from '../../server/src/engine/journal/emit';
import { RetPf } from '../../server/src/engine/journal/enumerations';
import { Actor, Kind } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import type { Program } from '../../server/src/engine/program';
import { ftrace } from '../../server/src/export/ftrace';
import { RunView } from '../../server/src/views/view';

type Kernel = '6.1' | '6.12';

function lines(vendor: 'intel' | 'amd', mmu: 'soft' | 'ept' | 'npt', write: (journal: Journal) => void, kernel: Kernel = '6.12'): string[] {
  const journal = new Journal();
  journal.actor = Actor.L0;
  write(journal);
  const program = {
    name: `guest under ${mmu}`,
    machine: { host: { vendor, kvm: { kernel } }, vms: [{ name: 'guest', parent: null, mmu }] },
    acts: [{ do: 'access', by: { vm: 0, vcpu: 0 } }],
  } as unknown as Program;
  const record = { program, words: journal.words, length: journal.length, setup: 0, outcomes: [], ended: { how: 'done' } as const };
  return [...ftrace([new RunView(record, { statements: [] })])];
}

/** Texts without the head of the line. */
function events(...args: Parameters<typeof lines>): string[] {
  return lines(...args)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/^.*?\d+\.\d{6}: /, ''));
}

/** role.access wux, nx, cr0_wp and level. */
const role = (level: number): number => level | (7 << 8) | (1 << 12) | (1 << 13);

describe('ftrace', () => {
  it('prints a soft first touch as the kernel does', () => {
    // mmu-semantics.md §8.3
    const trace = events('intel', 'soft', (journal) => {
      journal.row(Kind.statement, 0, 0, 0, 0, 0, 0);
      journal.row(Kind.access, 0, 4, 0x40_0000, 0, 8, 0);
      journal.row(Kind.kvm_exit, 0, 0, 0x40_0000, 0, 0, 0);
      journal.row(Kind.more, 0, 0, 0x8000_0b0e | 0, 4, 0x1_0000, 0);
      journal.row(Kind.kvm_page_fault, 0, 0, 0x40_0000, 0, 4, 0);
      journal.row(Kind.kvm_mmu_pagetable_walk, 0, 0, 0x40_0000, 0, 4, 0);
      journal.row(Kind.kvm_mmu_paging_element, 4, 0, 0x2007, 0, 0x1000, 0);
      journal.row(Kind.kvm_mmu_set_accessed_bit, 4, 0, 0x1000, 0, 0, 0);
      journal.row(Kind.kvm_mmu_get_page, 0, 1, 2, 0, role(3), 0);
      journal.row(Kind.more, 0, 0, 0x200_1000, 0, 0, 0);
      journal.row(Kind.kvm_mmu_spte_requested, 1, 0, 5, 0, 0x10_0005, 0);
      journal.row(Kind.kvm_mmu_set_spte, 1, 0, 5, 0, 0x0000_5a25, 1);
      journal.row(Kind.more, 0, 0, 0x200_4000, 0, 0, 0);
      journal.row(Kind.kvm_entry, 0, 0, 0x1_0000, 0, 0, 0);
    });
    assert.deepEqual(trace, [
      'kvm_exit: vcpu 0 reason EXCEPTION_NMI rip 0x10000 info1 0x0000000000400000 info2 0x0000000000000000 intr_info 0x80000b0e error_code 0x00000004',
      'kvm_page_fault: vcpu 0 rip 0x10000 address 0x0000000000400000 error_code 0x4',
      'kvm_mmu_pagetable_walk: addr 400000 pferr 4 U',
      'kvm_mmu_paging_element: pte 2007 level 4',
      'kvm_mmu_set_accessed_bit: gpa 1000',
      'kvm_mmu_get_page: sp gen 0 gfn 2 l3 8-byte q0 wux nxe ad root 0 sync new',
      'kvm_mmu_spte_requested: gfn 5 pfn 100005 level 1',
      'kvm_mmu_set_spte: gfn 5 spte 100005a25 (r-xu) level 1 at 2004000',
      'kvm_entry: vcpu 0, rip 0x10000',
    ]);
  });

  it('heads lines with task, CPU, flags and time', () => {
    const [line] = lines('amd', 'npt', (journal) => journal.row(Kind.kvm_mmu_set_dirty_bit, 1, 0, 0x4000, 0, 0, 0)).slice(-1);
    assert.equal(line, '       npt-guest-1       [000] .....      0.000000: kvm_mmu_set_dirty_bit: gpa 4000');
  });

  it('says whose exit and entry it is, whoever acts', () => {
    const trace = events('intel', 'soft', (journal) => {
      journal.row(Kind.statement, 0, 0, 0, 0, 0, 0);
      journal.row(Kind.kvm_exit, 0, 1, 0, 0, 0, 0);
      journal.row(Kind.more, 0, 0, 0, 0, 0x1_0000, 0);
      journal.row(Kind.more, 0, 0, 2, 0, 0, 0);
      journal.row(Kind.kvm_entry, 0, 2, 0x1_0000, 0, 0, 0);
    });
    assert.deepEqual(
      trace.map((line) => line.replace(/ rip.*/, '')),
      ['kvm_exit: vcpu 2 reason EXTERNAL_INTERRUPT', 'kvm_entry: vcpu 2,'],
    );
  });

  it('lets one clock run over all runs', () => {
    const view = (mmu: 'soft' | 'npt', rows: number): RunView => {
      const journal = new Journal();
      for (let i = 0; i < rows; i++) journal.row(Kind.kvm_mmu_set_dirty_bit, 1, 0, 0x4000, 0, 0, 0);
      const program = {
        name: `a long title of a run under ${mmu}`,
        machine: { host: { kvm: { kernel: '6.1' } }, vms: [{ mmu }] },
        acts: [],
      } as unknown as Program;
      const record = { program, words: journal.words, length: rows, setup: 0, outcomes: [], ended: { how: 'done' } as const };
      return new RunView(record, { statements: [] });
    };
    assert.deepEqual(
      [...ftrace([view('soft', 2), view('npt', 1)])].slice(-3).map((line) => line.replace(/ kvm_.*/, '').replace(/ +/g, ' ')),
      [' soft-a-long-tit-1 [000] ..... 0.000000:', ' soft-a-long-tit-1 [000] ..... 0.000001:', ' npt-a-long-titl-2 [000] ..... 1.000000:'],
    );
  });

  it('prints flags, shadow pages and entries of EPT and NPT', () => {
    assert.deepEqual(
      events('intel', 'ept', (journal) => {
        journal.row(Kind.kvm_mmu_walker_error, 0, 0, 7, 0, 0, 0);
        const page = { gfn: 4, role: 1 | (5 << 8) | (1 << 16) | (1 << 7) | (1 << 11), spt: 0, level: 1 };
        emit(journal, 'kvm_mmu_unsync_page', { ...page, root_count: 2, mmu_valid_gen: 1, unsync: true });
        journal.row(Kind.kvm_mmu_set_spte, 1, 0, 1, 0, 0x0000_1b77, 0x8600_0001 | 0);
        journal.row(Kind.more, 0, 0, 0x2000, 0, 0, 0);
        journal.row(Kind.kvm_tdp_mmu_spte_changed, 4, 0, 0, 0, 0, 0);
        journal.row(Kind.more, 0, 0, 0x907, 0, 0, 0);
        const fault = { address: 0x5000, error_code: { lo: 3, hi: 2 }, old: 0xb75, new: 0xb77, sptep: 0x3028 };
        emit(journal, 'fast_page_fault', { ...fault, result: RetPf.fixed });
        journal.row(Kind.kvm_userspace_exit, 0, 6, 0, 0, 0, 0);
        journal.row(Kind.kvm_inj_exception, 0, 14, 7, 0, 0, 0);
        journal.row(Kind.kvm_unmap_hva_range, 0, 0, 0, 0x7f00, 0x1000, 0x7f00);
      }),
      [
        'kvm_mmu_walker_error: pferr 7 P|W|U',
        'kvm_mmu_unsync_page: sp gen 1 gfn 4 l1 8-byte q0 direct -ux invalid !nxe !ad root 2 unsync',
        'kvm_mmu_set_spte: gfn 1 spte 8600000100001b77 (rwxu) level 1 at 2000',
        'kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 4 old_spte 0 new_spte 907',
        'fast_page_fault: vcpu 0 gva 5000 error_code P|W|0x200000000 sptep 0000000000003028 old 0xb75 new b77 spurious 0 fixed 1',
        'kvm_userspace_exit: reason KVM_EXIT_MMIO (6)',
        'kvm_inj_exception: #PF (0x7)',
        'kvm_unmap_hva_range: mmu notifier unmap range: 0x007f0000000000 -- 0x007f0000001000',
      ],
    );
  });

  it('names SVM exits and nested entries', () => {
    assert.deepEqual(
      events('amd', 'npt', (journal) => {
        journal.row(Kind.kvm_exit, 0, 0x400, 6, 2, 0x1000, 0);
        journal.row(Kind.more, 0, 0, 0, 0, 0x1_0000, 0);
        journal.row(Kind.kvm_nested_vmenter, 0, 1, 0x1_0000, 0, 0x1_1000, 0);
        journal.row(Kind.more, 0, 0, 0x2_0000, 0, 0, 0);
        journal.row(Kind.more, 0, 0, 0x2_0000, 0, 0, 0);
        journal.row(Kind.kvm_nested_vmexit_inject, 0, 0x4e, 4, 0, 0x40_0000, 0);
        journal.row(Kind.more, 0, 0, 0, 0, 0, 0);
      }),
      [
        'kvm_exit: vcpu 0 reason npf rip 0x10000 info1 0x0000000200000006 info2 0x0000000000001000 intr_info 0x00000000 error_code 0x00000000',
        'kvm_nested_vmenter: rip: 0x0000000000010000 vmcb: 0x0000000000011000 nested_rip: 0x0000000000020000 int_ctl: 0x00000000 event_inj: 0x00000000 nested_npt=y nested_cr3: 0x0000000000020000',
        'kvm_nested_vmexit_inject: reason: PF excp ext_inf1: 0x0000000000000004 ext_inf2: 0x0000000000400000 ext_int: 0x00000000 ext_int_err: 0x00000000',
      ],
    );
  });

  it('prints what a kernel has of the events that grew', () => {
    const write = (journal: Journal): void => {
      emit(journal, 'kvm_exit', {
        reason: 0x400,
        info1: { lo: 6, hi: 2 },
        info2: 0x1000,
        intr_info: 0,
        error_code: 0,
        rip: 0x1_0000,
        vcpu: 3,
        guest_mode: false,
      });
      const fault = { address: 0x5000, error_code: { lo: 7, hi: 1 }, old: 0xb75, new: 0xb77, sptep: 0x3028 };
      emit(journal, 'fast_page_fault', { ...fault, result: RetPf.fixed });
      emit(journal, 'kvm_mmu_walker_error', { pferr: 0x25, stage: 1 });
      emit(journal, 'kvm_entry', { vcpu: 3, rip: 0x1_0000, intr_info: 0x8000_0b0e | 0, error_code: 4, guest_mode: false });
    };
    const exit =
      'kvm_exit: vcpu 3 reason npf rip 0x10000 info1 0x0000000200000006 info2 0x0000000000001000 intr_info 0x00000000 error_code 0x00000000';
    const fast = (code: string): string =>
      `fast_page_fault: vcpu 3 gva 5000 error_code ${code} sptep 0000000000003028 old 0xb75 new b77 spurious 0 fixed 1`;
    assert.deepEqual(events('amd', 'npt', write, '6.1'), [
      exit,
      fast('P|W|U'),
      'kvm_mmu_walker_error: pferr 25 P|U|0x20',
      'kvm_entry: vcpu 3, rip 0x10000',
    ]);
    assert.deepEqual(events('amd', 'npt', write, '6.12'), [
      exit,
      fast('P|W|U|0x100000000'),
      'kvm_mmu_walker_error: pferr 25 P|U|0x20',
      'kvm_entry: vcpu 3, rip 0x10000',
    ]);
  });

  it('has one event for the entry of a nested guest, of either vendor and every kernel', () => {
    const write =
      (nested_tdp: boolean) =>
      (journal: Journal): void =>
        emit(journal, 'kvm_nested_vmenter', {
          nested_tdp,
          rip: 0x1_0000,
          vmcs: 0x1_1000,
          nested_rip: 0x2_0000,
          event_inj: 0,
          nested_root: 0x3_001e,
        });
    const root = '0x000000000003001e';
    const head = (structure: string): string =>
      `kvm_nested_vmenter: rip: 0x0000000000010000 ${structure}: 0x0000000000011000 nested_rip: 0x0000000000020000 int_ctl: 0x00000000 event_inj: 0x00000000`;
    for (const kernel of ['6.1', '6.12'] as const) {
      assert.deepEqual(events('amd', 'npt', write(true), kernel), [`${head('vmcb')} nested_npt=y nested_cr3: ${root}`]);
      assert.deepEqual(events('amd', 'npt', write(false), kernel), [`${head('vmcb')} nested_npt=n guest_cr3: ${root}`]);
      assert.deepEqual(events('intel', 'ept', write(true), kernel), [`${head('vmcs')} nested_ept=y nested_eptp: ${root}`]);
    }
  });
});
