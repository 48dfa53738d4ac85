/** The machine's state at a step, as a tree: what is folded, what a step changed, who wrote it and who uses it. */
import assert from 'node:assert/strict';
import { runScript } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import type { StateNode } from '../../server/src/protocol/state';
import { memoryAt, originAt, stateAt } from '../../server/src/views/state/at-step';
import type { RunView } from '../../server/src/views/view';

const SCRIPT = `host { memory 64M }
vm guest {
  mmu soft
  slot 0 { gpa 0 size 16M hva 0x7f00_0000_0000 }
  tables kernel at 0x1000 {
    0x40_0000 +2M -> 0x20_0000 rw user
    0x7fff_f000 +4K -> 0x9000 rw user nx
  }
  vcpu { cr3 kernel }
}
run guest under soft, ept {
  user read 0x40_0123
  kernel[0x40_0000].writable = no
  user read 0x40_1000
}
`;

function viewsOf(text: string): readonly RunView[] {
  const script = openScript(text, 'file:///state.mmu', { read: () => null });
  assert.deepEqual(
    script.problems.map(({ message }) => message),
    [],
  );
  return runScript(script, {});
}

const MOST = 1024;
const nodesOf = (view: RunView, step: number, id = ''): readonly StateNode[] => stateAt(view, step, id, 0, MOST)!.nodes;
const names = (nodes: readonly StateNode[]): string[] => nodes.map(({ name }) => name);

/** First step of an event from a step on. */
function stepOf(view: RunView, event: string, from = 0): number {
  for (let step = from; step < view.steps.length; step++) if (view.steps.rows(step, 1)[0].event === event) return step;
  throw new Error(`no ${event}`);
}

