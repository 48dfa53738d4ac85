/**
 * One hypervisor for one VM (struct kvm): what its parts share. It knows the memory that its own tables lie in, the guest's
 * memory behind slots, and how to reach its vCPUs; not whether it runs on a machine or in a guest.
 */
import type { FrameSupply } from '../../memory/frames';
import type { GuestMemory } from '../../memory/guest-memory';
import type { Slot } from '../../memory/slots';
import type { KvmOptions } from '../../program';
import { rulesOf, type KernelRules } from '../kernel-rules';
import { PageTrack } from './page-track';
import type { HandlerStep } from './handler-steps';
import { ReverseMap } from './reverse-map';
import type { HypervisorMemory } from '../../memory/hypervisor-memory';
import { ShadowPages } from './shadow-pages';
import type { ShadowPage } from './shadow-page';
import type { Spte, SpteFormat } from './spte';
import type { TdpTree } from './tdp-tree';
import type { Trace } from '../trace';

/** What the hypervisor asks of its vCPUs, from whatever context (kvm_make_request). */
export interface VcpuRequests {
  /** Hardware may hold no translation from before (KVM_REQ_TLB_FLUSH). */
  requestTlbFlush(): void;
  /** Roots that were zapped or are of an old generation go (KVM_REQ_MMU_FREE_OBSOLETE_ROOTS). */
  requestFreeObsoleteRoots(): void;
}

interface KvmParts {
  /** Number of the VM in the machine. */
  readonly vm: number;
  /** {@link Space.shadowPage}: 0, its tables lie in the host's memory; else, of a hypervisor in a guest, the VM they are for. */
  readonly memoryOf: number;
  readonly trace: Trace;
  /** Where sptes are read and written. */
  readonly tables: HypervisorMemory;
  /** Frames for tables. */
  readonly frames: FrameSupply;
  readonly format: SpteFormat;
  readonly options: KvmOptions;
  /** Frame of the zero page. */
  readonly zeroPage: number;
  /** Second-stage translation is in use; else soft MMU. */
  readonly tdp: boolean;
  /** Levels of the TDP root. */
  readonly tdpLevels: 4 | 5;
  /** Largest level of a leaf: 3 when 1G pages can be used. */
  readonly maxHugeLevel: number;
}

export class Kvm {
  readonly vm: number;
  readonly trace: Trace;
  readonly tables: HypervisorMemory;
  readonly frames: FrameSupply;
  readonly zeroPage: number;
  readonly format: SpteFormat;
  readonly options: KvmOptions;
  /** What its kernel does where kernels differ. */
  readonly rules: KernelRules;
  readonly tdp: boolean;
  readonly tdpLevels: number;
  readonly maxHugeLevel: number;
  readonly pages: ShadowPages;
  readonly rmap = new ReverseMap();
  readonly track: PageTrack;
  readonly vcpus: VcpuRequests[] = [];
  /** The guest's memory; there as soon as its slots are. */
  guest!: GuestMemory;
  /** Null: soft MMU, or the older direct MMU. */
  tdpMmu: TdpTree | null = null;
  /** PML logs L1's writes now: some slot logs, and the processor can. */
  pmlActive = false;
  /** Frames that the VMM stored into by itself, which no shadow page hears of (mmu-semantics-6.1.md M8). */
  readonly unseenWrites = new Set<number>();
  /** KVMs of hypervisors in the guest. */
  readonly inside: Kvm[] = [];
  /** Told of each step of a handler. */
  onStep: (step: HandlerStep) => void = () => undefined;
  /** A bug of its own has ended the VM: every ioctl fails with EIO (kvm->vm_dead). */
  dead = false;
  /** Number of shadow pages that user space asked for; 0: by the slots' size. */
  requestedPages = 0;

  constructor(parts: KvmParts) {
    this.vm = parts.vm;
    this.trace = parts.trace;
    this.tables = parts.tables;
    this.frames = parts.frames;
    this.zeroPage = parts.zeroPage;
    this.format = parts.format;
    this.options = parts.options;
    this.rules = rulesOf(parts.options.kernel, parts.options.rules);
    this.tdp = parts.tdp;
    this.tdpLevels = parts.tdpLevels;
    this.maxHugeLevel = parts.options.largePages ? parts.maxHugeLevel : 1;
    this.pages = new ShadowPages(parts.trace.journal, parts.vm, parts.tables, parts.frames, parts.memoryOf);
    this.track = new PageTrack(parts.trace, parts.vm);
  }

  /** Slot of a guest frame, INVALID ones included. */
  slotOf(gfn: number): Slot | null {
    return this.guest.slots.find(gfn);
  }

  /** Low 19 bits of the slots' generation, as MMIO sptes carry them. */
  get mmioGeneration(): number {
    return this.guest.slots.generation() % 0x8_0000;
  }

  /** No vCPU may use a translation from before (kvm_flush_remote_tlbs). */
  flushRemoteTlbs(gfn = 0, pages = 0): void {
    this.trace.emit('kvm_flush_remote_tlbs', { gfn, pages });
    for (const vcpu of this.vcpus) vcpu.requestTlbFlush();
    this.onStep('flush sent');
  }

  /** A page may be written from now on, or was: in the log of its slot it is dirty, if there is one (mark_page_dirty_in_slot). */
  markPageDirty(slot: Slot | null, gfn: number): void {
    if (slot === null || slot.dirtyLog === null || slot.dirtyLog.has(gfn - slot.gfn)) return;
    this.trace.journal.dueTo(() => this.trace.emit('mark_page_dirty', { gfn }));
    slot.dirtyLog.mark(gfn - slot.gfn);
  }

  freeObsoleteRoots(): void {
    for (const vcpu of this.vcpus) vcpu.requestFreeObsoleteRoots();
  }

  /** An entry that points to a table: the page of that table (spte_to_child_sp). */
  childOf(lo: number, hi: number): ShadowPage | null {
    return this.pages.at(this.format.pfn(lo, hi));
  }

  setSpte(at: number, { lo, hi }: Spte): void {
    this.tables.write(at, lo, hi);
    this.onStep('entry written');
  }
}
