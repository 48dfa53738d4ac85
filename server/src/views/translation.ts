/**
 * The whole way of an address at a point of a run: guest tables, slots, host memory, and the tables that hardware walks (EPT,
 * NPT, shadow), with what an access there would come to. Looking changes nothing: state is rebuilt from the journal and
 * walked silently by the engine's one walker.
 */
import { lowOf, highOf } from '../engine/bits';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../engine/journal/events';
import { pageFaultCode } from '../engine/x86/fault-codes';
import { keyDenies, permits } from '../engine/x86/permissions';
import { Walk } from '../engine/x86/stage';
import type { Walker } from '../engine/x86/walker';
import type { TranslationView, WalkHop } from '../protocol/messages';
import { cachedLines, cachedText } from './cached';
import { errorCode } from '../events/decode';
import { spteFormat } from '../events/entry-text';
import { addressOf } from './machine-state';
import type { MachineState, SlotStep } from './machine-state';
import { guestRules, guestWalker } from './tables';
import { bytes, hex, joined } from '../events/wording';
import type { RunView } from './view';
import { walkHops } from './walk-hops';
import { wayTables } from './way-tables';
import type { WayTables } from './way-tables';

export { translationMarkdown, translationText } from './translation-text';

/** From where an address is looked at: the state just before a journal row, as a vCPU sees it. */
export interface Viewpoint {
  readonly position: number;
  readonly vm: number;
  /** Index into the VM's vCPUs. */
  readonly vcpu: number;
}

/**
 * @param space of the address: linear, or physical of the VM
 * @param access ACCESS_* bits of an access to judge; without, the way is shown without regard to rights
 */
export function translate(
  view: RunView,
  at: Viewpoint,
  address: bigint,
  space: 'gva' | 'gpa',
  access: number | null = null,
): TranslationView {
  return new Way(view.machine(at.position), at, access).from(address, space);
}

type Station = TranslationView['stations'][number];

/** Collects hops, stations and remarks along the way. */
class Way {
  private readonly hops: WalkHop[] = [];
  private readonly stations: Station[] = [];
  private readonly remarks: string[] = [];
  private readonly tables: WayTables;
  /** L2's addresses are `NGVA` and `NGPA`. */
  private readonly nested: boolean;

  constructor(
    private readonly state: MachineState,
    private readonly at: Viewpoint,
    private readonly access: number | null,
  ) {
    this.tables = wayTables(state, at.vm, at.vcpu);
    this.nested = state.machine.vms[at.vm].parent !== null;
  }

  from(address: bigint, space: 'gva' | 'gpa'): TranslationView {
    const linear = space === 'gva';
    const gpa = linear ? this.linear(address) : this.physical(address);
    this.byL1(linear ? address : null, gpa);
    if (gpa !== null) {
      if (!this.tables.below) this.secondStage(gpa, linear);
      this.toHost(gpa);
    }
    if (linear) this.shadow(address);
    return {
      address: hex(address),
      space: linear ? (this.nested ? 'ngva' : 'gva') : 'gpa',
      hops: this.hops,
      stations: this.stations,
      cached: linear ? this.cached(address) : null,
      outcome: joined(...this.remarks),
    };
  }

  private reach(space: string, address: number | bigint): void {
    this.stations.push({ space, address: hex(address) });
  }

  private physical(address: bigint): number {
    this.reach(this.nested ? 'NGPA' : 'GPA', address);
    return Number(address);
  }

  /** The guest's own tables; null when they do not lead to a physical address. */
  private linear(address: bigint): number | null {
    this.reach(this.nested ? 'NGVA' : 'GVA', address);
    const { registers, below, names } = this.tables;
    const walker = guestWalker(this.state, this.at.vm, registers);
    if (!walker) {
      const gpa = Number(address & 0xffff_ffffn);
      this.reach(this.nested ? 'NGPA' : 'GPA', gpa);
      this.remarks.push('no paging');
      return gpa;
    }
    if (!canonical(address, walker.format.levels)) {
      this.remarks.push('#GP: the address is not canonical');
      return null;
    }
    walker.translate(lowOf(address), highOf(address), ACCESS_READ);
    const denied = this.rights(walker);
    this.hops.push(
      ...walkHops(walker, {
        stage: 'guest',
        table: names.own,
        space: this.nested ? 'ngpa' : 'gpa',
        denied,
        unreadable: (entry) => this.unreadable(entry),
        via: (entry) => (below ? [] : this.secondHops(entry)),
      }),
    );
    if (walker.status !== Walk.ok) {
      this.remarks.push(fault(walker, this.access, guestRules(registers).policy));
      return null;
    }
    const gpa = addressOf(walker.outLo, walker.outHi);
    this.reach(this.nested ? 'NGPA' : 'GPA', gpa);
    return gpa;
  }

