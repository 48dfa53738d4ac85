import { strict as assert } from 'node:assert';
import { ACCESS_USER, ACCESS_WRITE, Kind } from '../../server/src/engine/journal/events';
import { Space } from '../../server/src/engine/journal/spaces';
import { Journal } from '../../server/src/engine/journal/journal';
import { hostFrames, PhysicalFrames } from '../../server/src/engine/memory/frames';
import { GuestMemory } from '../../server/src/engine/memory/guest-memory';
import { HostMemory } from '../../server/src/engine/memory/host-memory';
import { PhysicalMemory } from '../../server/src/engine/memory/physical-memory';
import { Slots } from '../../server/src/engine/memory/slots';
import type { MmuKind, Program } from '../../server/src/engine/program';
import { resetRegisters } from '../../server/src/engine/vcpu/control-registers';
import { Register, Registers } from '../../server/src/engine/vcpu/registers';
import type { TableEntry, TranslationView } from '../../server/src/protocol/translation';
import { bitNames } from '../../server/src/events/entry-text';
import { changesBetween } from '../../server/src/views/changes';
import { translationMarkdown, translationText } from '../../server/src/views/translation-text';
import { RunView } from '../../server/src/views/view';
import { translate } from '../../server/src/views/way/way';
import { VCPU } from '../engine/mmu/machines';

const MEMORY = 64 * 1024 * 1024;
const HVA = 0x7f00_0000_0000;
const SLOT = 0x100_0000;

/** The guest of mmu-semantics.md §10.0, with its tables in memory, at a journal's end. */
function setUp(
  mmu: MmuKind,
  then: (machine: {
    journal: Journal;
    memory: PhysicalMemory;
    guest: GuestMemory;
    registers: Registers;
    hpa(gpa: number): number;
  }) => void = () => {},
) {
  const journal = new Journal();
  const memory = new PhysicalMemory(journal);
  const frames = hostFrames(MEMORY);
  const host = new HostMemory(journal, 0, frames.guests, new PhysicalFrames(memory), frames.zeroPages);
  const nothing = () => {};
  const slots = new Slots(
    journal,
    0,
    { maxGfn: 2 ** 40, dirtyLogInitiallySet: false },
    { generationChanged: nothing, flushShadow: nothing, commit: nothing },
  );
  host.map(HVA, SLOT, { pageSize: 4096, populated: false });
  slots.set({ slot: 0, flags: 0, gpa: 0, size: SLOT, hva: HVA });
  const guest = new GuestMemory(slots, host);
  const hpa = (gpa: number) => guest.address(gpa, true);
  const put = (gpa: number, value: number) => memory.write(hpa(gpa), value | 0, Math.floor(value / 2 ** 32));
  put(0x1000, 0x2007);
  put(0x2000, 0x3007);
  put(0x3010, 0x4007);
  put(0x3018, 0x60_0087);
  put(0x4000, 0x5007);
  put(0x4008, 0x6005);
  put(0x4010, 0xd000_0003);
  put(0x5000, 0xda7a);
  const registers = new Registers(journal, 0);
  resetRegisters(registers, VCPU);
  const setup = journal.length;
  then({ journal, memory, guest, registers, hpa });
  const features = { la57: false, nx: true, page1G: true, pse36: true, eptExecuteOnly: true, ept1G: true, eptAd: true };
  const vm = { name: 'guest', parent: null, mmu, vcpus: [{}] };
  const kvm = { eptAd: true, kernel: '6.1' };
  const program = {
    name: `guest under ${mmu}`,
    machine: { host: { vendor: mmu === 'npt' ? 'amd' : 'intel', maxPhyAddr: 46, features, kvm }, vms: [vm] },
    acts: [],
  } as unknown as Program;
  const record = { program, words: journal.words, length: journal.length, setup, outcomes: [], ended: { how: 'done' } as const };
  return { view: new RunView(record, { statements: [] }), hpa };
}

