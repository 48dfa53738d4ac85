/**
 * A VM's physical memory at a point of a run, for walks that only look: where the tables lead that translate it, from those in hardware
 * to those of L1, and where none does, where its slots and those around it lie.
 */
import { high, low } from '../../engine/bits';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_USER } from '../../engine/journal/events';
import { Access, HOST_ALL, Rights } from '../../engine/x86/permissions';
import { Walk } from '../../engine/x86/stage';
import type { Stage } from '../../engine/x86/stage';
import type { Walker } from '../../engine/x86/walker';
import { addressOf } from '../machine-state';
import type { MachineState } from '../machine-state';

interface TranslatingTables {
  readonly walker: Walker;
  /** What the addresses are of that they give; null: host-physical ones. */
  readonly memory: PhysicalMemoryOf | null;
}

export class PhysicalMemoryOf implements Stage {
  readonly tableAccess = ACCESS_READ | Access.table;
  outLo = 0;
  outHi = 0;
  hostLo = 0;
  hostHi = 0;
  readonly hostRights = HOST_ALL | Rights.dirty;

  /** @param tables that translate addresses of the VM, those that count most first */
  constructor(
    private readonly state: MachineState,
    private readonly vm: number,
    private readonly tables: readonly TranslatingTables[] = [],
  ) {}

  /** Host-physical address behind one of the VM's; null: there is none. */
  hpaOf(gpa: number): number | null {
    for (const { walker, memory } of this.tables) {
      if (!translates(walker, gpa)) continue;
      const out = addressOf(walker.outLo, walker.outHi);
      return memory ? memory.hpaOf(out) : out;
    }
    return this.state.hpaOf(this.vm, gpa);
  }

  translate(lo: number, hi: number): Walk {
    this.outLo = lo;
    this.outHi = hi;
    const hpa = this.hpaOf(addressOf(lo, hi));
    if (hpa === null) return Walk.absent;
    this.hostLo = low(hpa);
    this.hostHi = high(hpa);
    return Walk.ok;
  }
}

/** The tables translate an address for some access; the walker's fields say where to. */
function translates(walker: Walker, address: number): boolean {
  const [lo, hi] = [low(address), high(address)];
  return [ACCESS_READ, ACCESS_FETCH].some((what) => walker.translate(lo, hi, what | ACCESS_USER) === Walk.ok);
}
