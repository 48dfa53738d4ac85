import { strict as assert } from 'node:assert';
import { emit } from '../../server/src/engine/journal/emit';
import { EVENTS, type EventSpec } from '../../server/src/engine/journal/event-table';
import { Actor, Kind } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import type { MmuKind, Program } from '../../server/src/engine/program';
import { describe as inWords } from '../../server/src/events/describe';
import { eventAt } from '../../server/src/events/fields';
import { host } from '../engine/mmu/machines';

const program = (vendor: 'intel' | 'amd', mmu: MmuKind) =>
  ({ machine: { host: host(vendor), vms: [{ name: 'guest', parent: null, mmu }] }, acts: [] }) as unknown as Program;

function words(vendor: 'intel' | 'amd', mmu: MmuKind, write: (journal: Journal) => void): string {
  const journal = new Journal();
  journal.actor = Actor.L0;
  write(journal);
  return inWords(eventAt(journal, 0)!, program(vendor, mmu)).text;
}

describe('events in words', () => {
  it('decode the exit information of each vendor', () => {
    const exit =
      (reason: number, lo: number, hi: number, info2: number, error = 0) =>
      (journal: Journal) => {
        journal.row(Kind.kvm_exit, 0, reason, lo, hi, info2, 0);
        journal.row(Kind.more, 0, 0, 0, error, 0x1_0000, 0);
      };
    assert.equal(words('intel', 'ept', exit(48, 0x181, 0, 0)), 'EPT_VIOLATION · 0x181 (read, not present, final)');
    assert.equal(words('intel', 'ept', exit(48, 0x1aa, 0, 0)), 'EPT_VIOLATION · 0x1aa (write, R-X, final)');
    assert.equal(words('intel', 'soft', exit(0, 0x40_0000, 0, 0, 7)), 'EXCEPTION_NMI · #PF(P W U) at 0x40_0000');
    assert.equal(words('amd', 'soft', exit(0x4e, 4, 0, 0x40_0000)), 'PF excp · #PF(U) at 0x40_0000');
    assert.equal(words('amd', 'npt', exit(0x400, 6, 2, 0x1000)), 'npf · 0x2_0000_0006 (W·U, guest table) at gpa 0x1000');
    assert.equal(words('intel', 'ept', exit(14, 0x40_0000, 0, 0)), 'INVLPG · info1 0x40_0000');
  });

  it('decode errors, entries and shadow pages', () => {
    assert.equal(
      words('intel', 'soft', (journal) => journal.row(Kind.kvm_mmu_walker_error, 0, 0, 7, 0, 0, 0)),
      '#PF(P W U): the rights deny it',
    );
    assert.equal(
      words('intel', 'soft', (journal) => journal.row(Kind.kvm_mmu_paging_element, 2, 0, 0x4027, 0, 0x3010, 0)),
      'PD entry 0x4027 (P R/W U/S A) at gpa 0x3010',
    );
    const page = words('intel', 'soft', (journal) => {
      const page = { gfn: 2, role: 3 | (7 << 8), spt: 0x1000, root_count: 1, mmu_valid_gen: 0, unsync: false, level: 3 };
      emit(journal, 'kvm_mmu_get_page', { created: true, ...page });
    });
    assert.equal(page, 'new · gfn 0x2 · level 3 · wux · root 1');
    const spte = words('intel', 'ept', (journal) => {
      journal.row(Kind.kvm_mmu_set_spte, 1, 0, 5, 0, 0x5b77, 0x0600_0001);
      journal.row(Kind.more, 0, 0, 0x1028, 0, 0, 0);
    });
    assert.equal(spte, 'gfn 0x5 → 0x600_0001_0000_5b77 (R W X MT=6 IPAT A D) · level 1');
    assert.equal(
      words('intel', 'soft', (journal) => journal.row(Kind.kvm_mmu_page_fault_return, 0, 4, 0x40_0000, 0, 4, 0)),
      'FIXED · 0x40_0000',
    );
  });

  it('say what MMIO marks and missing slots are, and what was cached where', () => {
    assert.equal(
      words('intel', 'ept', (journal) => {
        journal.row(Kind.kvm_tdp_mmu_spte_changed, 1, 0, 0x2000, 0, 0, 0);
        journal.row(Kind.more, 0, 0, 0x200_0026, 0, 0, 0);
      }),
      'gfn 0x2000: 0x0 → 0x200_0026 (MMIO, generation 4) · level 1',
    );
    assert.equal(
      words('intel', 'ept', (journal) => journal.row(Kind.kvm_mmu_spte_requested, 1, 0, 0x2000, 0, 0, 0x8000_0000 | 0)),
      'gfn 0x2000 → no slot · level 1',
    );
    const fill = (level: number) => words('intel', 'ept', (journal) => journal.row(Kind.tlb_fill, level, 1, 0x40_0000, 0, 0x20_0000, 0));
    assert.equal(fill(1), 'L1, L2 0x40_0000 → hpa 0x20_0000');
    assert.equal(fill(2), 'L1, L2 0x40_0000 → hpa 0x20_0000 · page of 2M');
    assert.equal(fill(3), 'L1 0x40_0000 → hpa 0x20_0000 · page of 1G');
    assert.equal(
      words('intel', 'soft', (journal) => emit(journal, 'rmap_write_protect', { gfn: 4, shadow: true, level: 1 })),
      'sptes of gfn 0x4 lose W and MMU-W',
    );
  });

  it('exist for every event, whatever is in its fields', () => {
    for (const spec of Object.values<EventSpec>(EVENTS)) {
      for (const fill of [0, -1, 0x1234_5678]) {
        const journal = new Journal();
        journal.row(spec.kind, 15, fill & 0xffff, fill, fill, fill, fill);
        for (let rows = 1; rows < spec.rows; rows++) journal.row(Kind.more, 0, 0, fill, fill, fill, fill);
        for (const vendor of ['intel', 'amd'] as const) {
          const { text } = inWords(eventAt(journal, 0)!, program(vendor, 'ept'));
          assert.ok(!/undefined|NaN|null/.test(text), `${spec.name}: ${text}`);
        }
      }
    }
  });
});
