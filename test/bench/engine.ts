/**
 * The engine's side of a benchmark: a process that speaks as c/baseline.c does. Tables are the same word for word; accesses go
 * through the Processor that scenarios use.
 *
 * usage: engine STREAM PATH GUEST_PAGE SECOND_PAGE [journal] [second]
 *   journal  record every event (the journal, which is no ring, is emptied when it has RING_ROWS)
 *   kept     as journal, emptied when it has KEPT_ROWS
 *   second   a second machine of another kind has run in this process before
 */
import { createInterface } from 'node:readline';
import { high, low } from '../../server/src/engine/bits';
import { ACCESS_USER } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import { PhysicalMemory } from '../../server/src/engine/memory/physical-memory';
import { Context } from '../../server/src/engine/vcpu/processor-context';
import { Outcome, Processor } from '../../server/src/engine/vcpu/processor';
import { eptFormat, pagingFormat } from '../../server/src/engine/x86/formats';
import { Policy } from '../../server/src/engine/x86/permissions';
import { readStream } from './streams';
import type { Stream } from './streams';

const PAGES = 1 << 18;
const WINDOW = 0x7f00_0000_0000;
const MAXPHYADDR = 46;
const BUDGET = 8 * 1024 ** 3;
const SIZES: { readonly [name: string]: number } = { '4k': 12, '2m': 21, '1g': 30 };
const TLB = { l1: { sets: 16, ways: 4 }, l2: { sets: 128, ways: 12 }, pagingStructureEntries: 0 };
/** Rows after which the journal is emptied: few enough for a cache (1.3 MB), and as a long run keeps them (42 MB). */
const RING_ROWS = 1 << 16;
const KEPT_ROWS = 1 << 21;
/**
 * Accesses between two looks at the journal's length. Few: the loop over them becomes hot as a function that is called, and V8
 * optimizes it whole, not from the middle of a run.
 */
const CHUNK = 128;

const PRESENT = 7;
const WRITE_BACK = 6 << 3;
const LARGE = 0x80;

/** Guest and second-stage tables, and the tables of their composition, over the same memory. */
class Tables {
  readonly memory: PhysicalMemory;
  readonly ept: number;
  readonly host: number;
  readonly guest: number;
  /** Frames of the guest's tables and of EPT. */
  frames = 0;
  private nextHost = 0x40_0000;
  private nextGuest = PAGES;

  constructor(
    readonly journal: Journal,
    private readonly guestShift: number,
    private readonly secondShift: number,
  ) {
    this.memory = new PhysicalMemory(journal, BUDGET);
    this.ept = this.eptTable();
    this.host = this.hostTable();
    this.guest = this.guestTable();
  }

  /** Map what the stream touches: the 1 GiB window, or just its pages. */
  map(stream: Stream): void {
    const pageStep = (shift: number): number => 2 ** (shift - 12);
    const small = Math.min(this.guestShift, this.secondShift);
    const at = (i: number): number => (stream.hi[i] >>> 0) * 2 ** 32 + (stream.lo[i] >>> 0);
    if (Math.floor(at(0) / 2 ** 30) * 2 ** 30 === WINDOW) {
      const gfnOf = (page: number): number => (this.guestShift === 12 ? Math.imul(page, 0x9e37_79b1) & (PAGES - 1) : page);
      for (let page = 0; page < PAGES; page += pageStep(this.secondShift)) this.mapEpt(page * 4096, this.hostFrame(page) * 4096);
      for (let page = 0; page < PAGES; page += pageStep(this.guestShift)) this.mapGuest(WINDOW + page * 4096, gfnOf(page) * 4096);
      for (let page = 0; page < PAGES; page += pageStep(small)) {
        this.mapHost(WINDOW + page * 4096, this.hostFrame(gfnOf(page)) * 4096, small);
      }
      return;
    }
    const pages = [...new Set(Float64Array.from({ length: stream.op.length }, (_, i) => Math.floor(at(i) / 4096)))].sort((a, b) => a - b);
    pages.forEach((page, gfn) => {
      this.mapEpt(gfn * 4096, this.hostFrame(gfn) * 4096);
      this.mapGuest(page * 4096, gfn * 4096);
      this.mapHost(page * 4096, this.hostFrame(gfn) * 4096, 12);
    });
  }

  private hostFrame(gfn: number): number {
    if (this.secondShift !== 12) return 0x20_0000 + gfn;
    return gfn >= PAGES ? 0x80_0000 + (gfn - PAGES) : 0x20_0000 + (Math.imul(gfn, 0x9e37_79b1) & 0x3ffff);
  }

  private hostTable(): number {
    const address = this.nextHost++ * 4096;
    this.memory.claim(low(address), high(address));
    return address;
  }

  private eptTable(): number {
    this.frames++;
    return this.hostTable();
  }

  private guestTable(): number {
    this.frames++;
    const gpa = this.nextGuest++ * 4096;
    const host = this.behindEpt(gpa);
    this.memory.claim(low(host), high(host));
    const page = gpa - (gpa % 2 ** this.secondShift);
    this.mapEpt(page, this.hostFrame(page / 4096) * 4096);
    return gpa;
  }

  private behindEpt(gpa: number): number {
    return this.hostFrame(Math.floor(gpa / 4096)) * 4096 + (gpa % 4096);
  }

  private mapEpt(gpa: number, hpa: number): void {
    this.mapIn(this.ept, gpa, hpa, this.secondShift, PRESENT | WRITE_BACK, () => this.eptTable());
  }