  /** Says what the guest's tables allow; the access asked about when they deny it. */
  private rights(walker: Walker): number | null {
    if (walker.status !== Walk.ok) return null;
    const rules = guestRules(this.tables.registers);
    const allows = (access: number): boolean =>
      permits(rules.policy, walker.rights, access) &&
      (rules.keys === 0 || !keyDenies(rules.keys, rules.pkru, rules.pkrs, rules.policy, walker.rights, walker.key, access));
    if (this.access !== null) {
      if (allows(this.access)) return null;
      this.remarks.push(`#PF ${errorCode(pageFaultCode(Walk.denied, this.access, rules.policy, false))}: the guest's tables deny it`);
      return this.access;
    }
    const letters = (who: number): string =>
      `${allows(who | ACCESS_READ) ? 'r' : '-'}${allows(who | ACCESS_WRITE) ? 'w' : '-'}${allows(who | ACCESS_FETCH) ? 'x' : '-'}`;
    this.remarks.push(`user ${letters(ACCESS_USER)}, supervisor ${letters(0)}`);
    return null;
  }

  /** Why a guest's table cannot be read; null when it can. */
  private unreadable(gpa: number): string | null {
    const last = this.state.slotSteps(this.at.vm, gpa).at(-1)!;
    if (!last.slot) return `gpa ${hex(last.gpa)} is in no slot`;
    return last.page ? null : `hva ${hex(last.hva!)} has no host page yet`;
  }

  /** L1's tables for its guest where software walks them: EPT or nested tables of the physical address, shadow tables of the linear one. */
  private byL1(linear: bigint | null, gpa: number | null): void {
    const { l1, names } = this.tables;
    const { parent, mmu } = this.state.machine.vms[this.at.vm];
    if (l1 === null || parent === null) return;
    const address = mmu === 'soft' ? linear : gpa === null ? null : BigInt(gpa);
    if (address === null) return;
    l1.translate(lowOf(address), highOf(address), ACCESS_READ | (mmu === 'soft' ? 0 : ACCESS_USER));
    const kvm = this.state.machine.vms[parent].hypervisor === 'kvm';
    const sptes = kvm ? spteFormat(this.state.host, mmu === 'ept') : undefined;
    this.hops.push(...walkHops(l1, { stage: 'l1', table: names.l1, space: 'gpa', sptes }));
    if (l1.status === Walk.ok) return;
    const reserved = l1.status === Walk.reserved;
    this.remarks.push(reserved ? `${names.l1} marks it as MMIO: L1 gets the exit` : `not in ${names.l1}: L1 gets the exit`);
  }

  /** EPT or NPT entries in hardware that translate a physical address: the VM's, or L1's where these tables lie below L1's. */
  private secondHops(gpa: number): WalkHop[] {
    const { second, names } = this.tables;
    if (!second) return [];
    const { ept } = second.format;
    // Nested tables see user accesses only; their rights are shown as they are.
    second.translate(gpa | 0, Math.floor(gpa / 2 ** 32), ACCESS_READ | ACCESS_USER);
    return walkHops(second, { stage: ept ? 'ept' : 'npt', table: names.l0, space: 'hpa', sptes: spteFormat(this.state.host, ept) });
  }

  private secondStage(gpa: number, linear: boolean): void {
    const { second, names } = this.tables;
    if (!second) {
      const { parent, mmu } = this.state.machine.vms[this.at.vm];
      if (parent === null && mmu !== 'soft') this.remarks.push('no second-stage tables yet');
      return;
    }
    const hops = this.secondHops(gpa);
    this.hops.push(...hops);
    const name = names.l0 ?? (second.format.ept ? 'EPT' : 'NPT');
    const missing = second.status !== Walk.ok;
    const tables = linear ? this.hops.filter(({ stage, via }) => stage === 'guest' && via.length > 0 && via.at(-1)!.to === null).length : 0;
    if (missing) this.remarks.push(second.status === Walk.reserved ? `${name} marks it as MMIO` : `not in ${name}: an access exits`);
    if (tables > 0) this.remarks.push(`${tables} of the guest's tables not in ${name}`);
  }

  /** Slots and host pages, through the VMs around this one. */
  private toHost(gpa: number): void {
    const steps = this.state.slotSteps(this.at.vm, gpa);
    for (const step of steps) {
      const { vm, slot, hva, page, below } = step;
      const innermost = this.state.machine.vms[vm].parent === null;
      if (!slot) {
        this.remarks.push(`MMIO: ${innermost ? 'gpa' : 'ngpa'} ${hex(step.gpa)} is in no slot`);
        return;
      }
      this.hops.push(slotHop(step, innermost, this.nested));
      if (innermost) this.reach('HVA', hva!);
      this.hops.push(hostHop(step, innermost, this.nested));
      if (!page || below === null) {
        this.remarks.push(`${innermost ? 'the host' : 'L1'} has no page there yet`);
        return;
      }
      this.reach(innermost ? 'HPA' : 'GPA', below);
      if (innermost) this.remarks.unshift(`→ hpa ${hex(below)}`);
      else if (this.tables.below) this.secondStage(below, false);
    }
  }

