import assert from 'node:assert/strict';
import { Kind } from '../../../server/src/engine/journal/events';
import { misplaced } from '../../../server/src/engine/journal/attribution';
import { Space, SPACES, VmField } from '../../../server/src/engine/journal/spaces';
import { Journal, ROW_WORDS } from '../../../server/src/engine/journal/journal';
import { State } from '../../../server/src/engine/journal/state';
import { slotOf, slotsAt } from '../../../server/src/engine/memory/slot-records';
import { isFailure, MEM_LOG_DIRTY_PAGES, MEM_READONLY, Slots } from '../../../server/src/engine/memory/slots';
import type { Region, SlotChange } from '../../../server/src/engine/memory/slots';

const H0 = 0x7f00_0000_0000;
const H1 = 0x7f10_0000_0000;
const H2 = 0x7f20_0000_0000;

/** The setup of mmu-semantics.md §10.0 E, and a record of what the listener heard. */
function setup(options: { maxGfn?: number; dirtyLogInitiallySet?: boolean } = {}) {
  const journal = new Journal();
  const heard: string[] = [];
  const slots = new Slots(
    journal,
    3,
    { maxGfn: options.maxGfn ?? 2 ** 40 - 1, dirtyLogInitiallySet: options.dirtyLogInitiallySet ?? false },
    {
      generationChanged: () => heard.push(`generation ${slots.generation()}`),
      flushShadow: (slot) => heard.push(`flush ${slot.id} invalid ${slot.invalid} visible ${slots.visible(slot.gfn)}`),
      commit: (change: SlotChange) => heard.push(change.change),
    },
  );
  assert.ok(!isFailure(slots.set(region(0, 0, 0, 0x100_0000, H0))));
  assert.ok(!isFailure(slots.set(region(1, 0, 0x100_0000, 0x20_0000, H1))));
  heard.length = 0;
  return { journal, slots, heard };
}

function region(slot: number, flags: number, gpa: number, size: number, hva: number): Region {
  return { slot, flags, gpa, size, hva };
}

function outcome(of: Region): string {
  const { slots } = setup();
  const result = slots.set(of);
  return isFailure(result) ? result.errno : `${result.change} ${slots.generation()}`;
}

const GENERATION = SPACES[Space.vm].key.encode({ vm: 3, field: VmField.slotGeneration });

