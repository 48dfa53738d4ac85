import { strict as assert } from 'node:assert';
import { Journal } from '../../../server/src/engine/journal/journal';
import { hostFrames, PhysicalFrames } from '../../../server/src/engine/memory/frames';
import { GuestMemory, Pfn } from '../../../server/src/engine/memory/guest-memory';
import { HostMemory } from '../../../server/src/engine/memory/host-memory';
import { PhysicalMemory } from '../../../server/src/engine/memory/physical-memory';
import { isFailure, MEM_READONLY, Slots, type Region } from '../../../server/src/engine/memory/slots';

const H = 0x7f00_0000_0000;
const M2 = 0x20_0000;
const M1024 = 0x4000_0000;

/** A guest of one slot, whose memory lies in pages of a size that are there. */
function guest(region: Partial<Region>, pageSize: number, backed = 2 * M1024): GuestMemory {
  const journal = new Journal();
  const frames = hostFrames(0x1_4000_0000);
  const host = new HostMemory(journal, 0, frames.guests, new PhysicalFrames(new PhysicalMemory(journal)), frames.zeroPages);
  if (backed > 0) host.map(H, backed, { pageSize, populated: true });
  const unheard = { generationChanged: () => undefined, flushShadow: () => undefined, commit: () => undefined };
  const slots = new Slots(journal, 0, { maxGfn: 2 ** 40 - 1, dirtyLogInitiallySet: false }, unheard);
  assert.ok(!isFailure(slots.set({ slot: 0, flags: 0, gpa: 0, size: 2 * M1024, hva: H, ...region })));
  return new GuestMemory(slots, host);
}

describe("a guest frame's page", () => {
  for (const [what, region, pageSize, gfn, level] of [
    ['a 4K page', {}, 0x1000, 0x201, 1],
    ['a 2M page', {}, M2, 0x201, 2],
    ['a 1G page', {}, M1024, 0x201, 3],
    ['a 1G page that begins before the slot: 2M', { gpa: M2, hva: H + M2, size: M1024 }, M1024, 0x201, 2],
    ['a 1G page that ends behind the slot: 2M', { size: 4 * M2 }, M1024, 0x201, 2],
    ['a 1G page in a slot of less than 2M: 4K', { size: M2 / 2 }, M1024, 0x51, 1],
    ['a 1G page at another offset modulo 1G: 2M', { gpa: M2, size: M1024 }, M1024, 0x201, 2],
    ['a 1G page at another offset modulo 2M: 4K', { gpa: 0x1000, size: M1024 }, M1024, 0x201, 1],
    ['a 2M page at another offset modulo 2M: 4K', { gpa: 0x1000, size: M1024 }, M2, 0x201, 1],
  ] as const) {
    it(`is mapped as the host's and the slot allow: ${what}`, () => {
      const found = guest(region, pageSize).follow(gfn, true);
      assert.deepEqual([found.outcome, found.hostLevel], [Pfn.ok, level]);
    });
  }

  it('is none where no slot is, the slot must not be written, or the VMM has no memory', () => {
    assert.equal(guest({}, M2).follow(0x8_0000, false).outcome, Pfn.mmio);
    const readonly = guest({ flags: MEM_READONLY }, M2);
    assert.equal(readonly.follow(5, true).outcome, Pfn.readonly);
    assert.deepEqual([readonly.follow(5, false).outcome, readonly.follow(5, false).mapWritable], [Pfn.ok, false]);
    assert.equal(guest({}, M2, 0).follow(5, false).outcome, Pfn.fault);
  });
});