describe('the state at a step', () => {
  let soft: RunView;
  let ept: RunView;
  before(() => ([soft, ept] = viewsOf(SCRIPT)));

  it('has what the machine has', () => {
    const last = ept.steps.length - 1;
    assert.deepEqual(names(nodesOf(ept, last)), [
      'Page tables',
      'Registers',
      'Memory slots',
      'TLB',
      'Roots',
      'Shadow pages',
      'Reverse map',
      'Counters',
    ]);
    assert.deepEqual(names(nodesOf(ept, last, 'tables')), ['PT', 'EPT']);
    assert.deepEqual(names(nodesOf(soft, soft.steps.length - 1, 'tables')), ['PT', 'SPT']);
  });

  it('folds neighbours that map consecutive pages into one node, which opens', () => {
    const step = stepOf(ept, 'statement');
    const [first, second] = nodesOf(ept, step, 'tables/own.0.0/0/0/2');
    assert.deepEqual([first.name, first.change], ['PT[0]', 'changed'], 'its A flag was set');
    assert.deepEqual([second.name, second.range, second.opens], ['PT[1…511]', '0x40_1000 +2044K', true]);
    assert.match(second.decoded!, /^P R\/W U\/S → gpa 0x20_1000 \+2044K$/);
    const inside = stateAt(ept, step, second.id, 500, MOST)!;
    assert.deepEqual([inside.total, names(inside.nodes)[0], inside.nodes.length], [511, 'PT[501]', 11]);
  });

  it('marks what a statement changed, with the value before, and what is around it', () => {
    const step = stepOf(ept, 'statement');
    const marks = Object.fromEntries(nodesOf(ept, step).map(({ name, change, within }) => [name, change ?? within]));
    assert.equal(marks['Page tables'], true);
    assert.equal(marks['Memory slots'], false);
    assert.equal(marks['Shadow pages'], 'new');
    const [entry] = nodesOf(ept, step, 'tables/own.0.0');
    assert.deepEqual([entry.value, entry.was?.value, entry.change, entry.within], ['0x2027', '0x2007', 'changed', true]);
    const [, tables] = nodesOf(ept, step, 'tables');
    assert.deepEqual([tables.name, tables.change], ['EPT', 'new']);
  });

  it('marks nothing at a step that changes nothing', () => {
    const read = stepOf(ept, 'table_read');
    assert.ok(nodesOf(ept, read).every(({ change }) => change === null));
  });

  it('leads to the step that wrote an entry, and to the ones before', () => {
    const step = stepOf(ept, 'statement', stepOf(ept, 'statement') + 1);
    const { writers } = originAt(ept, step, 'tables/own.0.0/0/0/2/0')!;
    const events = writers.map(({ step: at }) => ept.steps.rows(at!, 1)[0].event);
    assert.equal(events[0], 'value', "the guest's store");
    assert.ok(events.length >= 2 && events.at(-1) === 'vmm_write', events.join());
    assert.ok(writers.every((link, i) => i === 0 || link.step! < writers[i - 1].step!));
  });

  it('leads to who uses an entry: the processor that reads it, and the entry that shadows it', () => {
    const step = stepOf(soft, 'statement');
    const { users } = originAt(soft, step, 'tables/own.0.0/0/0/2/0')!;
    const shadow = users.find(({ text }) => text.startsWith('shadowed by SPT PT[0]'));
    assert.ok(shadow?.node, users.map(({ text }) => text).join('\n'));
    const [, at] = shadow.node.split('/');
    const spte = nodesOf(soft, step, `shadow/${at}`)[0];
    assert.deepEqual([spte.id, spte.name], [shadow.node, 'PT[0]']);
    const back = originAt(soft, step, shadow.node)!.users.map(({ text }) => text);
    assert.ok(
      back.some((text) => text === 'shadows entry 0 of the table at gfn 0x4'),
      back.join('\n'),
    );
    const read = originAt(ept, stepOf(ept, 'statement'), 'tables/own.0.0/0/0/2/0')!.users;
    assert.match(read[0].text, /^the processor reads it here: step \d+ · processor: table_read/);
  });

  it('says where memory lies', () => {
    const [map] = memoryAt(ept, ept.steps.length - 1)!;
    const [slot] = map.slots;
    assert.deepEqual([slot.name, slot.gpa, slot.size], ['slot 0', 0, 16 << 20]);
    assert.equal(
      slot.pieces.reduce((sum, { size }) => sum + size, 0),
      slot.size,
    );
  });

  it('knows no other steps or nodes', () => {
    assert.equal(stateAt(ept, ept.steps.length, '', 0, 1), null);
    assert.equal(stateAt(ept, 3, 'tables/nowhere', 0, 1), null);
    assert.equal(originAt(ept, 3, 'nothing'), null);
    assert.equal(memoryAt(ept, -1), null);
  });
});

describe('cached translations in the state', () => {
  const TLB = `${SCRIPT.replace('run guest under soft, ept {', 'run guest under ept {\n  user write 0x40_0000')}`;

  it('are marked as stale, with the write that made them so', () => {
    const [view] = viewsOf(TLB);
    const last = view.steps.length - 1;
    const parts = nodesOf(view, last, 'tlb');
    const l1 = parts.find(({ name }) => name === 'L1, pages of 4K')!;
    const line = nodesOf(view, last, l1.id).find(({ range }) => range === '0x40_0000 +4K')!;
    assert.deepEqual([line.stale, line.note], [true, 'stale: the tables say otherwise']);
    const { stale } = originAt(view, last, line.id)!;
    assert.match(stale!.text, /^PT at hpa 0x\w+ was written: step \d+ · L1: value/);
    const fresh = nodesOf(view, last, l1.id).find(({ range }) => range === '0x40_1000 +4K')!;
    assert.deepEqual([fresh.stale, originAt(view, last, fresh.id)!.stale], [false, null]);
  });

  it('lead back from the entries that they are made of', () => {
    const [view] = viewsOf(TLB);
    const last = view.steps.length - 1;
    const { users } = originAt(view, last, 'tables/own.0.0/0/0/2/1')!;
    const cached = users.find(({ text }) => text.startsWith('cached: L1, pages of 4K, 0x40_1000'));
    assert.ok(cached?.node, users.map(({ text }) => text).join('\n'));
    assert.ok(nodesOf(view, last, cached.node.split('/').slice(0, -1).join('/')).some(({ id }) => id === cached.node));
  });
});
