import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Journal } from '../../../server/src/engine/journal/journal';
import { State } from '../../../server/src/engine/journal/state';
import { FrameAllocator, hostFrames, PhysicalFrames, type FrameSupply } from '../../../server/src/engine/memory/frames';
import { Follow, HostMemory } from '../../../server/src/engine/memory/host-memory';
import { hostAreas, hostPageAt } from '../../../server/src/engine/memory/host-pages';
import { PhysicalMemory } from '../../../server/src/engine/memory/physical-memory';

const H = 0x7f00_0000_0000;
const K4 = 0x1000;
const M2 = 0x20_0000;
const M1024 = 0x4000_0000;
const OWNER = 2;

function setup(bytes = 0x1000_0000) {
  const journal = new Journal();
  const physical = new PhysicalMemory(journal);
  const frames = hostFrames(bytes);
  const given = new Set<number>();
  const host = new HostMemory(journal, OWNER, noting(frames.guests, given), new PhysicalFrames(physical), frames.zeroPages);
  const heard: string[] = [];
  host.notifier = {
    invalidate: (start, end) => heard.push(`${hex(start - H)}..${hex(end - H)}`),
    changed: (hva) => heard.push(`changed ${hex(hva - H)}`),
  };
  const read = (hva: number) => {
    assert.equal(host.follow(hva, false), Follow.ok);
    return physical.low(host.frame * K4 + (hva % K4));
  };
  return { journal, physical, frames, given, host, heard, read };
}

/** The supply, and which of its frames are given out. */
function noting(frames: FrameSupply, given: Set<number>): FrameSupply {
  const each = (first: number, pages: number): number[] => Array.from({ length: pages }, (_, i) => first + i);
  return {
    allocate(pages, align, page) {
      const first = frames.allocate(pages, align, page);
      if (first >= 0) for (const frame of each(first, pages)) given.add(frame);
      return first;
    },
    release(first, pages) {
      for (const frame of each(first, pages)) assert.ok(given.delete(frame), 'what comes back was given out');
      frames.release(first, pages);
    },
  };
}

function hex(value: number): string {
  return value.toString(16);
}

