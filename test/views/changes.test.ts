import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { openScript } from '../../server/src/api/language';
import { runScript } from '../../server/src/api/engine';
import { stepDetail } from '../../server/src/views/detail';
import type { RunView } from '../../server/src/views/view';

function runsOf(name: string): RunView[] {
  const url = new URL(`../../samples/${name}`, import.meta.url);
  return runScript(openScript(readFileSync(url, 'utf8'), url.href, { read: () => null }), {});
}

/** Field by which an event names the new value, and the space of the change that it explains. */
const EXPLAINS: readonly (readonly [event: string, field: string, space: string])[] = [
  ['kvm_mmu_set_spte', 'spte', 'memory'],
  ['kvm_tdp_mmu_spte_changed', 'new_spte', 'memory'],
  ['mark_mmio_spte', 'spte', 'memory'],
  ['kvm_page_track_add', 'count', 'write tracking'],
];

const EDIT = `vm guest {
  slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000 }
  tables kernel at 0x1000 { 0x40_0000 +16K -> 0x20_0000  rw user }
  vcpu { cr3 kernel }
}
run under soft, ept, npt {
  user read 0x40_0000
  kernel[0x40_0000] = 0x20_1067
  user write 0x40_1000 = 7
}
`;

describe('changes of a step', () => {
  it('are shown up to 200 of them, and the others counted', () => {
    const text = EDIT.replace('+16K', '+1M');
    const [view] = runScript(openScript(text, 'file:///many.mmu', { read: () => null }), {});
    const counts = Array.from({ length: view.steps.length }, (_, step) => stepDetail(view, step)!.changes);
    assert.ok(counts.every(({ length }) => length <= 201));
    const many = counts.filter(({ length }) => length === 201);
    assert.ok(many.length > 0);
    for (const changes of many) assert.match(`${changes[200].space} ${changes[200].what}`, /^… \d+ more changes$/);
  });

  it("are the guest's where it stores, under every kind", () => {
    const views = runScript(openScript(EDIT, 'file:///edit.mmu', { read: () => null }), {});
    for (const view of views) {
      const stores = view.steps.rows(0, view.steps.length).filter(({ event, text }) => event === 'value' && text.startsWith('write'));
      assert.deepEqual(
        stores.map(({ actor, line, step }) => [actor, line, stepDetail(view, step)!.changes.map(({ space, to }) => `${space} ${to}`)]),
        [
          ['L1', 7, ['memory 0x20_1067']],
          ['L1', 8, ['memory 0x7']],
        ],
        view.record.program.name,
      );
    }
  });

  it('in a page that data of a page points at are data, even if these look like an entry', () => {
    const text = EDIT.replace('user read 0x40_0000', 'user write 0x40_0000 = 0x20_2067').replace('0x40_1000 = 7', '0x40_2000 = 7');
    for (const view of runScript(openScript(text, 'file:///data.mmu', { read: () => null }), {})) {
      const changes = view.steps
        .rows(0, view.steps.length)
        .flatMap(({ step, event }) => (event === 'value' ? stepDetail(view, step)!.changes : []));
      assert.equal(changes.find(({ to }) => to === '0x7')?.what, 'gpa 0x20_2000', view.record.program.name);
      assert.match(changes.find(({ to }) => to === '0x20_1067')!.what, /^PT\[0\]/);
    }
  });

  for (const name of ['first-touch.mmu', 'measured-touch.mmu', 'soft-mmu/unsync.mmu']) {
    it(`stand at the event that explains them: ${name}`, () => {
      let seen = 0;
      for (const view of runsOf(name)) {
        const { mmu } = view.record.program.machine.vms[0];
        view.steps.rows(0, view.steps.length).forEach(({ event, step }) => {
          const [, field, space] = EXPLAINS.find(([each]) => each === event) ?? [];
          // Of the TDP MMU the entry is changed at its own event, before set_spte.
          if (!field || (mmu !== 'soft' && event !== 'kvm_tdp_mmu_spte_changed')) return;
          const { fields, changes } = stepDetail(view, step)!;
          const value = fields.find(({ name: each }) => each === field)!.value;
          assert.ok(
            changes.some((change) => change.space === space && change.to === value),
            `${event} of ${value}: ${changes.map(({ what, to }) => `${what} ${to}`).join(', ')}`,
          );
          seen++;
        });
        for (const { event, step } of view.steps.rows(0, view.steps.length)) {
          if (event !== 'tlb_fill') continue;
          assert.ok(stepDetail(view, step)!.changes.some(({ space }) => space === 'tlb'));
        }
      }
      assert.ok(seen > 5);
    });
  }
});
