/**
 * The whole way of an address at a point of a run: guest tables, slots, host memory, and the tables that hardware walks (EPT,
 * NPT, shadow), with what an access there would come to. Looking changes nothing: state is rebuilt from the journal and
 * walked silently by the engine's one walker.
 */
import { lowOf, highOf } from '../engine/bits';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../engine/journal/events';
import type { Registers } from '../engine/vcpu/registers';
import { pageFaultCode } from '../engine/x86/fault-codes';
import { keyDenies, permits } from '../engine/x86/permissions';
import { Walk } from '../engine/x86/walk';
import type { Walker } from '../engine/x86/walker';
import type { TranslationView, WalkHop } from '../protocol/messages';
import { cachedLines, cachedText } from './cached';
import { errorCode } from './decode';
import { spteFormat } from './entries';
import { addressOf } from './machine-state';
import type { MachineState, SlotStep } from './machine-state';
import { guestRules, guestWalker, secondWalker, shadowWalker } from './tables';
import { bytes, hex, joined } from './text';
import type { RunView } from './view';
import { walkHops } from './walk-hops';

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
  private readonly registers: Registers;
  private readonly second: Walker | null;
  /** L2's addresses are `NGVA` and `NGPA`. */
  private readonly nested: boolean;

  constructor(
    private readonly state: MachineState,
    private readonly at: Viewpoint,
    private readonly access: number | null,
  ) {
    this.registers = state.registers(at.vm, at.vcpu);
    this.second = secondWalker(state, this.registers);
    this.nested = state.machine.vms[at.vm].parent !== null;
  }

  from(address: bigint, space: 'gva' | 'gpa'): TranslationView {
    const linear = space === 'gva';
    const gpa = linear ? this.linear(address) : this.physical(address);
    if (gpa !== null) {
      this.secondStage(gpa, linear);
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
    const walker = guestWalker(this.state, this.at.vm, this.registers);
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
        space: 'gpa',
        denied,
        unreadable: (entry) => this.unreadable(entry),
        via: (entry) => this.secondHops(entry),
      }),
    );
    if (walker.status !== Walk.ok) {
      this.remarks.push(fault(walker, this.access, guestRules(this.registers).policy));
      return null;
    }
    const gpa = addressOf(walker.outLo, walker.outHi);
    this.reach(this.nested ? 'NGPA' : 'GPA', gpa);
    return gpa;
  }

  /** Says what the guest's tables allow; the access asked about when they deny it. */
  private rights(walker: Walker): number | null {
    if (walker.status !== Walk.ok) return null;
    const rules = guestRules(this.registers);
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

  /** EPT or NPT entries that translate a physical address of the VM. */
  private secondHops(gpa: number): WalkHop[] {
    const { second } = this;
    if (!second) return [];
    const { ept } = second.format;
    // Nested tables see user accesses only; their rights are shown as they are.
    second.translate(gpa | 0, Math.floor(gpa / 2 ** 32), ACCESS_READ | ACCESS_USER);
    return walkHops(second, { stage: ept ? 'ept' : 'npt', space: 'hpa', sptes: spteFormat(this.state.host, ept) });
  }

  private secondStage(gpa: number, linear: boolean): void {
    const { second } = this;
    if (!second) {
      if (this.state.machine.vms[this.at.vm].mmu !== 'soft') this.remarks.push('no second-stage tables yet');
      return;
    }
    const hops = this.secondHops(gpa);
    this.hops.push(...hops);
    const name = second.format.ept ? 'EPT' : 'NPT';
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
        this.remarks.push(`MMIO: gpa ${hex(step.gpa)} is in no slot`);
        return;
      }
      this.hops.push(slotHop(step));
      if (innermost) this.reach('HVA', hva!);
      this.hops.push(hostHop(step, innermost));
      if (!page || below === null) {
        this.remarks.push('the host has no page there yet');
        return;
      }
      this.reach(innermost ? 'HPA' : 'GPA', below);
      if (innermost) this.remarks.unshift(`→ hpa ${hex(below)}`);
    }
  }

  /** What hardware walks under soft MMU. */
  private shadow(address: bigint): void {
    if (this.second || this.state.machine.vms[this.at.vm].mmu !== 'soft') return;
    const walker = shadowWalker(this.state, this.registers);
    if (!walker) {
      this.remarks.push('no shadow table yet');
      return;
    }
    walker.translate(lowOf(address), highOf(address), ACCESS_READ);
    this.hops.push(...walkHops(walker, { stage: 'shadow', space: 'hpa', sptes: spteFormat(this.state.host, false) }));
    if (walker.status === Walk.notPresent) this.remarks.push('not in the shadow table: an access exits with #PF');
    if (walker.status === Walk.reserved) this.remarks.push('the shadow table marks it as MMIO');
  }

  private cached(address: bigint): string | null {
    const [line] = cachedLines(this.state, this.state.vcpuNumber(this.at.vm, this.at.vcpu), this.registers, address);
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

const NOT_AN_ENTRY = { level: null, index: null, bits: null, via: [] } as const;

function slotHop({ slot, hva }: SlotStep): WalkHop {
  const { id, gpa, size, readonly, logDirty } = slot!;
  return {
    ...NOT_AN_ENTRY,
    stage: 'slot',
    label: `slot ${id & 0xffff}`,
    at: hex(gpa),
    atSpace: 'gpa',
    value: null,
    to: hex(hva!),
    note: [`${bytes(size)} from gpa ${hex(gpa)}`, readonly && 'read-only', logDirty && 'logs dirty pages'].filter(Boolean).join(', '),
  };
}

const SIZES = ['', '4K', '2M', '1G'];

function hostHop({ hva, page, below }: SlotStep, host: boolean): WalkHop {
  const notes = page
    ? [page.zero && 'the shared zero page', !page.writable && !page.zero && 'read-only']
    : ['not there yet: made at the first touch'];
  return {
    ...NOT_AN_ENTRY,
    stage: 'host',
    label: page ? `${host ? 'host' : "L1's"} page of ${SIZES[page.level] ?? '4K'}` : 'no host page',
    at: hex(hva!),
    atSpace: 'hva',
    value: null,
    to: below === null ? null : hex(below),
    note: notes.filter(Boolean).join(', ') || null,
  };
}

/** Journal row just before a statement is first executed; null when it was not. */
export function positionBefore(view: RunView, origin: number): number | null {
  const first = view.outcomesOf(origin).find(({ act }) => act >= 0);
  return first ? first.from : null;
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
