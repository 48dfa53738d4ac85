/**
 * The memory that a hypervisor in a guest runs in: the guest's own physical memory, loaded and stored through its vCPU, so
 * that what the hypervisor below has taken away or protected costs the hypervisor an exit, emulation included.
 *
 * The hypervisor knows its memory by guest-physical address. Above EPT or nested tables only these count: its own tables are
 * taken to map all of its memory and to cost nothing. Above shadow tables each access needs a linear address: the one that
 * its current tables map supervisor-writable to that page, or, where there is none, a mapping made for the access.
 */
import { high, low, toBigInt } from '../../bits';
import { Actor } from '../../journal/events';
import type { FrameContents } from '../../memory/frames';
import type { GuestActs } from '../guest/guest-acts';
import type { Linear } from '../guest/own-tables';
import type { HypervisorMemory } from '../../memory/hypervisor-memory';
import type { Completion } from '../vcpu/instruction';
import type { Kvm } from '../pages/kvm';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { ShadowWalk } from '../contexts/shadow-walk';
import { protectedByShadow } from '../pages/write-protect';
import { HOST_RIP } from './control-fields';

export class L1Memory implements HypervisorMemory, FrameContents {
  /** Looked at from outside, or set up before anything runs: nobody accesses anything. */
  quiet = true;
  /** The hypervisor wanted memory of its own that is in no slot of its VM any more: it cannot go on. */
  lost = false;
  /** Linear addresses by frame, as found in the act that is under way; null: the hypervisor's tables have none. */
  private readonly windows = new Map<number, Linear | null>();

  /**
   * @param below the hypervisor below
   * @param on whose vCPU the hypervisor runs on, or ran last
   */
  constructor(
    private readonly below: Kvm,
    public on: GuestActs,
  ) {}

  low(address: number): number {
    const host = this.reach(address);
    return host < 0 ? 0 : this.below.tables.low(host);
  }

  high(address: number): number {
    const host = this.reach(address);
    return host < 0 ? 0 : this.below.tables.high(host);
  }

  write(address: number, lo: number, hi: number): void {
    const { trace, tables } = this.below;
    if (this.outside) {
      const host = this.free(address, true);
      if (host >= 0) tables.write(host, lo, hi);
      return;
    }
    if (this.changes(address, lo, hi)) trace.journal.begin();
    trace.journal.interlude(() => this.store(address, lo, hi));
  }

  /** The hypervisor stores a word. */
  private store(address: number, lo: number, hi: number): void {
    const { trace, tables } = this.below;
    const host = this.free(address, true);
    if (host >= 0) {
      const { actor } = trace.journal;
      trace.journal.actor = Actor.L1;
      trace.store(host, toBigInt(lo, hi));
      trace.journal.actor = actor;
      tables.write(host, lo, hi);
    } else if (this.has(address)) this.access(address, true, toBigInt(lo, hi));
  }

  reach(address: number): number {
    const host = this.free(address, false);
    if (host >= 0 || this.outside || !this.has(address)) return host;
    const { kind } = this.below.trace.journal.interlude(() => this.access(address, false, 0n));
    return kind === 'ok' ? this.look(address) : -1;
  }

  setBits(address: number, lo: number, hi: number): void {
    const before = [this.low(address), this.high(address)];
    if ((lo & ~before[0]) !== 0 || (hi & ~before[1]) !== 0) this.write(address, before[0] | lo, before[1] | hi);
  }

  look(address: number): number {
    const below = this.below.guest.look(address);
    return below < 0 ? -1 : this.below.tables.look(below);
  }

  private changes(address: number, lo: number, hi: number): boolean {
    const { tables } = this.below;
    const host = this.look(address);
    return host < 0 || tables.low(host) !== lo || tables.high(host) !== hi;
  }

  /** There is memory at an address, or the hypervisor is lost. */
  private has(address: number): boolean {
    if (this.below.guest.slots.visible(Math.floor(address / 4096))) return true;
    this.lost = true;
    return false;
  }