  private mapGuest(linear: number, gpa: number): void {
    this.mapIn(
      this.guest,
      linear,
      gpa,
      this.guestShift,
      PRESENT,
      () => this.guestTable(),
      (address) => this.behindEpt(address),
    );
  }

  private mapHost(linear: number, hpa: number, shift: number): void {
    this.mapIn(this.host, linear, hpa, shift, PRESENT, () => this.hostTable());
  }

  private mapIn(
    root: number,
    address: number,
    target: number,
    shift: number,
    leaf: number,
    table: () => number,
    where = (at: number): number => at,
  ): void {
    const { memory } = this;
    const last = (shift - 3) / 9;
    let at = root;
    for (let level = 4; level > last; level--) {
      const place = where(at + index(address, level));
      if ((memory.low(place) & PRESENT) === 0) {
        const fresh = table();
        memory.write(place, low(fresh) | PRESENT, high(fresh));
      }
      at = (memory.high(place) & 0xfffff) * 2 ** 32 + ((memory.low(place) & ~0xfff) >>> 0);
    }
    memory.write(where(at + index(address, last)), low(target) | leaf | (last > 1 ? LARGE : 0), high(target));
  }
}

/** Offset of an address' entry in its table. */
function index(address: number, level: number): number {
  return (Math.floor(address / 2 ** (3 + 9 * level)) % 512) * 8;
}

class Bench {
  private readonly tables: Tables;
  private readonly context = new Context();
  /** Three words an access: its address, low half first, and its ACCESS_* bits. */
  private readonly accesses: Int32Array;
  private sum = 0;
  private faults = 0;

  constructor(
    stream: Stream,
    private readonly path: string,
    guestShift: number,
    secondShift: number,
    /** Rows after which the journal is emptied; 0: it is off. */
    private readonly rows: number,
  ) {
    const journal = new Journal(rows * 2 + 1);
    journal.on = false;
    this.tables = new Tables(journal, guestShift, secondShift);
    this.tables.map(stream);
    this.accesses = new Int32Array(stream.op.length * 3);
    stream.op.forEach((op, i) => this.accesses.set([stream.lo[i], stream.hi[i], op | ACCESS_USER], i * 3));
    const options = { nxe: true, pse: true, pse36: true, page1G: true, maxPhyAddr: MAXPHYADDR, amd: false };
    const { context, tables } = this;
    const two = path.endsWith('2');
    const root = two ? tables.guest : tables.host;
    context.first = pagingFormat({ mode: '4-level', ...options });
    context.rootLo = low(root);
    context.rootHi = high(root);
    context.policy = Policy.writeProtect | Policy.nxe;
    if (two) {
      context.second = eptFormat({ levels: 4, accessedDirty: true, executeOnly: true, page1G: true, maxPhyAddr: MAXPHYADDR });
      context.secondRootLo = low(tables.ept);
      context.secondRootHi = high(tables.ept);
    }
  }

  /** Some of the accesses: what the benchmark is about, and nothing else. */
  private some(processor: Processor, from: number, to: number): void {
    const { accesses } = this;
    let { sum, faults } = this;
    const end = to | 0;
    for (let i = from | 0; i < end; i = (i + 3) | 0) {
      if (processor.access(accesses[i], accesses[(i + 1) | 0], accesses[(i + 2) | 0]) !== Outcome.ok) faults++;
      else sum = (sum + (((processor.hostLo >>> 12) | (processor.hostHi << 20)) ^ processor.hostLo)) | 0;
    }
    this.sum = sum;
    this.faults = faults;
  }

  /** The whole stream once, from empty caches. */
  run(): object {
    const { accesses, tables } = this;
    const { journal } = tables;
    const processor = new Processor(tables.memory, false, { on: this.path.startsWith('tlb'), ...TLB });
    processor.enter(this.context);
    journal.on = this.rows > 0;
    const length = accesses.length / 3;
    this.sum = this.faults = 0;
    let rows = 0;
    const start = process.cpuUsage();
    for (let from = 0; from < length; from += CHUNK) {
      this.some(processor, from * 3, Math.min(from + CHUNK, length) * 3);
      if (journal.length > this.rows) {
        rows += journal.length;
        journal.length = 0;
      }
    }
    const { user, system } = process.cpuUsage(start);
    rows += journal.length;
    journal.length = 0;
    journal.on = false;
    const cached = this.path.startsWith('tlb');
    return {
      cpu: (user + system) * 1000,
      count: length,
      sum: this.sum >>> 0,
      references: processor.references,
      walks: cached ? processor.walks : 0,
      hits1: cached ? length - processor.l1Misses : 0,
      hits2: processor.l2Hits,
      faults: this.faults,
      rows,
      frames: tables.frames,
    };
  }
}

const [prefix, path, guestPage, secondPage, ...options] = process.argv.slice(2);
const stream = readStream(prefix);
if (options.includes('second')) {
  const few: Stream = { lo: stream.lo.subarray(0, 200_000), hi: stream.hi.subarray(0, 200_000), op: stream.op.subarray(0, 200_000) };
  for (const other of ['walk1', 'walk2', 'tlb1', 'tlb2']) new Bench(few, other, 12, 12, other === 'walk1' ? RING_ROWS : 0).run();
}
const bench = new Bench(
  stream,
  path,
  SIZES[guestPage],
  SIZES[secondPage],
  options.includes('kept') ? KEPT_ROWS : options.includes('journal') ? RING_ROWS : 0,
);
createInterface({ input: process.stdin }).on('line', () => process.stdout.write(`${JSON.stringify(bench.run())}\n`));
