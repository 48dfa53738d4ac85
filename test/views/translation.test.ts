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
import { Tlb } from '../../server/src/engine/vcpu/tlb';
import { HOST_ALL, Rights } from '../../server/src/engine/x86/permissions';
import type { TranslationView } from '../../server/src/protocol/messages';
import { bitNames } from '../../server/src/events/entry-text';
import { changesBetween } from '../../server/src/views/changes';
import { translate, translationMarkdown, translationText } from '../../server/src/views/translation';
import { RunView } from '../../server/src/views/view';
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
const labels = ({ hops }: TranslationView) => hops.map(({ label }) => label);
const spaces = ({ stations }: TranslationView) => stations.map(({ space }) => space);

describe('translation of an address', () => {
  it('goes through the guest tables, the slot and the host page', () => {
    const { view, hpa } = setUp('soft');
    const way = translate(view, at(view), 0x40_0123n, 'gva');
    assert.deepEqual(labels(way), ['PML4', 'PDPT', 'PD', 'PT', 'slot 0', 'host page of 4K']);
    assert.deepEqual(way.stations, [
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
    ]);
    const pt = way.hops[3];
    assert.equal(pt.at, '0x4000');
    assert.equal(pt.value, '0x5007');
    assert.equal(pt.to, '0x5123');
    assert.equal(pt.index, 0);
    assert.equal(bitNames(pt.bits!), 'P R/W U/S');
    assert.match(way.outcome, /^→ hpa .* · user rwx, supervisor rwx · no shadow table yet$/);
  });

  it('shows the state at its position, not a later one', () => {
    const { view } = setUp('soft', ({ memory, hpa }) => memory.write(hpa(0x4000), 0, 0));
    const before = translate(view, at(view, view.record.setup), 0x40_0000n, 'gva');
    const after = translate(view, at(view), 0x40_0000n, 'gva');
    assert.equal(spaces(before).at(-1), 'HPA');
    assert.deepEqual(spaces(after), ['GVA']);
    assert.match(after.outcome, /^#PF: not present/);
    assert.equal(after.hops.at(-1)!.note, 'not present');
    assert.equal(after.hops.at(-1)!.bits!.find(({ name }) => name === 'P')!.denies, true);
    assert.equal(spaces(translate(view, at(view, view.record.setup), 0x40_0000n, 'gva')).at(-1), 'HPA');
  });

  it('changes nothing by looking', () => {
    const { view } = setUp('ept', ({ registers }) => registers.set(Register.secondRoot, 0x10_005e, 0));
    const words = view.record.words.slice();
    translate(view, at(view), 0x40_0000n, 'gva');
    assert.deepEqual(view.record.words, words);
  });

  it('judges an access and marks the bits that deny it', () => {
    const { view } = setUp('soft');
    const way = translate(view, at(view), 0x40_1000n, 'gva', ACCESS_WRITE | ACCESS_USER);
    assert.match(way.outcome, /#PF P·W·U: the guest's tables deny it/);
    const denying = way.hops.map(({ bits }) => bits?.filter(({ denies }) => denies).map(({ name }) => name) ?? []);
    assert.deepEqual(denying.slice(0, 4), [[], [], [], ['R/W']]);
  });

  it('knows large pages, MMIO and addresses that are not canonical', () => {
    const { view } = setUp('soft');
    const large = translate(view, at(view), 0x61_2345n, 'gva');
    assert.deepEqual(labels(large).slice(0, 3), ['PML4', 'PDPT', 'PD']);
    assert.equal(large.hops[2].note, 'maps a page of 2M');
    assert.equal(large.stations[1].address, '0x61_2345');
    assert.match(large.outcome, /the host has no page there yet/);
    assert.match(translate(view, at(view), 0x40_2000n, 'gva').outcome, /MMIO: gpa 0xd000_0000 is in no slot/);
    assert.match(translate(view, at(view), 0x8000_0000_0000n, 'gva').outcome, /#GP: the address is not canonical/);
  });

  it('takes guest-physical addresses', () => {
    const { view } = setUp('soft');
    const way = translate(view, at(view), 0x5008n, 'gpa');
    assert.deepEqual(spaces(way), ['GPA', 'HVA', 'HPA']);
    assert.equal(way.space, 'gpa');
  });

  it('shows the second stage of the page and beneath each table', () => {
    const { view, hpa } = setUp('ept', ({ memory, registers, hpa: hpaOf }) => {
      // One EPT path that maps the first table and the data page.
      const link = (address: number, to: number) => memory.write(address, to | 7, 0);
      link(0x10_0000, 0x10_1000);
      link(0x10_1000, 0x10_2000);
      link(0x10_2000, 0x10_3000);
      memory.write(0x10_3000 + 1 * 8, (hpaOf(0x1000) & ~0xfff) | 0xb77, 0x0600_0000);
      memory.write(0x10_3000 + 5 * 8, (hpaOf(0x5000) & ~0xfff) | 0xb75, 0x0600_0000);
      registers.set(Register.secondRoot, 0x10_005e, 0);
    });
    const way = translate(view, at(view), 0x40_0123n, 'gva');
    assert.deepEqual(labels(way), ['PML4', 'PDPT', 'PD', 'PT', 'EPT4', 'EPT3', 'EPT2', 'EPT1', 'slot 0', 'host page of 4K']);
    const [pml4, pdpt] = way.hops;
    assert.deepEqual(
      pml4.via.map(({ label }) => label),
      ['EPT4', 'EPT3', 'EPT2', 'EPT1'],
    );
    assert.equal(
      pml4.via.at(-1)!.to,
      `0x${hpa(0x1000)
        .toString(16)
        .replace(/(?=(....)+$)/g, '_')
        .replace(/^_/, '')}`,
    );
    assert.equal(pdpt.via.at(-1)!.note, 'not present');
    assert.equal(bitNames(way.hops[7].bits!), 'R X MT=6 IPAT A D host-W MMU-W');
    assert.match(way.outcome, /3 of the guest's tables not in EPT/);
  });

  it('shows the shadow table under soft MMU', () => {
    const { view } = setUp('soft', ({ memory, registers, hpa }) => {
      memory.write(0x10_0000, 0x10_1827, 0);
      memory.write(0x10_1000, 0x10_2827, 0);
      memory.write(0x10_2010, 0x10_3827, 0);
      memory.write(0x10_3000, (hpa(0x5000) & ~0xfff) | 0xa25, 0);
      registers.set(Register.hwCr0, 0x8001_0011 | 0, 0);
      registers.set(Register.hwCr4, 0x20, 0);
      registers.set(Register.hwEfer, 0xd00, 0);
      registers.set(Register.hwCr3, 0x10_0000, 0);
    });
    const way = translate(view, at(view), 0x40_0123n, 'gva');
    const shadow = way.hops.filter(({ stage }) => stage === 'shadow');
    assert.deepEqual(
      shadow.map(({ label }) => label),
      ['PML4', 'PDPT', 'PD', 'PT'],
    );
    assert.equal(bitNames(shadow[3].bits!), 'P U/S A host-W');
    assert.equal(shadow[3].to, way.stations.at(-1)!.address);
    assert.match(translate(view, at(view), 0x40_1000n, 'gva').outcome, /not in the shadow table: an access exits with #PF/);
  });
});

describe('a cached translation', () => {
  const cache = (frameOf: (hpa: (gpa: number) => number) => number) =>
    setUp('soft', ({ journal, registers, hpa }) => {
      const tlb = new Tlb(journal, { on: true, l1: { sets: 16, ways: 4 }, l2: { sets: 64, ways: 4 }, pagingStructureEntries: 0 }, 0);
      const tags = [3, 4].map((vpid) => tlb.tags.number({ vpid, pcid: 0, root: -1, global: false, guestPhysical: false }));
      const rights = Rights.write | Rights.user | HOST_ALL | Rights.dirty;
      tlb.fill(0x40_1000, 0, tags[1], tags[1], 12, 0x9000, rights, 0, 0x5000, 0);
      tlb.fill(0x40_0000, 0, tags[0], tags[0], 12, frameOf(hpa), rights, 0, 0x5000, 0);
      registers.set(Register.vpid, 3, 0);
    }).view;

  it('is shown with its page and rights', () => {
    const view = cache((hpa) => hpa(0x5000));
    const { cached, stations } = translate(view, at(view), 0x40_0123n, 'gva');
    assert.equal(cached, `TLB L1: page of 4K, user rwx, dirty → hpa ${stations.at(-1)!.address}`);
  });

  it('is called stale when the tables lead elsewhere', () => {
    const view = cache(() => 0x7000);
    assert.match(translate(view, at(view), 0x40_0123n, 'gva').cached!, /→ hpa 0x7123 · stale: the tables lead to hpa 0x/);
  });

  it('of another tag does not serve', () => {
    const view = cache((hpa) => hpa(0x5000));
    assert.equal(translate(view, at(view), 0x40_1000n, 'gva').cached, null);
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
