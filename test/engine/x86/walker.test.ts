import assert from 'node:assert/strict';
import {
  ACCESS_FETCH,
  ACCESS_READ,
  ACCESS_USER,
  ACCESS_WRITE,
  Kind,
  STAGE_GUEST,
  STAGE_SECOND,
} from '../../../server/src/engine/journal/events';
import { Journal, ROW_WORDS } from '../../../server/src/engine/journal/journal';
import { WalkTrace } from '../../../server/src/engine/mmu/contexts/walk-trace';
import { PhysicalMemory } from '../../../server/src/engine/memory/physical-memory';
import { PmlLog } from '../../../server/src/engine/vcpu/pml-log';
import { Register, Registers } from '../../../server/src/engine/vcpu/registers';
import { eptFormat, pagingFormat } from '../../../server/src/engine/x86/formats';
import { Access, Policy, Rights } from '../../../server/src/engine/x86/permissions';
import { Walk, Walking, type Stage } from '../../../server/src/engine/x86/stage';
import { Walker } from '../../../server/src/engine/x86/walker';
import { Tables, identityEpt, type Words } from '../vcpu/tables';

const PAGING = pagingFormat({ mode: '4-level', nxe: true, pse: true, pse36: true, page1G: true, maxPhyAddr: 46, amd: false });
const A = 0x40_0000;
const READ = ACCESS_READ | ACCESS_USER;
const WRITE = ACCESS_WRITE | ACCESS_USER;

/** Memory slots as a stage: guest memory at an offset, some of it read-only or absent. */
class Slots implements Stage {
  readonly tableAccess = ACCESS_READ | Access.table;
  outLo = 0;
  outHi = 0;
  hostLo = 0;
  hostHi = 0;
  hostRights = 0;
  readonly readonlyPages = new Set<number>();
  readonly absentPages = new Set<number>();

  translate(lo: number, hi: number): number {
    if (this.absentPages.has(lo >>> 12)) return Walk.absent;
    this.outLo = lo;
    this.outHi = hi;
    this.hostLo = lo + 0x100_0000;
    this.hostRights = Rights.hostRead | Rights.dirty | (this.readonlyPages.has(lo >>> 12) ? 0 : Rights.hostWrite);
    return Walk.ok;
  }
}

class Bench {
  readonly journal = new Journal();
  readonly memory = new PhysicalMemory(this.journal);
  readonly words: Words = new Map();
  readonly guest = new Tables(this.words, 0x1000n, 0x2000n, (address) => address + 0x100_0000n).map(BigInt(A), 0x8000n);

  load(): this {
    for (const [address, value] of this.words) this.memory.write(Number(address), Number(value & 0xffff_ffffn), Number(value >> 32n));
    return this;
  }

  set(address: bigint, value: bigint): void {
    this.words.set(address, value);
    this.load();
  }

  word(address: bigint): number {
    return this.memory.low(Number(address));
  }

  /** Events since a row, as `name first-slot` with hexadecimal numbers. */
  events(from: number): string[] {
    const found: string[] = [];
    for (let row = from; row < this.journal.length; row++) {
      const at = row * ROW_WORDS;
      const { words } = this.journal;
      const kind = words[at] & 0xff;
      if (kind === (Kind.change as number)) continue;
      found.push(
        `${Kind[kind]} ${(words[at + 1] >>> 0).toString(16)}${kind === (Kind.kvm_mmu_paging_element as number) ? ` ${(words[at + 3] >>> 0).toString(16)}` : ''}`,
      );
    }
    return found;
  }
}

function software(bench: Bench, slots: Slots): Walker {
  const walker = new Walker(bench.memory, PAGING, STAGE_GUEST, slots);
  walker.walking = Walking.software;
  walker.listener = new WalkTrace(bench.journal);
  walker.policy = Policy.writeProtect | Policy.nxe;
  walker.use(PAGING, 0x1000, 0);
  return walker;
}

