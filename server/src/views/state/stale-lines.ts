/**
 * Which cached translations are not what the tables in hardware say by now, and which write made them so. The comparison is the
 * engine's own (vcpu/staleness.ts).
 */
import { highOf, lowOf } from '../../engine/bits';
import { ACCESS_FETCH, ACCESS_READ, STAGE_GUEST, STAGE_SECOND } from '../../engine/journal/events';
import type { Context } from '../../engine/vcpu/processor-context';
import { Staleness } from '../../engine/vcpu/staleness';
import { RIGHTS_MASK } from '../../engine/vcpu/tlb-array';
import type { TlbLine } from '../../engine/vcpu/tlb-array';
import type { Tag } from '../../engine/vcpu/tags';
import { Rights } from '../../engine/x86/permissions';
import { Walk, Walking } from '../../engine/x86/stage';
import { Walker } from '../../engine/x86/walker';
import { addressOf } from '../machine-state';
import type { MachineState } from '../machine-state';
import { isLeaf, isPresent, tableTarget } from '../way/entries';
import { hardwareOf } from '../way/hardware';
import { labelOf } from '../way/tables';

/** An entry that a translation goes through. */
interface PathEntry {
  /** Host-physical address of the word. */
  readonly hpa: number;
  /** `PT`, `EPT1`. */
  readonly label: string;
  readonly level: number;
  /** Of the second stage. */
  readonly second: boolean;
  /** Accessed and dirty flags, whose change makes nothing stale. */
  readonly flags: bigint;
}

/** What stands in a processor for one vCPU, to be walked. */
export class Standing {
  readonly first: Walker | null;
  readonly second: Walker | null;
  private readonly staleness: Staleness | null;
  private readonly physical: Staleness | null;

  constructor(
    state: MachineState,
    readonly processor: number,
    readonly vm: number,
    readonly context: Context,
  ) {
    const { memory } = state;
    const { first, second } = context;
    this.second = second && silent(new Walker(memory, second, STAGE_SECOND), context.secondRootLo, context.secondRootHi);
    this.first = first && silent(new Walker(memory, first, STAGE_GUEST, this.second), context.rootLo, context.rootHi);
    if (this.second) this.second.policy = context.secondPolicy;
    if (this.first) {
      this.first.pdptes = context.pdptes;
      this.first.policy = context.policy;
    }
    const format = first ?? second;
    this.staleness = format && new Staleness(memory, format);
    this.staleness?.use(this.first, this.second);
    this.physical = second && new Staleness(memory, second);
    this.physical?.use(null, this.second);
  }

  /** Lines with this tag serve this vCPU; L2 of the TLB has global pages under no PCID. */
  owns({ vpid, pcid, root, global, guestPhysical }: Tag): boolean {
    const { context } = this;
    const own = this.second ? addressOf(this.second.rootLo, this.second.rootHi) / 4096 : -1;
    return root === own && (guestPhysical || (vpid === context.vpid && (global || pcid === context.pcid)));
  }

  /** A whole translation is another one by now. */
  isStale({ page, frame, rights }: TlbLine, guestPhysical: boolean): boolean {
    const staleness = guestPhysical ? this.physical : this.staleness;
    const host = BigInt(frame);
    return staleness?.note(lowOf(page), highOf(page), 0, lowOf(host), highOf(host), rights & RIGHTS_MASK) ?? false;
  }

  /** An upper-level entry leads elsewhere by now, or gives fewer rights. @param low bits of the entries taken together */
  isStructureStale(page: bigint, second: boolean, level: number, frame: number, low: number): boolean {
    const walker = second ? this.second : this.first;
    if (!walker) return false;
    walker.translate(lowOf(page), highOf(page), ACCESS_READ);
    if (level > walker.firstLevel || level < walker.level) return true;
    let all = -1;
    for (let at = walker.firstLevel; at >= level; at--) if (!(walker.format.pae && at === 3)) all &= walker.entryLo(at);
    const value = (BigInt(walker.entryHi(level) >>> 0) << 32n) | BigInt(walker.entryLo(level) >>> 0);
    if (!isPresent(walker.format, value) || isLeaf(walker.format, level, value) || tableTarget(value) !== frame) return true;
    const rights = walker.format.ept ? 7 : 6;
    return (low & ~all & rights) !== 0;
  }

  /** Entries through which an address goes now, as far as it goes. @param physical the address is guest-physical */
  path(address: bigint, physical: boolean, rights: number): PathEntry[] {
    const access = (rights & Rights.hostRead) !== 0 ? ACCESS_READ : ACCESS_FETCH;
    const found: PathEntry[] = [];
    if (physical || !this.first) {
      this.pathOf(this.second, address, access, found);
      return found;
    }
    const { first } = this;
    this.pathOf(first, address, access, found);
    const addresses: number[] = [];
    for (let level = first.firstLevel; level >= first.level; level--)
      if (!(first.format.pae && level === 3 && first.pdptes)) addresses.push(first.entryAddress(level));
    const status: number = first.status;
    if (status === Walk.ok || status === Walk.denied) addresses.push(addressOf(first.outLo, first.outHi));
    for (const each of addresses) this.pathOf(this.second, BigInt(each), ACCESS_READ, found);
    return found;
  }

  private pathOf(walker: Walker | null, address: bigint, access: number, into: PathEntry[]): void {
    if (!walker) return;
    walker.translate(lowOf(address), highOf(address), access);
    const { format } = walker;
    for (let level = walker.firstLevel; level >= walker.level; level--) {
      const hpa = walker.entryHost(level);
      if (hpa >= 0)
        into.push({
          hpa,
          label: labelOf(format, level),
          level,
          second: walker === this.second,
          flags: BigInt((format.accessed | format.dirty) >>> 0),
        });
    }
  }
}

/** What stands in processors. */
export function standing(state: MachineState): Standing[] {
  return state.machine.vms.flatMap(({ vcpus }, vm) =>
    vcpus.flatMap((_, vcpu) => {
      const hardware = hardwareOf(state, vm, vcpu);
      return hardware ? [new Standing(state, hardware.processor, vm, hardware.context)] : [];
    }),
  );
}

function silent(walker: Walker, rootLo: number, rootHi: number): Walker {
  walker.walking = Walking.silent;
  walker.use(walker.format, rootLo, rootHi);
  return walker;
}
