/**
 * The memory that a hypervisor in a guest runs in: the guest's own physical memory, loaded and stored through its vCPU, so
 * that what the hypervisor below has taken away or protected costs the hypervisor an exit, emulation included.
 *
 * The hypervisor knows its memory by guest-physical address. Above EPT or nested tables only these count: its own tables are
 * taken to map all of its memory and to cost nothing. Above shadow tables each access needs a linear address: the one that
 * its current tables map supervisor-writable to that page, or, where there is none, a mapping made for the access.
 */
import { high, low, toBigInt } from '../../bits';
import type { FrameContents } from '../../memory/frames';
import type { GuestActs } from '../guest-acts';
import type { Linear } from '../guest-tables';
import type { HypervisorMemory } from '../hypervisor-memory';
import type { Completion } from '../instruction';
import type { Kvm } from '../kvm';
import type { KvmVcpu } from '../kvm-vcpu';
import { ShadowWalk } from '../shadow-walk';
import { HOST_RIP } from './nested-cpu';

export class L1Memory implements HypervisorMemory, FrameContents {
  /** Looked at from outside, or set up before anything runs: nobody accesses anything. */
  quiet = true;
  /** Whose vCPU the hypervisor runs on. */
  on: GuestActs | null = null;
  /** Linear addresses by frame, as last found. */
  private readonly windows = new Map<number, Linear>();

  /** @param below the hypervisor below */
  constructor(private readonly below: Kvm) {}

  low(address: number): number {
    const host = this.reach(address, false);
    return host < 0 ? 0 : this.below.tables.low(host);
  }

  high(address: number): number {
    const host = this.reach(address, false);
    return host < 0 ? 0 : this.below.tables.high(host);
  }

  write(address: number, lo: number, hi: number): void {
    const host = this.free(address, true);
    if (host >= 0) this.below.tables.write(host, lo, hi);
    else if (!this.outside) this.access(address, true, toBigInt(lo, hi));
  }

  reach(address: number, write: boolean): number {
    const host = this.free(address, write);
    if (host >= 0 || this.outside) return host;
    const at = this.look(address);
    const completion = this.access(address, write, at < 0 ? 0n : toBigInt(this.below.tables.low(at), this.below.tables.high(at)));
    return completion.kind === 'ok' ? this.look(address) : -1;
  }

  look(address: number): number {
    const below = this.below.guest.look(address);
    return below < 0 ? -1 : this.below.tables.look(below);
  }

  // FrameContents: pages of the hypervisor's VMM.

  clear(frame: number): void {
    if (this.outside) return;
    for (let address = frame * 4096; address < (frame + 1) * 4096; address += 8) {
      if (this.low(address) !== 0 || this.high(address) !== 0) this.write(address, 0, 0);
    }
  }

  copy(from: number, to: number): void {
    for (let i = 0; i < 4096; i += 8) this.write(to * 4096 + i, this.low(from * 4096 + i), this.high(from * 4096 + i));
  }

  /** It is not the hypervisor that asks: it does not run, or its guest does. */
  private get outside(): boolean {
    return this.quiet || this.on === null || this.on.vcpu.guestMode;
  }

  /** Host-physical address of a word that can be accessed without anybody noticing; -1: not so. */
  private free(address: number, write: boolean): number {
    if (this.outside) {
      const host = this.below.guest.address(address, write);
      return host < 0 ? -1 : this.below.tables.look(host);
    }
    const { vcpu } = this.on!;
    const { lo, hi } = this.linear(vcpu, address);
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

  /** By which address the tables of the hypervisor below are walked for an access. */
  private linear(vcpu: KvmVcpu, address: number): Linear {
    const window = vcpu.kvm.tdp ? undefined : this.windows.get(Math.floor(address / 4096));
    return window === undefined ? { lo: low(address), hi: high(address) } : { lo: window.lo | (address & 0xfff), hi: window.hi };
  }

  private access(gpa: number, write: boolean, value: bigint): Completion {
    const { vcpu, kernel } = this.on!;
    const { journal } = vcpu.kvm.trace;
    const { actor } = journal;
    const access = { kind: write ? 'write' : 'read', gpa, size: 8, value, rip: HOST_RIP } as const;
    const { instruction, rip } = vcpu;
    if (!vcpu.kvm.tdp) {
      const window = kernel.window(gpa - (gpa % 4096));
      if (window !== null) this.windows.set(Math.floor(gpa / 4096), window);
    }
    const completion = vcpu.kvm.tdp ? kernel.below(access) : kernel.run(access);
    vcpu.instruction = instruction;
    vcpu.rip = rip;
    journal.actor = actor;
    return completion;
  }
}