describe('walker', () => {
  describe('in software (paging_tmpl.h:walk_addr_generic; mmu-semantics.md §5.3 P2, §8.3)', () => {
    it('leaves it to whoever is asked to set the flags, with their places in the space behind', () => {
      const bench = new Bench().load();
      const walker = software(bench, new Slots());
      const written: string[] = [];
      walker.writes = (lo, _hi, bits) => written.push(`${lo.toString(16)} ${bits.toString(16)}`);
      assert.equal(walker.translate(A, 0, WRITE), Walk.ok);
      assert.deepEqual(written, ['1000 20', '2000 20', '3010 20', '4000 60']);
      assert.equal(bench.word(0x100_4000n), 0x8007);
    });

    it('asks so for tables above 4 GiB too, and says where their entries are', () => {
      const bench = new Bench();
      for (const [address, entry] of [
        [0x100_1000n, 0x5_0000_2007n],
        [0x100_2000n, 0x6_0000_3007n],
        [0x100_3010n, 0x7_0000_4007n],
        [0x100_4000n, 0x8_0000_8007n],
      ] as const)
        bench.set(address, entry);
      const walker = software(bench, new Slots());
      const written: string[] = [];
      walker.writes = (lo, hi, bits) => written.push(`${hi}:${lo.toString(16)} ${bits.toString(16)}`);
      assert.equal(walker.translate(A, 0, WRITE), Walk.ok);
      assert.deepEqual(written, ['0:1000 20', '5:2000 20', '6:3010 20', '7:4000 60']);
      assert.deepEqual([walker.entryAddress(1), walker.outHi, walker.outLo], [0x7_0000_4000, 8, 0x8000]);
    });

    it('traces the walk, the entries with their guest-physical addresses, and the flags it sets from the top', () => {
      const bench = new Bench().load();
      const walker = software(bench, new Slots());
      const from = bench.journal.length;
      assert.equal(walker.translate(A, 0, WRITE), Walk.ok);
      assert.deepEqual(bench.events(from), [
        'kvm_mmu_pagetable_walk 400000',
        'kvm_mmu_paging_element 2007 1000',
        'kvm_mmu_paging_element 3007 2000',
        'kvm_mmu_paging_element 4007 3010',
        'kvm_mmu_paging_element 8007 4000',
        'kvm_mmu_set_accessed_bit 1000',
        'kvm_mmu_set_accessed_bit 2000',
        'kvm_mmu_set_accessed_bit 3010',
        'kvm_mmu_set_accessed_bit 4000',
        'kvm_mmu_set_dirty_bit 4000',
      ]);
      assert.equal(walker.outLo, 0x8000);
      assert.equal(bench.word(0x100_4000n), 0x8067);
      assert.notEqual(walker.rights & Rights.dirty, 0);
      assert.equal(walker.entryLo(1), 0x8007, 'entries are kept as they were read');
      assert.equal(walker.entryAddress(2), 0x3010);
      assert.equal(walker.entryHost(2), 0x100_3010);
      assert.equal(walker.updated, 0b11110);
    });

    it('sets nothing on a fault, and gives its error code', () => {
      const bench = new Bench();
      bench.set(0x100_4000n, 0x8005n);
      const walker = software(bench, new Slots());
      const from = bench.journal.length;
      assert.equal(walker.translate(A, 0, WRITE), Walk.denied);
      assert.equal(walker.errorCode, 7);
      assert.equal(bench.events(from).at(-1), 'kvm_mmu_walker_error 7');
      assert.deepEqual(
        [0x100_1000n, 0x100_2000n, 0x100_4000n].map((at) => bench.word(at)),
        [0x2007, 0x3007, 0x8005],
      );
    });

    it('prints the flags of a table in read-only memory, and leaves it alone', () => {
      const bench = new Bench().load();
      const slots = new Slots();
      slots.readonlyPages.add(4);
      const walker = software(bench, slots);
      const from = bench.journal.length;
      assert.equal(walker.translate(A, 0, WRITE), Walk.ok);
      assert.ok(bench.events(from).includes('kvm_mmu_set_dirty_bit 4000'));
      assert.equal(bench.word(0x100_4000n), 0x8007);
      assert.equal(bench.word(0x100_3010n), 0x4027);
    });

    it('finds nothing present where a table lies in no slot', () => {
      const bench = new Bench().load();
      const slots = new Slots();
      slots.absentPages.add(3);
      const walker = software(bench, slots);
      assert.equal(walker.translate(A, 0, READ), Walk.notPresent);
      assert.equal(walker.level, 2);
      assert.equal(walker.errorCode, 4);
    });

    it('has nothing of an entry that cannot be read, whatever was read for it before', () => {
      const bench = new Bench();
      bench.set(0x100_3010n, (1n << 63n) | 0x4007n);
      bench.set(0x100_4000n, (1n << 63n) | 0x8007n);
      const slots = new Slots();
      const walker = software(bench, slots);
      for (const [level, page] of [
        [1, 4],
        [2, 3],
      ] as const) {
        slots.absentPages.clear();
        assert.equal(walker.translate(A, 0, READ), Walk.ok);
        slots.absentPages.add(page);
        assert.equal(walker.translate(A, 0, READ), Walk.notPresent);
        assert.deepEqual([walker.unreadable(level), walker.entryLo(level), walker.entryHi(level)], [true, 0, 0]);
        assert.equal(walker.unreadable(level + 1), false);
      }
    });

    it('tells a clean leaf of a read', () => {
      const bench = new Bench().load();
      const walker = software(bench, new Slots());
      walker.translate(A, 0, READ);
      assert.equal(walker.rights & Rights.dirty, 0);
      assert.notEqual(walker.rights & Rights.write, 0);
    });

    it('shows the error code it is told to', () => {
      const bench = new Bench().load();
      const walker = software(bench, new Slots());
      walker.pferr = 7;
      const from = bench.journal.length;
      walker.translate(A, 0, WRITE);
      assert.equal(bench.journal.words[from * ROW_WORDS + 3], 7);
    });
  });

  it('that only looks changes nothing and writes no row', () => {
    const bench = new Bench().load();
    const walker = software(bench, new Slots());
    walker.walking = Walking.silent;
    const from = bench.journal.length;
    assert.equal(walker.translate(A, 0, WRITE), Walk.ok);
    assert.equal(walker.hostLo, 0x100_8000);
    assert.equal(bench.journal.length, from);
    assert.equal(walker.flagsMissing, true);
    assert.equal(walker.entryLo(3), 0x3007);
  });

  it('takes the rights of all levels together, and those down to one', () => {
    const bench = new Bench();
    bench.set(0x100_2000n, 0x3005n);
    bench.set(0x100_3010n, (1n << 63n) | 0x4007n);
    const walker = software(bench, new Slots());
    walker.translate(A, 0, READ);
    assert.equal(walker.rights & (Rights.write | Rights.user | Rights.noExecute), Rights.user | Rights.noExecute);
    assert.equal(walker.rightsDownTo(4) & (Rights.write | Rights.noExecute), Rights.write);
    assert.equal(walker.rightsDownTo(3) & (Rights.write | Rights.noExecute), 0);
    assert.equal(walker.rightsDownTo(2) & (Rights.write | Rights.noExecute), Rights.noExecute);
  });

  describe('with page-modification logging (mmu-semantics.md §3.6)', () => {
    const BUFFER = 0x300_0000;
    function ept(): { bench: Bench; registers: Registers; walker: Walker } {
      const bench = new Bench();
      identityEpt(bench.words, 0x100_0000n);
      bench.load();
      const registers = new Registers(bench.journal, 0);
      registers.set(Register.pmlAddress, BUFFER, 0);
      registers.set(Register.pmlIndex, 511, 0);
      const format = eptFormat({ levels: 4, accessedDirty: true, executeOnly: true, page1G: true, maxPhyAddr: 46 });
      const walker = new Walker(bench.memory, format, STAGE_SECOND);
      walker.use(format, 0x1000_0000, 0);
      walker.pml = new PmlLog(bench.memory, registers);
      return { bench, registers, walker };
    }

    it('logs the page when it becomes dirty, once, and counts the index down', () => {
      const { bench, registers, walker } = ept();
      assert.equal(walker.translate(0x8123, 0, ACCESS_READ), Walk.ok);
      assert.equal(registers.lo(Register.pmlIndex), 511);
      for (let i = 0; i < 2; i++) assert.equal(walker.translate(0x8123, 0, ACCESS_WRITE), Walk.ok);
      assert.equal(registers.lo(Register.pmlIndex), 510);
      assert.equal(bench.memory.low(BUFFER + 511 * 8), 0x8000);
    });

    it('is full when the index has left 0..511: nothing is set, nothing logged', () => {
      const { bench, registers, walker } = ept();
      registers.set(Register.pmlIndex, 0, 0);
      assert.equal(walker.translate(0x8000, 0, ACCESS_WRITE), Walk.ok);
      assert.equal(registers.lo(Register.pmlIndex), 0xffff);
      const leaf = bench.memory.low(0x1000_3000 + 9 * 8);
      assert.equal(walker.translate(0x9000, 0, ACCESS_WRITE), Walk.pmlFull);
      assert.equal(bench.memory.low(0x1000_3000 + 9 * 8), leaf);
      assert.equal(walker.translate(0x9000, 0, ACCESS_READ), Walk.ok, 'reads need no room');
      assert.equal(walker.translate(0x8000, 0, ACCESS_WRITE), Walk.ok, 'nor do pages that are dirty already');
      assert.equal(walker.translate(0x9000, 0, ACCESS_FETCH), Walk.ok);
    });
  });
});