  /** What hardware walks under soft MMU. */
  private shadow(address: bigint): void {
    const { shadow, second, below, names } = this.tables;
    const { mmu, parent } = this.state.machine.vms[this.at.vm];
    if (parent !== null && !shadow && !second) this.remarks.push('L1 has not entered it yet');
    // Of a soft L1 on hardware: L1's own shadow, in its memory.
    const name = below ? names.l1 : names.l0;
    if (!shadow) {
      if (parent === null && mmu === 'soft') this.remarks.push('no shadow table yet');
      return;
    }
    shadow.translate(lowOf(address), highOf(address), ACCESS_READ);
    this.hops.push(
      ...walkHops(shadow, {
        stage: 'shadow',
        table: name,
        space: below ? 'gpa' : 'hpa',
        sptes: spteFormat(this.state.host, false),
        via: (entry) => (below ? this.secondHops(entry) : []),
      }),
    );
    if (shadow.status === Walk.notPresent) this.remarks.push(`not in ${name ?? 'the shadow table'}: an access exits with #PF`);
    if (shadow.status === Walk.reserved) this.remarks.push(`${name ?? 'the shadow table'} marks it as MMIO`);
  }

  private cached(address: bigint): string | null {
    const { processor, hardware } = this.tables;
    const [line] = cachedLines(this.state, processor, hardware, address);
    if (!line) return null;
    const reached = this.stations.find(({ space }) => space === 'HPA')?.address ?? null;
    return joined(cachedText(line), reached !== hex(line.hpa) && `stale: the tables lead ${reached ? `to hpa ${reached}` : 'nowhere'}`);
  }
}

/** Bits above the linear address's width all equal its highest bit (§2.9); narrower paging takes what it gets. */
function canonical(address: bigint, levels: number): boolean {
  if (levels < 4) return address < 1n << 32n;
  const bits = levels === 5 ? 57 : 48;
  return BigInt.asUintN(64, BigInt.asIntN(bits, address)) === address;
}

function fault(walker: Walker, access: number | null, policy: number): string {
  const why = walker.status === Walk.reserved ? 'a reserved bit is set' : 'not present';
  return `#PF${access === null ? '' : ` ${errorCode(pageFaultCode(walker.status, access, policy, false)) || '0'}`}: ${why}`;
}

const NOT_AN_ENTRY = { table: null, level: null, index: null, bits: null, via: [] } as const;

/** @param nested among the slots of L1 and L0: say whose */
function slotHop({ slot, hva, gpa: from }: SlotStep, host: boolean, nested: boolean): WalkHop {
  const { id, gpa, size, readonly, logDirty } = slot!;
  const space = host ? 'gpa' : 'ngpa';
  return {
    ...NOT_AN_ENTRY,
    stage: 'slot',
    label: `${nested ? `${host ? 'L0' : 'L1'} ` : ''}slot ${id & 0xffff}`,
    at: hex(from),
    atSpace: space,
    value: null,
    to: hex(hva!),
    note: [`${bytes(size)} from ${space} ${hex(gpa)}`, readonly && 'read-only', logDirty && 'logs dirty pages'].filter(Boolean).join(', '),
  };
}

const SIZES = ['', '4K', '2M', '1G'];

function hostHop({ hva, page, below }: SlotStep, host: boolean, nested: boolean): WalkHop {
  const notes = page
    ? [page.zero && 'the shared zero page', !page.writable && !page.zero && 'read-only']
    : ['not there yet: made at the first touch'];
  return {
    ...NOT_AN_ENTRY,
    stage: 'host',
    label: page ? `${host ? (nested ? 'L0' : 'host') : 'L1'} page of ${SIZES[page.level] ?? '4K'}` : `no ${host ? 'host' : 'L1'} page`,
    at: hex(hva!),
    atSpace: 'hva',
    value: null,
    to: below === null ? null : hex(below),
    note: notes.filter(Boolean).join(', ') || null,
  };
}

/** Journal row just before the first statement that begins at a line (from 0) or after it; the end when there is none. */
export function positionAtLine(view: RunView, uri: string, line: number): number {
  let best = view.record.length;
  let nearest = Infinity;
  for (const { act, origin, from } of view.record.outcomes) {
    const place = view.statement(origin);
    if (act < 0 || !place || place.uri !== uri) continue;
    const at = place.range.start.line;
    if (at < line || at > nearest || (at === nearest && from >= best)) continue;
    nearest = at;
    best = from;
  }
  return best;
}