describe('memory slots', () => {
  const vectors: [string, Region, string][] = [
    ['adjacent is not overlapping', region(2, 0, 0x120_0000, 0x1000, H2), 'create 6'],
    ['overlap', region(2, 0, 0xff_f000, 0x2000, H2), 'EEXIST'],
    ['the same hva twice: aliases', region(2, 0, 0x200_0000, 0x1000, H0), 'create 6'],
    ['gpa not page-aligned', region(2, 0, 0x200_0800, 0x1000, H2), 'EINVAL'],
    ['size not page-aligned', region(2, 0, 0x200_0000, 0x1800, H2), 'EINVAL'],
    ['hva not page-aligned', region(2, 0, 0x200_0000, 0x1000, H2 + 8), 'EINVAL'],
    ['unknown flag', region(2, 8, 0x200_0000, 0x1000, H2), 'EINVAL'],
    ['id too large', region(32764, 0, 0x200_0000, 0x1000, H2), 'EINVAL'],
    ['largest id', region(32763, 0, 0x200_0000, 0x1000, H2), 'create 6'],
    ['address space 2', region(0x2_0001, 0, 0x200_0000, 0x1000, H2), 'EINVAL'],
    ['wraps around', region(2, 0, 0xffff_ffff_ffff_f000, 0x2000, H2), 'EINVAL'],
    ['nothing to delete', region(2, 0, 0, 0, 0), 'EINVAL'],
    ['nothing differs', region(0, 0, 0, 0x100_0000, H0), 'none 4'],
    ['resize', region(0, 0, 0, 0x80_0000, H0), 'EINVAL'],
    ['another hva', region(0, 0, 0, 0x100_0000, H2), 'EINVAL'],
    ['READONLY toggled', region(0, MEM_READONLY, 0, 0x100_0000, H0), 'EINVAL'],
    ['logging on', region(0, MEM_LOG_DIRTY_PAGES, 0, 0x100_0000, H0), 'flags 6'],
    ['move into slot 0', region(1, 0, 0x80_0000, 0x20_0000, H1), 'EEXIST'],
    ['move over its own old place', region(1, 0, 0x110_0000, 0x20_0000, H1), 'move 8'],
    ['delete', region(1, 0, 0x5000, 0, 0x3000), 'delete 8'],
    ['delete with a gpa that is not aligned', region(1, 0, 0x5001, 0, 0x3000), 'EINVAL'],
    ['hva outside user space', region(2, 0, 0x200_0000, 0x1000, 2 ** 47), 'EINVAL'],
    ['too many pages', region(2, 0, 0x200_0000, 2 ** 43, 0x1000), 'EINVAL'],
    ['not a number at all', region(2, 0, NaN, 0x1000, H2), 'EINVAL'],
  ];
  for (const [name, argument, expected] of vectors) {
    it(`KVM_SET_USER_MEMORY_REGION: ${name}`, () => assert.equal(outcome(argument), expected));
  }

  it('says what of the argument is refused, in the order of the checks of KVM', () => {
    const bad: Region = { slot: 0x2_7ffc, flags: 8, gpa: 0x20_0800, size: 0x1800, hva: H2 + 8 };
    const mends: readonly (readonly [Partial<Region>, string])[] = [
      [{}, 'unknown flags'],
      [{ flags: 0 }, 'slot ids are 0 to 32763'],
      [{ slot: 0x2_7ffb }, 'memory_size is not a multiple of 4K'],
      [{ size: 0x1_0000_0000_0000 }, 'guest_phys_addr is not a multiple of 4K'],
      [{ gpa: 0x20_0000 }, 'userspace_addr is not a multiple of 4K'],
      [{ hva: H2 }, 'userspace_addr is not in user space (below 0x7ffffffff000)'],
      [{ size: 0x800_0000_0000, hva: 0 }, 'address spaces are 0 and 1'],
      [{ slot: 5 }, 'a slot has at most 2^31 - 1 pages'],
      [{ size: 0x20_0000, gpa: 0xe0_0000 }, 'guest-physical addresses overlap with slot 0'],
    ];
    let argument = bad;
    for (const [mend, why] of mends) {
      argument = { ...argument, ...mend };
      const result = setup().slots.set(argument);
      assert.equal(isFailure(result) && result.why, why);
    }
  });

  it('refuses what lies above the highest guest frame, after the overlap check', () => {
    const { slots } = setup({ maxGfn: 0x1fff });
    assert.deepEqual(
      [region(2, 0, 0x200_0000, 0x1000, H2), region(2, 0, 0x1ff_f000, 0x1000, H2), region(4, 0, 0x11f_f000, 0x1000_0000, H2)].map(
        (each) => {
          const result = slots.set(each);
          return isFailure(result) ? result.errno : result.change;
        },
      ),
      ['EINVAL', 'create', 'EEXIST'],
    );
  });

  it('marks a slot INVALID, has it flushed, then takes it away', () => {
    const { slots, heard } = setup();
    slots.set(region(1, 0, 0, 0, 0));
    assert.deepEqual(heard, ['generation 6', 'flush 1 invalid true visible false', 'generation 8', 'delete']);
    assert.equal(slots.find(0x1000), null);
    assert.equal(slots.find(0xfff)?.id, 0);
  });

  it('moves a slot with its memory', () => {
    const { slots, heard } = setup();
    slots.set(region(1, 0, 0x400_0000, 0x20_0000, H1));
    assert.deepEqual(heard, ['generation 6', 'flush 1 invalid true visible false', 'generation 8', 'move']);
    assert.equal(slots.find(0x1000), null);
    assert.equal(slots.find(0x4001)?.hvaOf(0x4001), H1 + 0x1000);
  });

  it('keeps address spaces apart', () => {
    const { slots } = setup();
    assert.ok(!isFailure(slots.set(region(0x1_0000, 0, 0, 0x1000, H2))));
    assert.deepEqual([slots.generation(0), slots.generation(1)], [4, 3]);
    assert.equal(slots.find(0, 1)?.hva, H2);
    assert.equal(slots.find(0, 0)?.hva, H0);
    assert.equal(slots.find(1, 1), null);
  });

  it('knows which large pages a slot allows', () => {
    const { slots } = setup();
    slots.set(region(2, 0, 0x800_1000, 0x40_0000, H2 + 0x1000));
    slots.set(region(3, 0, 0x1000_0000, 0x40_0000, H2 + 0x100_1000));
    const fits = (gfn: number, level: number) => slots.find(gfn)!.fits(gfn, level);
    assert.deepEqual(
      [fits(0x200, 2), fits(0, 3), fits(0x8001, 2), fits(0x8200, 2), fits(0x8400, 2), fits(0x1_0000, 2)],
      [true, false, false, true, false, false],
    );
  });

  it('logs from the moment it is asked, and forgets with the flag', () => {
    const { slots } = setup();
    assert.equal(errno(slots.logging(0)), 'ENOENT');
    assert.equal(errno(slots.logging(7)), 'ENOENT');
    assert.equal(errno(slots.logging(32764)), 'EINVAL');
    slots.set(region(0, MEM_LOG_DIRTY_PAGES, 0, 0x100_0000, H0));
    const logging = slots.logging(0);
    assert.ok(!isFailure(logging));
    logging.dirtyLog.mark(5);
    assert.deepEqual(logging.dirtyLog.take(), [5]);
    slots.set(region(0, 0, 0, 0x100_0000, H0));
    assert.equal(errno(slots.logging(0)), 'ENOENT');
  });

  it('starts a log full when it is to be initially set', () => {
    const { slots } = setup({ dirtyLogInitiallySet: true });
    slots.set(region(1, MEM_LOG_DIRTY_PAGES, 0x100_0000, 0x20_0000, H1));
    assert.equal(slots.byNumber(1)!.dirtyLog!.dirty().length, 512);
  });

  it('can be read from the journal at every row', () => {
    const { journal, slots } = setup();
    const before = journal.length;
    slots.set(region(1, MEM_READONLY, 0x100_0000, 0, H1));
    slots.set(region(5, MEM_READONLY | MEM_LOG_DIRTY_PAGES, 0x400_0000, 0x3000, H2));
    const state = new State(journal).seek(journal.length);
    assert.deepEqual(slotsAt(state.space(Space.slot), 3), [
      { id: 0, gpa: 0, size: 0x100_0000, hva: H0, readonly: false, logDirty: false, invalid: false },
      { id: 5, gpa: 0x400_0000, size: 0x3000, hva: H2, readonly: true, logDirty: true, invalid: false },
    ]);
    assert.equal(state.space(Space.vm).lo(GENERATION), 10);
    assert.equal(slotOf(state.space(Space.slot), 3, 0x400_2fff)?.id, 5);
    state.seek(before);
    assert.deepEqual(
      slotsAt(state.space(Space.slot), 3).map(({ id }) => id),
      [0, 1],
    );
    assert.equal(state.space(Space.vm).lo(GENERATION), 4);
    const kinds = Array.from({ length: journal.length }, (_, row) => Kind[journal.words[row * ROW_WORDS] & 0xff]);
    assert.deepEqual(new Set(kinds), new Set(['change', 'kvm_set_memslot', 'more']));
    // The generation that address space 1 has from the start is written before any slot is.
    assert.deepEqual(
      misplaced(journal).map(({ row }) => row),
      [0],
    );
    state.seek(0);
    assert.equal(state.space(Space.slot).size, 0);
  });
});

function errno(result: object): string | null {
  return isFailure(result) ? result.errno : null;
}
