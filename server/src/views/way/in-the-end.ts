/**
 * Where an access leads when every hypervisor on the way has done its part: by the guest's tables, by L1's, by slots and host pages. What
 * an access comes to by the architecture, whatever stands in hardware yet.
 */
import { high, low, lowOf, highOf } from '../../engine/bits';
import { ACCESS_FETCH, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE } from '../../engine/journal/events';
import { Access } from '../../engine/x86/permissions';
import { Walk } from '../../engine/x86/stage';
import type { Walker } from '../../engine/x86/walker';
import { hex } from '../../events/wording';
import type { AddressSpace, Link, Station, Verdict } from '../../protocol/translation';
import { addressOf } from '../machine-state';
import type { MachineState, SlotStep } from '../machine-state';
import { indexOf } from './entries';
import { link, pageLink, slotLink } from './links';
import { entryName, labelOf } from './tables';
import type { Tables, TablesOf } from './tables';
import { judge, reachedAt, verdict } from './verdicts';
import type { Judged } from './verdicts';
import type { Walkers } from './walkers';

interface Asked {
  readonly state: MachineState;
  readonly vm: number;
  readonly tables: TablesOf;
  readonly walkers: Walkers;
  readonly address: bigint;
  readonly space: 'gva' | 'gpa';
  readonly access: number;
}

export interface Ended {
  readonly verdict: Verdict;
  /** Which tables decide, and the entry; null: none does. */
  readonly decided: { readonly tables: Tables; readonly judged: Judged } | null;
  /** Host-physical address; null: not reached, or its page is not there yet. */
  readonly hpa: number | null;
  readonly stations: readonly Station[];
}

export function inTheEnd(asked: Asked): Ended {
  return new Course(asked).run();
}

class Course {
  private readonly stations: Station[] = [];
  private decided: Ended['decided'] = null;

  constructor(private readonly asked: Asked) {}

  run(): Ended {
    const { address, space, tables } = this.asked;
    this.stations.push({ space: space === 'gva' ? tables.own.from : tables.own.to, address: hex(address), links: [] });
    const outcome = this.toMemory();
    const { decided, stations } = this;
    if (typeof outcome === 'number') return { verdict: reachedAt(outcome), decided, hpa: outcome, stations };
    return { verdict: outcome, decided, hpa: null, stations };
  }

  /** Host-physical address, or what comes instead. */
  private toMemory(): number | Verdict {
    const { state, vm, space, address, tables, walkers } = this.asked;
    const { parent, mmu } = state.machine.vms[vm];
    // The tables of a soft L1 that the script plays say where its guest's linear addresses are, and nothing else does.
    if (space === 'gva' && mmu === 'soft' && this.byScript) {
      const gpa = this.byL1(address);
      return typeof gpa === 'number' ? this.toHost(parent!, gpa) : gpa;
    }
    const physical = space === 'gva' ? this.linear() : Number(address);
    if (typeof physical !== 'number') return physical;
    if (parent === null) return this.toHost(vm, physical);
    const known = mmu !== 'soft' && walkers.l1 !== null && this.walk(walkers.l1, BigInt(physical)) === Walk.ok;
    // A KVM has its slots in its tables; the slot is shown where that is so.
    const asSlot = known && state.slotSteps(vm, physical)[0].below === addressOf(walkers.l1!.outLo, walkers.l1!.outHi);
    if (mmu !== 'soft' && (this.byScript || (known && !asSlot))) {
      const gpa = this.byL1(BigInt(physical));
      return typeof gpa === 'number' ? this.toHost(parent, gpa) : gpa;
    }
    const gpa = this.bySlot(vm, physical, tables.l1!.to, 'L1');
    return typeof gpa === 'number' ? this.toHost(parent, gpa) : gpa;
  }

  private get byScript(): boolean {
    const { vms } = this.asked.state.machine;
    const { parent } = vms[this.asked.vm];
    return parent !== null && vms[parent].hypervisor === 'script';
  }

  /** Guest-physical address by the guest's own tables. */
  private linear(): number | Verdict {
    const { address, access, walkers, tables } = this.asked;
    const { guest } = walkers;
    if (!guest) {
      const physical = Number(address & 0xffff_ffffn);
      this.reach(tables.own.to, physical, link('none', 'no paging', tables.own.from, address, physical));
      return physical;
    }
    const status = guest.translate(lowOf(address), highOf(address), access);
    const blocked = this.blockedTable(guest);
    if (blocked) return blocked;
    if (status !== Walk.ok) return this.decide(tables.own, judge(guest, tables.own, 'fault'));
    const physical = addressOf(guest.outLo, guest.outHi);
    this.reach(tables.own.to, physical, link('tables', tables.own.table, tables.own.from, address, physical));
    return physical;
  }