const at = (view: RunView, position = view.record.length) => ({ position, vm: 0, vcpu: 0 });
/** Entries of all tables, and slots and pages. */
const labels = ({ walks, stations }: TranslationView) => [
  ...walks.flatMap((walk) => [...walk.entries, ...(walk.then?.entries ?? [])].map(({ label }) => label)),
  ...stations.flatMap(({ links }) => links.filter(({ by }) => by === 'slot' || by === 'page').map(({ label }) => label)),
];
/** Entries of the guest's tables. */
const guest = ({ walks }: TranslationView): readonly TableEntry[] => walks.find(({ stage }) => stage === 'guest')!.entries;
const spaces = ({ stations }: TranslationView) => stations.filter(({ address }) => address !== null).map(({ space }) => space);

describe('translation of an address', () => {
  it('goes through the guest tables, the slot and the host page', () => {
    const { view, hpa } = setUp('soft');
    const way = translate(view, at(view), 0x40_0123n, 'gva');
    assert.deepEqual(labels(way), ['PML4', 'PDPT', 'PD', 'PT', 'slot 0', 'host page of 4K']);
    assert.deepEqual(
      way.stations.map(({ space, address }) => ({ space, address })),
      [
        { space: 'GVA', address: '0x40_0123' },
        { space: 'GPA', address: '0x5123' },
        { space: 'HVA', address: '0x7f00_0000_5123' },
        {
          space: 'HPA',
          address: `0x${hpa(0x5123)
            .toString(16)
            .replace(/(?=(....)+$)/g, '_')
            .replace(/^_/, '')}`,
        },
      ],
    );
    const pt = guest(way)[3];
    assert.equal(pt.at, '0x4000');
    assert.equal(pt.value, '0x5007');
    assert.equal(pt.to, '0x5123');
    assert.equal(pt.index, 0);
    assert.equal(bitNames(pt.bits), 'P R/W U/S');
    assert.match(way.outcome, /^→ hpa /);
    assert.deepEqual(way.notes, ['no SPT yet', 'user rwx, supervisor rwx']);
  });

  it('shows the state at its position, not a later one', () => {
    const { view } = setUp('soft', ({ memory, hpa }) => memory.write(hpa(0x4000), 0, 0));
    const before = translate(view, at(view, view.record.setup), 0x40_0000n, 'gva');
    const after = translate(view, at(view), 0x40_0000n, 'gva');
    assert.equal(spaces(before).at(-1), 'HPA');
    assert.deepEqual(spaces(after), ['GVA']);
    assert.equal(after.outcome, '#PF(U): PT[0].P = 0');
    assert.equal(guest(after).at(-1)!.note, 'not present');
    assert.equal(
      guest(after)
        .at(-1)!
        .bits.find(({ name }) => name === 'P')!.denies,
      true,
    );
    assert.equal(spaces(translate(view, at(view, view.record.setup), 0x40_0000n, 'gva')).at(-1), 'HPA');
  });

  it('changes nothing by looking', () => {
    const { view } = setUp('soft');
    const words = view.record.words.slice();
    translate(view, at(view), 0x40_0000n, 'gva');
    assert.deepEqual(view.record.words, words);
  });

  it('judges an access and marks the bits that deny it', () => {
    const { view } = setUp('soft');
    const way = translate(view, at(view), 0x40_1000n, 'gva', ACCESS_WRITE | ACCESS_USER);
    assert.equal(way.outcome, '#PF(P W U): PT[1].R/W = 0, user write');
    assert.deepEqual([way.end.kind, way.end.section], ['fault', 'read-only']);
    assert.deepEqual(
      guest(way).map(({ bits }) => bits.filter(({ denies }) => denies).map(({ name }) => name)),
      [[], [], [], ['R/W']],
    );
    assert.deepEqual(
      guest(way).map(({ decides }) => decides),
      [null, null, null, 'fault'],
    );
  });

  it('knows large pages, MMIO and addresses that are not canonical', () => {
    const { view } = setUp('soft');
    const large = translate(view, at(view), 0x61_2345n, 'gva');
    assert.deepEqual(labels(large).slice(0, 3), ['PML4', 'PDPT', 'PD']);
    assert.equal(guest(large)[2].note, 'maps a page of 2M');
    assert.equal(large.stations[1].address, '0x61_2345');
    assert.equal(large.outcome, '→ hva 0x7f00_0061_2345: whose page is made at the first touch');
    assert.equal(translate(view, at(view), 0x40_2000n, 'gva').outcome, 'MMIO read: gpa 0xd000_0000 is in no slot');
    assert.match(translate(view, at(view), 0x8000_0000_0000n, 'gva').outcome, /#GP: the address is not canonical/);
  });

  it('takes guest-physical addresses', () => {
    const { view } = setUp('soft');
    const way = translate(view, at(view), 0x5008n, 'gpa');
    assert.deepEqual(spaces(way), ['GPA', 'HVA', 'HPA']);
    assert.equal(way.space, 'gpa');
  });
});

describe('a translation in writing', () => {
  it('is a table whose columns line up', () => {
    const { view } = setUp('soft');
    const lines = translationText(translate(view, at(view), 0x40_0123n, 'gva')).slice(1);
    const columns = lines.slice(0, 4).map((line) => line.indexOf('gpa'));
    assert.equal(new Set(columns).size, 1);
    assert.match(lines[3], /^PT\[0\] +gpa 0x4000 +0x5007 +→ 0x5123 +P R\/W U\/S$/);
  });

  it('is Markdown with the stations first', () => {
    const { view } = setUp('soft');
    const markdown = translationMarkdown(translate(view, at(view), 0x40_0123n, 'gva'));
    assert.match(markdown, /^GVA `0x40_0123` → GPA `0x5123` → HVA `0x7f00_0000_5123` → HPA `0x/);
    assert.match(markdown, /```text\nPML4\[0\]/);
  });
});

describe('changes of state', () => {
  it('name entries of the guest by table, level and bits', () => {
    const { view } = setUp('soft', ({ memory, hpa }) => memory.setBits(memory.locate(hpa(0x4000), 0), 0x60, 0));
    const [change, ...more] = changesBetween(view, view.record.setup, view.record.length);
    assert.deepEqual(more, []);
    assert.deepEqual(change, { space: 'memory', what: 'PT[0] at gpa 0x4000', from: '0x5007', to: '0x5067', note: 'A, D set' });
  });

  it('name registers by what their bits mean', () => {
    const { view } = setUp('soft', ({ registers }) => {
      registers.set(Register.cr0, registers.lo(Register.cr0) & ~0x1_0000, 0);
      registers.set(Register.cr3, 0xa000, 0);
    });
    const changes = changesBetween(view, view.record.setup, view.record.length);
    assert.deepEqual(
      changes.map(({ what, note }) => [what, note]),
      [
        ['CR0', 'WP cleared'],
        ['CR3', null],
      ],
    );
  });

  it('tell of host pages made and of data written', () => {
    const { view } = setUp('soft', ({ memory, hpa }) => memory.write(hpa(0x9000), 5, 0));
    const changes = changesBetween(view, view.record.setup, view.record.length);
    assert.deepEqual(
      changes.map(({ space, what, note }) => [space, what, note]),
      [
        ['host page', 'hva 0x7f00_0000_9000', 'created'],
        ['memory', 'gpa 0x9000', null],
      ],
    );
  });

  it('leave out what is as it was', () => {
    const { view } = setUp('soft', ({ memory, hpa }) => {
      memory.write(hpa(0x5000), 1, 0);
      memory.write(hpa(0x5000), 0xda7a, 0);
    });
    assert.deepEqual(changesBetween(view, view.record.setup, view.record.length), []);
  });
});

describe('a machine rebuilt', () => {
  it('is the same on the way back', () => {
    const { view } = setUp('soft', ({ memory, hpa }) => {
      for (let i = 0; i < 50; i++) memory.write(hpa(0x5000 + 8 * (i % 7)), i * 77, i);
    });
    const snapshot = (position: number) => {
      const words = view.state(position).space(Space.memory);
      return [...words.keys()].sort((a, b) => a - b).map((key) => [key, words.get(key)]);
    };
    const { length } = view.record;
    const forwards = Array.from({ length: length + 1 }, (_, row) => snapshot(row));
    for (let row = length; row >= 0; row--) assert.deepEqual(snapshot(row), forwards[row]);
    assert.ok(view.record.words.length > 0 && Kind.change === 1);
  });
});