  // FrameContents: pages of the hypervisor's VMM.

  clear(frame: number): void {
    // A frame of no memory is a device's, which L1's VMM lets its guest have.
    if (this.outside || this.look(frame * 4096) < 0) return;
    for (let address = frame * 4096; address < (frame + 1) * 4096; address += 8) {
      if (this.low(address) !== 0 || this.high(address) !== 0) this.write(address, 0, 0);
    }
  }

  copy(from: number, to: number): void {
    if (this.look(from * 4096) < 0 || this.look(to * 4096) < 0) return;
    for (let i = 0; i < 4096; i += 8) this.write(to * 4096 + i, this.low(from * 4096 + i), this.high(from * 4096 + i));
  }

  /** It is not the hypervisor that asks: nothing runs, or its guest does. */
  private get outside(): boolean {
    return this.quiet || this.on.vcpu.guestMode;
  }

  /** Host-physical address of a word that can be accessed without anybody noticing; -1: not so. */
  private free(address: number, write: boolean): number {
    if (this.outside) {
      const host = this.below.trace.journal.interlude(() => this.below.guest.address(address, write));
      return host < 0 ? -1 : this.below.tables.look(host);
    }
    const { vcpu } = this.on;
    const linear = this.linear(vcpu, address);
    if (linear === null) return this.unmapped(address, write);
    const { lo, hi } = linear;
    const { format, tables } = this.below;
    for (const walk = new ShadowWalk(this.below, lo, hi, vcpu.rootMmu.roots.current); walk.ok; walk.next()) {
      const spteLo = tables.low(walk.at);
      if (!format.present(spteLo) || !format.last(spteLo, walk.level)) continue;
      const spteHi = tables.high(walk.at);
      const clean = write && this.below.pmlActive && !format.dirty(spteLo, spteHi);
      if (!(write ? format.writable(spteLo) : format.readable(spteLo)) || !format.accessed(spteLo, spteHi) || clean) return -1;
      const host = format.pfn(spteLo, spteHi) * 4096 + (address % (4096 * 512 ** (walk.level - 1)));
      return host === this.look(address) ? host : -1;
    }
    return -1;
  }

  /** By which address the tables of the hypervisor below are walked for an access; null: the hypervisor has none mapped. */
  private linear(vcpu: KvmVcpu, address: number): Linear | null {
    if (vcpu.kvm.tdp) return { lo: low(address), hi: high(address) };
    const gfn = Math.floor(address / 4096);
    let window = this.windows.get(gfn);
    if (window === undefined) this.windows.set(gfn, (window = this.on.kernel.window(gfn * 4096)));
    return window === null ? null : { lo: window.lo | (address & 0xfff), hi: window.hi };
  }

  /** Through a mapping made for the access: only what the hypervisor below shadows or logs is noticed. */
  private unmapped(address: number, write: boolean): number {
    const gfn = Math.floor(address / 4096);
    const noticed = write && (protectedByShadow(this.below, gfn) || this.below.slotOf(gfn)?.dirtyLog !== null);
    return noticed ? -1 : this.look(address);
  }

  /** Another act begins: the hypervisor's own tables may be others than they were. */
  forgetMappings(): void {
    this.windows.clear();
  }

  /** Words are accessed whole, entries of 4 bytes with their neighbour. */
  private access(address: number, write: boolean, value: bigint): Completion {
    const gpa = address - (address % 8);
    const { vcpu, kernel } = this.on;
    const { journal } = vcpu.kvm.trace;
    const { actor } = journal;
    const access = { kind: write ? 'write' : 'read', gpa, size: 8, value, rip: HOST_RIP } as const;
    const { instruction, rip } = vcpu;
    const completion = vcpu.kvm.tdp ? kernel.below(access) : kernel.run(access, this.linear(vcpu, gpa));
    vcpu.instruction = instruction;
    vcpu.rip = rip;
    journal.actor = actor;
    return completion;
  }
}