  /** A table of the guest's that an L1 played by the script does not map: L1 gets an exit for it. */
  private blockedTable(guest: Walker): Verdict | null {
    const { walkers, tables, state, vm } = this.asked;
    if (!this.byScript || state.machine.vms[vm].mmu === 'soft') return null;
    for (let level = guest.firstLevel; level >= guest.level; level--) {
      if (guest.format.pae && level === 3 && guest.pdptes !== null) continue;
      const at = guest.entryAddress(level);
      const { l1 } = walkers;
      if (!l1) return NO_TABLES;
      if (l1.translate(low(at), high(at), l1.tableAccess | ACCESS_USER) === Walk.ok) continue;
      const reading = entryName(tables.own, labelOf(guest.format, level), indexOf(guest.format, level, at));
      return this.toL1(l1, reading);
    }
    return null;
  }

  private walk(walker: Walker, address: bigint): number {
    return walker.translate(lowOf(address), highOf(address), (this.asked.access & ~Access.table) | (walker.format.ept ? ACCESS_USER : 0));
  }

  /** Address in L1's memory by L1's tables, or the exit that it gets. */
  private byL1(address: bigint): number | Verdict {
    const { walkers, tables } = this.asked;
    const { l1 } = walkers;
    if (!l1) return NO_TABLES;
    if (this.walk(l1, address) !== Walk.ok) return this.toL1(l1, null);
    const gpa = addressOf(l1.outLo, l1.outHi);
    this.reach('GPA', gpa, link('tables', tables.l1!.table, tables.l1!.from, address, gpa));
    return gpa;
  }

  private toL1(l1: Walker, reading: string | null): Verdict {
    const { tables } = this.asked;
    const judged = judge(l1, tables.l1!, 'exit', reading);
    return this.decide(tables.l1!, { ...judged, verdict: { ...judged.verdict, what: `${judged.verdict.what} to L1` } });
  }

  private decide(tables: Tables, judged: Judged): Verdict {
    this.decided = { tables, judged };
    return judged.verdict;
  }

  private toHost(vm: number, gpa: number): number | Verdict {
    return this.bySlot(vm, gpa, 'HPA', 'L0');
  }

  /** Address one level down by a VM's slots and the pages behind them. */
  private bySlot(vm: number, gpa: number, to: AddressSpace, owner: 'L0' | 'L1'): number | Verdict {
    const { state, access, tables } = this.asked;
    const step = state.slotSteps(vm, gpa)[0];
    const what = access & ACCESS_WHAT;
    const write = what === ACCESS_WRITE;
    const named = tables.l1 !== null || tables.own.named;
    const place = `${owner === 'L1' ? 'ngpa' : 'gpa'} ${hex(gpa)}`;
    if (!step.slot) {
      if (what === ACCESS_FETCH)
        return verdict('error', 'KVM_INTERNAL_ERROR', `${place} is in no slot, and nothing can be fetched there`, 'mmio');
      return verdict('mmio', `MMIO ${write ? 'write' : 'read'}`, `${place} is in no slot`, 'mmio');
    }
    const { id } = step.slot;
    if (write && step.slot.readonly) return verdict('mmio', 'MMIO write', `slot ${id & 0xffff} is read-only`, 'read-only-slot');
    const bySlot = slotLink(step, owner, named);
    // The addresses of an L1's VMM are those of its memory (docs/language.md): they are no station of their own.
    if (owner === 'L0') this.reach('HVA', step.hva!, bySlot);
    return this.byPage(step, to, owner === 'L0' ? [] : [bySlot], pageLink(step, owner, named), write);
  }

  private byPage(
    { hva, page, below }: SlotStep,
    to: AddressSpace,
    before: readonly Link[],
    byPage: Link,
    write: boolean,
  ): number | Verdict {
    if (!page || below === null || (write && page.zero)) {
      this.stations.push({ space: to, address: null, links: [...before, byPage] });
      const how = page ? 'which leaves the shared zero page at the first write' : 'whose page is made at the first touch';
      return verdict('ok', `→ hva ${hex(hva!)}`, how, 'first-touch');
    }
    if (write && !page.writable) return verdict('error', 'EFAULT', `the mapping of hva ${hex(hva!)} is read-only`, 'host-mapping');
    this.reach(to, below, ...before, byPage);
    return below;
  }

  private reach(space: AddressSpace, address: number, ...links: readonly Link[]): void {
    this.stations.push({ space, address: hex(address), links });
  }
}

const NO_TABLES = verdict('exit', 'L1 has no tables for it yet');