describe('host memory', () => {
  it('lays populated memory on contiguous frames, a large page on an aligned one', () => {
    const { host, frames } = setup();
    assert.equal(host.map(H, 4 * M2, { pageSize: K4, populated: true }), null);
    assert.equal(host.map(H + 4 * M2 + K4, 2 * M2, { pageSize: M2, populated: true }), null);
    assert.equal(host.follow(H + 0x5008, false), Follow.ok);
    const first = host.frame - 5;
    assert.deepEqual([host.level, host.writable], [1, true]);
    host.follow(H + 3 * M2, true);
    assert.equal(host.frame, first + 3 * 512);
    host.follow(H + 5 * M2 + 3 * K4, false);
    assert.deepEqual([host.level, (host.frame - 3) % 512], [2, 0]);
    host.follow(H + 4 * M2 + K4, false);
    assert.equal(host.level, 1, 'the ends of a range that is not aligned are small pages');
    assert.notEqual(frames.tables.allocate(1), -1);
  });

  it('refuses what is not mapped or not allowed', () => {
    const { host } = setup();
    host.map(H, 4 * K4, { pageSize: K4, populated: true });
    assert.equal(host.follow(H + 4 * K4, false), Follow.fault);
    assert.equal(host.follow(H - 1, false), Follow.fault);
    assert.equal(host.protect(H + K4, K4, false), null);
    assert.equal(host.follow(H + K4, true), Follow.fault);
    assert.equal(host.follow(H + K4, false), Follow.ok);
    assert.equal(host.writable, false);
    assert.equal(host.follow(H, true), Follow.ok);
    assert.equal(host.store(H + K4, 1, 0)?.errno, 'EFAULT');
    assert.equal(host.reclaim(H, 5 * K4)?.errno, 'ENOMEM');
    assert.equal(host.reclaim(H + 1, K4)?.errno, 'EINVAL');
    assert.equal(host.collapse(H, K4)?.errno, 'EINVAL');
  });

  it('reads untouched memory from the shared zero page and copies it on a write', () => {
    const { host, frames, heard } = setup();
    host.map(H, 16 * K4, { pageSize: K4, populated: false });
    assert.equal(host.look(H), false);
    assert.equal(host.follow(H, false), Follow.ok);
    assert.deepEqual([host.frame, host.writable, host.level], [frames.zeroPages.small, false, 1]);
    const before = host.invalidations;
    assert.equal(host.follow(H, true), Follow.ok);
    assert.notEqual(host.frame, frames.zeroPages.small);
    assert.equal(host.writable, true);
    assert.equal(host.invalidations, before + 1);
    assert.deepEqual(heard, ['0..1000', 'changed 0']);
    assert.equal(host.follow(H + K4, true), Follow.ok);
    assert.equal(host.invalidations, before + 1, 'a first write shares nothing');
  });

  it('loses contents with reclaimed pages and finds other frames', () => {
    const { host, heard, read } = setup();
    host.map(H, 8 * K4, { pageSize: K4, populated: true });
    host.store(H + 2 * K4, 0x1234, 0);
    host.store(H + 3 * K4, 0x5678, 0);
    host.follow(H + 2 * K4, false);
    const old = host.frame;
    assert.equal(host.reclaim(H + 2 * K4, K4), null);
    assert.deepEqual(heard, ['2000..3000']);
    assert.equal(read(H + 2 * K4), 0);
    assert.equal(read(H + 3 * K4), 0x5678);
    host.store(H + 2 * K4, 7, 0);
    host.follow(H + 2 * K4, false);
    assert.notEqual(host.frame, old);
    assert.equal(read(H + 2 * K4), 7);
  });

  it('gives two slots that name the same addresses the same pages', () => {
    const { host, read } = setup();
    host.map(H, 4 * K4, { pageSize: K4, populated: true });
    host.store(H + K4, 42, 0);
    host.map(H, 8 * K4, { pageSize: M2, populated: false });
    assert.equal(read(H + K4), 42);
    assert.equal(read(H + 7 * K4), 0);
  });

  it('tells the notifier of the 2M around when mprotect divides a mapping, once', () => {
    const { host, heard } = setup();
    host.map(H, M2, { pageSize: K4, populated: true });
    host.protect(H + K4, K4, false);
    assert.deepEqual(heard.splice(0), ['0..200000', '1000..2000']);
    host.protect(H + K4, K4, true);
    assert.deepEqual(heard.splice(0), ['1000..2000']);
    host.protect(H + K4, K4, true);
    assert.deepEqual(heard, [], 'nothing to change');
  });

  it('makes a huge page at the first write of an untouched area that wants them', () => {
    const { host } = setup();
    host.map(H, 2 * M2, { pageSize: M2, populated: false });
    assert.equal(host.look(H), false);
    host.follow(H + M2 + 5 * K4, true);
    assert.deepEqual([host.level, host.frame % 512, host.writable], [2, 5, true]);
    assert.equal(host.look(H), false);
    host.follow(H, true);
    assert.equal(host.level, 2);
  });

  it('gives a read of a transparent huge page the huge zero page, which a write divides', () => {
    const { host, heard, physical } = setup();
    host.map(H, 2 * M2, { pageSize: M2, populated: true });
    host.store(H + 8, 7, 0);
    host.reclaim(H, 2 * M2);
    heard.length = 0;
    assert.equal(host.follow(H + 5 * K4, false), Follow.ok);
    assert.deepEqual([host.level, host.frame % 512, host.writable], [2, 5, false]);
    const zero = host.frame - 5;
    host.follow(H + M2, false);
    assert.equal(host.frame, zero, 'both ranges share it');
    assert.deepEqual(heard, []);
    const before = host.invalidations;
    assert.equal(host.follow(H + 8, true), Follow.ok);
    assert.deepEqual([host.level, host.writable, physical.low(host.frame * K4 + 8)], [1, true, 0]);
    assert.deepEqual(heard, ['0..200000', '0..1000', 'changed 0']);
    assert.ok(host.invalidations > before, 'a fault that is under way must be tried again');
    host.follow(H + K4, false);
    assert.deepEqual([host.level, host.writable], [1, false]);
    host.follow(H + M2, false);
    assert.equal(host.frame, zero, 'the other range still has it');
  });

  it('takes a page of hugetlbfs for a read too, and divides none', () => {
    const { host, heard } = setup();
    host.map(H, 2 * M2, { pageSize: M2, populated: true, hugetlbfs: true });
    assert.equal(host.reclaim(H + K4, K4)?.errno, 'EINVAL');
    assert.equal(host.protect(H, K4, false)?.errno, 'EINVAL');
    assert.equal(host.split(H, K4)?.errno, 'EINVAL');
    assert.equal(host.reclaim(H, M2 + K4), null);
    assert.deepEqual(heard, ['0..200000'], 'only whole pages go');
    host.follow(H + 5 * K4, false);
    assert.deepEqual([host.level, host.writable], [2, true]);
  });

  it('takes back no page of hugetlbfs of which a part would go', () => {
    const { host, heard, read } = setup();
    host.map(H, M2, { pageSize: K4, populated: true });
    host.map(H + M2, 2 * M2, { pageSize: M2, populated: true, hugetlbfs: true });
    host.map(H + 3 * M2, 2 * K4, { pageSize: K4, populated: true });
    const written = [0, M2 - K4, M2, 2 * M2, 3 * M2 - 8, 3 * M2].map((offset) => H + offset);
    const left = (): number[] => written.map(read);
    const reclaimed = (offset: number, size: number): number[] => {
      for (const hva of written) host.store(hva, 1, 0);
      assert.equal(host.reclaim(H + offset, size), null);
      return left();
    };
    assert.deepEqual(reclaimed(M2, K4), [1, 1, 1, 1, 1, 1], 'the whole range is a part of one');
    assert.deepEqual(heard, []);
    assert.deepEqual(reclaimed(M2 - K4, 2 * K4), [1, 0, 1, 1, 1, 1], 'it ends in one');
    assert.deepEqual(reclaimed(M2 - K4, M2 + 2 * K4), [1, 0, 0, 1, 1, 1], 'it ends in the second');
    assert.deepEqual(reclaimed(M2, 2 * M2), [1, 1, 0, 0, 0, 1], 'it ends with the last');
    assert.deepEqual(reclaimed(M2, 2 * M2 + K4), [1, 1, 0, 0, 0, 0], 'it ends behind them');
  });

  it('divides a transparent huge page of which a part goes, and tells the notifier of the whole', () => {
    const { host, heard } = setup();
    host.map(H, 2 * M2, { pageSize: M2, populated: true });
    host.reclaim(H + M2 + K4, K4);
    assert.deepEqual(heard.splice(0), ['201000..202000', '200000..400000']);
    host.follow(H + M2, false);
    assert.equal(host.level, 1);
    host.reclaim(H, K4);
    assert.deepEqual(heard.splice(0), ['0..1000', '0..200000']);
    host.reclaim(H + K4, K4);
    assert.deepEqual(heard, ['1000..2000'], 'divided already');
  });

  it('takes small pages when there is no room for a large one', () => {
    const { host } = setup(0x40_0000);
    host.map(H, 4 * M2, { pageSize: M2, populated: false });
    const levels = [0, 1, 2, 3].map((n) => (host.follow(H + n * M2, true) === Follow.ok ? host.level : null));
    assert.ok(levels.includes(1), String(levels));
    assert.equal(host.map(H + M1024, 8 * M2, { pageSize: K4, populated: true })?.errno, 'ENOMEM');
    let outcome = Follow.ok;
    for (let page = 0; page < 4 * 512 && outcome === Follow.ok; page++) outcome = host.follow(H + page * K4, true);
    assert.equal(outcome, Follow.noMemory);
  });

  it('splits and collapses large pages, contents kept', () => {
    const { host, heard, read } = setup();
    host.map(H, 2 * M2, { pageSize: M2, populated: true });
    host.store(H + M2 + 8, 99, 0);
    host.split(H + M2 + K4, K4);
    assert.deepEqual(heard.splice(0), ['200000..400000']);
    host.follow(H + M2, false);
    assert.equal(host.level, 1);
    host.follow(H, false);
    assert.equal(host.level, 2);
    host.follow(H + M2, false);
    const old = host.frame;
    host.reclaim(H + M2 + K4, K4);
    heard.length = 0;
    assert.equal(host.collapse(H + M2, K4), null);
    assert.deepEqual(heard, ['200000..400000']);
    host.follow(H + M2, false);
    assert.deepEqual([host.level, host.frame % 512], [2, 0]);
    assert.notEqual(host.frame, old);
    assert.equal(read(H + M2 + 8), 99);
    assert.equal(host.collapse(H, 2 * M2), null, 'large already');
    assert.equal(heard.length, 1);
  });

  it('gives back the frames of small pages that become a huge one, whether they lay together or apart', () => {
    const { host, given } = setup();
    host.map(H, M2, { pageSize: M2, populated: true });
    for (let i = 0; i < 100; i++) {
      assert.equal(host.split(H, M2), null);
      if (i % 2 === 0) host.reclaim(H + 3 * K4, K4);
      assert.equal(host.collapse(H, M2), null);
      assert.equal(given.size, 512);
    }
  });

  it('maps 1G pages', () => {
    const { host } = setup(0x1_4000_0000);
    host.map(H, M1024, { pageSize: M1024, populated: true });
    host.follow(H + 0x1234_5000, false);
    assert.equal(host.level, 3);
    assert.equal((host.frame - 0x1_2345) % 0x4_0000, 0);
    assert.equal(host.split(H, K4)?.errno, 'EINVAL', 'they are of hugetlbfs');
  });

  it('can be read from the journal', () => {
    const { journal, host, frames } = setup();
    host.map(H, 2 * M2, { pageSize: M2, populated: true });
    host.map(H + 4 * M2, M2, { pageSize: M2, populated: false });
    host.follow(H + 4 * M2, false);
    const huge = host.frame;
    host.map(H + 2 * M2, 4 * K4, { pageSize: K4, populated: false });
    host.follow(H + 2 * M2, false);
    host.follow(H + 2 * M2 + K4, true);
    const frame = host.frame;
    host.protect(H, K4, false);
    const state = new State(journal).seek(journal.length);
    const at = (offset: number) => hostPageAt(state, OWNER, H + offset);
    host.follow(H + 5 * K4, false);
    assert.deepEqual(at(5 * K4 + 8), { frame: host.frame, level: 1, writable: true, zero: false });
    assert.equal(at(M2)?.level, 2);
    assert.deepEqual([at(0)?.writable, at(0)?.level], [false, 1]);
    assert.deepEqual(at(2 * M2), { frame: frames.zeroPages.small, level: 1, writable: false, zero: true });
    assert.deepEqual(at(2 * M2 + K4), { frame, level: 1, writable: true, zero: false });
    assert.equal(at(2 * M2 + 2 * K4), null);
    assert.deepEqual(at(4 * M2 + K4), { frame: huge + 1, level: 2, writable: false, zero: true });
    assert.equal(hostPageAt(state, OWNER + 1, H), null);
  });

  it('keeps journal, frames and contents in step through any acts', () => {
    const page = fc.integer({ min: 0, max: 1600 });
    const act = fc.record({
      what: fc.constantFrom('read', 'write', 'reclaim', 'protect', 'unprotect', 'split', 'collapse', 'map'),
      page,
      pages: fc.integer({ min: 1, max: 600 }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
        const { journal, given, host, read } = setup(0x400_0000);
        host.map(H, M2 + 0x5000, { pageSize: M2, populated: true });
        host.map(H + 2 * M2, M2, { pageSize: M2, populated: false });
        const contents = new Map<number, number>();
        let stamp = 1;
        for (const { what, page, pages } of acts) {
          const hva = H + page * K4;
          const size = pages * K4;
          if (what === 'read') {
            if (host.follow(hva, false) === Follow.ok) assert.equal(read(hva), contents.get(page) ?? 0);
          } else if (what === 'write') {
            if (host.store(hva, stamp, 0) === null) contents.set(page, stamp++);
          } else if (what === 'reclaim') {
            if (host.reclaim(hva, size) === null) for (let i = 0; i < pages; i++) contents.delete(page + i);
          } else if (what === 'split') host.split(hva, size);
          else if (what === 'collapse') host.collapse(hva, size);
          else if (what === 'map') host.map(hva, size, { pageSize: K4, populated: page % 2 === 0 });
          else host.protect(hva, size, what === 'unprotect');
        }
        const state = new State(journal).seek(journal.length);
        const areas = hostAreas(state, OWNER).sort((a, b) => a.start - b.start);
        for (let i = 1; i < areas.length; i++) assert.ok(areas[i - 1].start + areas[i - 1].pages <= areas[i].start);
        const owners = new Map<number, number>();
        for (const area of areas) {
          for (let p = area.start; p < area.start + area.pages; p++) {
            const seen = hostPageAt(state, OWNER, p * K4);
            assert.equal(host.look(p * K4), seen !== null);
            if (seen === null) continue;
            assert.deepEqual(
              { frame: host.frame, level: host.level, writable: host.writable },
              { frame: seen.frame, level: seen.level, writable: seen.writable },
            );
            if (!seen.zero) {
              assert.ok(!owners.has(seen.frame), 'a frame stands behind one page');
              owners.set(seen.frame, p);
            }
          }
        }
        assert.deepEqual(given, new Set(owners.keys()), 'frames that stand behind no page have been given back');
        for (const [page, value] of contents) assert.equal(read(H + page * K4), value);
      }),
      { numRuns: 40 },
    );
  });
});

describe('frames', () => {
  it('are given out in order, and again after all others', () => {
    const frames = new FrameAllocator(16, 24);
    assert.deepEqual([frames.allocate(1), frames.allocate(2), frames.allocate(1, 4, 0)], [16, 17, 20]);
    frames.release(16, 1);
    assert.deepEqual(
      [frames.allocate(1), frames.allocate(3), frames.allocate(2), frames.allocate(1), frames.allocate(1), frames.allocate(1)],
      [21, -1, 22, 16, 19, -1],
    );
  });

  it('that come back join again', () => {
    const frames = new FrameAllocator(0, 12);
    for (let i = 0; i < 12; i++) frames.allocate(1);
    for (const i of [3, 5, 4, 0, 11, 2, 1, 9, 10, 6, 8, 7]) frames.release(i, 1);
    assert.equal(frames.allocate(12), 0);
  });
});
