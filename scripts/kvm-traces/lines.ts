/** A line of the recorded form from the journal rows of one operation. */
import { RET_PF, type RetPf } from '../../server/src/engine/journal/enumerations';
import { LOCAL_FLUSH, type LocalFlush } from '../../server/src/engine/journal/enumerations';
import { Kind } from '../../server/src/engine/journal/events';
import type { Rows } from '../../server/src/engine/journal/state';
import { SvmExit, VmxExit } from '../../server/src/engine/x86/exit-reasons';
import { Acc, accessOf, levelOf, Role } from '../../server/src/engine/mmu/pages/role';
import { eventAt, type Event, type EventOf } from '../../server/src/events/fields';
import type { Own } from './cleaning';
import type { Leaf } from './leaves';
import { isEpt, isIntel } from './mode';
import type { Mode } from './mode';

/** One operation, as far as the journal tells. Absent and empty are the same. */
export interface Facts {
  readonly mmio: (readonly [string, 0 | 1, string])[];
  readonly x: Record<string, number>;
  readonly xl: (readonly string[])[];
  readonly new: (readonly (string | number)[])[];
  readonly found: (readonly (string | number)[])[];
  readonly map: (readonly [string, number, string])[];
  /** The same sptes with all their bits but the frame. */
  readonly sp: (readonly [string, number, string])[];
  readonly unsync: string[];
  readonly sync: string[];
  readonly zap: (readonly [string, number])[];
  readonly track: string[];
  readonly untrack: string[];
  readonly ptew: (readonly [string, string])[];
  readonly A: string[];
  readonly D: string[];
  readonly inj: (readonly [number, string])[];
  readonly ret: string[];
  /** Software walks: address, error code, entries from the top. Like `mark` and `info` to explain, not compared. */
  readonly walk: Walk[];
  /** MMIO sptes made. */
  readonly mark: (readonly [string, number])[];
  /** Sptes set, changed in the TDP MMU and marked as MMIO, in order, with all their bits but the frame: as digests have them. */
  readonly raw: string[];
  /** Flushes of the TLB in order: of a vCPU by its scope, or `remote`. */
  readonly flush: string[];
  readonly info: { flush?: true; root?: true; fast?: number; emul?: number };
}

type Walk = readonly [string, string, string[]];

/** A line of OUT/MODE/NAME.ndjson. */
export interface Line extends Partial<Facts> {
  readonly s: string;
  readonly m: Mode;
  readonly i: number;
  readonly t: string;
  readonly v?: string;
  readonly f?: (readonly [number, string, string])[];
  readonly g?: Record<string, string>;
  readonly dirty?: readonly string[];
  readonly l1?: readonly (readonly string[])[];
  /** Who acted, where there are several. */
  readonly cpu?: number;
  readonly vis?: Record<string, Leaf | null>;
  /** Nested VMX: of the table by which L2 runs. */
  readonly vis2?: Record<string, Leaf | null>;
}

/** How a guest was recorded. */
export interface Recording {
  readonly mode: Mode;
  readonly own: Own;
  /** A hypervisor that uses VMX: exits of its guest are told apart. */
  readonly vmx: boolean;
}

export function factsOf(rows: Rows, from: number, to: number, recording: Recording): Facts {
  const facts = new FactCollector(recording);
  for (let row = from; row < to; row++) {
    const event = eventAt(rows, row);
    if (event) facts.take(event);
  }
  return facts.finish();
}

interface Exit {
  readonly vcpu: number;
  /** Of a guest's guest, where these are told apart. */
  readonly l2: boolean;
  readonly kind: string;
  /** Error code or qualification; null where the exit has none that is recorded. */
  readonly code: bigint | null;
  address: bigint | null;
  readonly ret: string[];
  readonly inj: (readonly [number, string])[];
  readonly walk: Walk[];
  readonly flush: string[];
  /** Tries of the lockless path, and emulated instructions. */
  fast: number;
  emulated: number;
}

class FactCollector {
  private readonly facts: Facts = {
    mmio: [],
    x: {},
    xl: [],
    new: [],
    found: [],
    map: [],
    sp: [],
    unsync: [],
    sync: [],
    zap: [],
    track: [],
    untrack: [],
    ptew: [],
    A: [],
    D: [],
    inj: [],
    ret: [],
    walk: [],
    mark: [],
    raw: [],
    flush: [],
    info: {},
  };
  private exit: Exit | null = null;

  constructor(private readonly recording: Recording) {}

  take(event: Event): void {
    const { facts } = this;
    switch (event.kind) {
      case Kind.kvm_exit: {
        const exit = this.exitOf(event);
        // Another vCPU is kicked out while this one's exit is handled.
        if (exit.kind === HOST_INTERRUPT && this.exit !== null && this.exit.vcpu !== exit.vcpu) return;
        this.endExit();
        this.exit = exit;
        return;
      }
      case Kind.kvm_page_fault:
        if (this.exit) this.exit.address ??= event.fields.address;
        return;
      case Kind.kvm_mmu_page_fault_return:
        this.exit?.ret.push(RET_PF[event.fields.result as RetPf].name);
        return;
      case Kind.kvm_inj_exception:
        this.exit?.inj.push([event.fields.vector, hex(event.fields.error_code)]);
        return;
      case Kind.kvm_mmu_pagetable_walk:
        this.exit?.walk.push([hex(event.fields.addr), hex(event.fields.pferr), []]);
        return;
      case Kind.kvm_mmu_paging_element:
        this.exit?.walk.at(-1)?.[2].push(hex(event.fields.pte));
        return;
      case Kind.mark_mmio_spte:
        facts.mark.push([hex(event.fields.gfn), event.fields.access]);
        this.raw(event.fields.gfn, 'mmio', `access ${event.fields.access}`);
        return;
      case Kind.kvm_tdp_mmu_spte_changed: {
        const { gfn, old_spte, new_spte } = event.fields;
        return this.raw(gfn, 'tdp', `l${event.level} ${withoutFrame(old_spte)} ${withoutFrame(new_spte)}`);
      }
      case Kind.fast_page_fault:
        if (this.exit) this.exit.fast++;
        return;
      case Kind.kvm_emulate_insn:
        if (this.exit) this.exit.emulated++;
        return;
      case Kind.kvm_flush_remote_tlbs:
        facts.info.flush = true;
        this.flushes('remote');
        return;
      case Kind.kvm_x86_flush_tlb:
        return this.flushes(LOCAL_FLUSH[event.fields.scope as LocalFlush].name);
      case Kind.kvm_load_root:
        facts.info.root = true;
        return;
      case Kind.kvm_mmio:
        if (event.fields.type !== 0) facts.mmio.push([hex(event.fields.gpa), event.fields.type === 2 ? 1 : 0, hex(event.fields.val)]);
        return;
      case Kind.kvm_mmu_get_page:
        return this.gotPage(event.fields.created !== 0 ? facts.new : facts.found, event.fields.gfn, event.fields.role);
      case Kind.kvm_mmu_set_spte:
        this.setSpte(event);
        return this.raw(event.fields.gfn, 'set', `l${event.level} ${withoutFrame(event.fields.spte)}`);
      case Kind.kvm_mmu_prepare_zap_page: {
        const level = levelOf(event.fields.role);
        if (!this.own(event.fields.gfn, level)) facts.zap.push([hex(event.fields.gfn), level]);
        return;
      }
      case Kind.kvm_mmu_unsync_page:
        return this.gfn(facts.unsync, event.fields.gfn);
      case Kind.kvm_mmu_sync_page:
        return this.gfn(facts.sync, event.fields.gfn);
      case Kind.kvm_page_track_add:
        return this.gfn(facts.track, event.fields.gfn);
      case Kind.kvm_page_track_remove:
        return this.gfn(facts.untrack, event.fields.gfn);
      case Kind.kvm_mmu_set_accessed_bit:
        return this.gpa(facts.A, event.fields.gpa);
      case Kind.kvm_mmu_set_dirty_bit:
        return this.gpa(facts.D, event.fields.gpa);
      case Kind.kvm_mmu_pte_write:
        if (!this.own(event.fields.gpa >> 12n)) facts.ptew.push([hex(event.fields.gpa), hex(event.fields.new)]);
        return;
      default:
      // Not told in a line.
    }
  }

  finish(): Facts {
    this.endExit();
    return this.facts;
  }

  private endExit(): void {
    const { exit, facts } = this;
    const { mode, own } = this.recording;
    this.exit = null;
    if (!exit || exit.kind === HOST_INTERRUPT) return;
    const { code, address, l2 } = exit;
    if (address !== null && !l2) {
      if (exit.kind === 'PF' && own.address(address)) return;
      if ((exit.kind === 'NPF' || exit.kind === 'EPTV') && own.frame(mode, address >> 12n)) return;
    }
    const kind = `${l2 ? 'L2:' : ''}${exit.kind}`;
    facts.x[kind] = (facts.x[kind] ?? 0) + 1;
    facts.xl.push(code === null ? [kind] : [kind, hex(code), hex(address ?? 0n)]);
    facts.ret.push(...exit.ret);
    facts.inj.push(...exit.inj);
    facts.walk.push(...exit.walk);
    facts.flush.push(...exit.flush);
    if (exit.fast > 0) facts.info.fast = (facts.info.fast ?? 0) + exit.fast;
    if (exit.emulated > 0) facts.info.emul = (facts.info.emul ?? 0) + exit.emulated;
  }

  private exitOf({ fields: { reason, info1, info2, error_code, vcpu, guest_mode } }: EventOf<'kvm_exit'>): Exit {
    const { mode, vmx } = this.recording;
    const exit = {
      vcpu,
      l2: vmx && guest_mode !== 0,
      code: null,
      address: null,
      ret: [],
      inj: [],
      walk: [],
      flush: [],
      fast: 0,
      emulated: 0,
    };
    if (!isIntel(mode)) {
      const kind = SVM_KINDS[reason] ?? `0x${reason.toString(16)}`;
      return kind === 'PF' || kind === 'NPF' ? { ...exit, kind, code: info1, address: info2 } : { ...exit, kind };
    }
    if (reason === (VmxExit.EXCEPTION_NMI as number)) return { ...exit, kind: 'PF', code: BigInt(error_code), address: info1 };
    if (reason === (VmxExit.EPT_VIOLATION as number)) return { ...exit, kind: 'EPTV', code: info1 };
    if (reason === (VmxExit.CR_ACCESS as number)) return { ...exit, kind: `CR${info1 & 15n}` };
    return { ...exit, kind: VMX_KINDS[reason] ?? `0x${reason.toString(16)}` };
  }

  private setSpte({ level, fields: { gfn, spte } }: EventOf<'kvm_mmu_set_spte'>): void {
    if (this.own(gfn)) return;
    this.facts.map.push([hex(gfn), level, perms(spte, this.recording.mode)]);
    this.facts.sp.push([hex(gfn), level, `0x${withoutFrame(spte)}`]);
  }

  /** Of the exit that is being handled, or of nobody's in particular. */
  private flushes(what: string): void {
    (this.exit !== null && this.exit.kind !== HOST_INTERRUPT ? this.exit : this.facts).flush.push(what);
  }

  private gotPage(into: (readonly (string | number)[])[], gfn: bigint, role: number): void {
    const level = levelOf(role);
    if (!this.own(gfn, level)) into.push([hex(gfn), level, accessText(accessOf(role)), ...((role & Role.direct) !== 0 ? ['direct'] : [])]);
  }

  private raw(gfn: bigint, what: string, said: string): void {
    this.facts.raw.push(`${what} ${gfn.toString(16)} ${said}`);
  }

  private gfn(into: string[], gfn: bigint): void {
    if (!this.own(gfn)) into.push(hex(gfn));
  }

  private gpa(into: string[], gpa: bigint): void {
    if (!this.own(gpa >> 12n)) into.push(hex(gpa));
  }

  private own(gfn: bigint, level = 0): boolean {
    return this.recording.own.frame(this.recording.mode, gfn, level);
  }
}

/** The host's business, as the kick of a vCPU whose translations must go: left out. */
const HOST_INTERRUPT = 'interrupt';

const SVM_KINDS: { readonly [reason: number]: string } = {
  [SvmExit.PF_EXCP]: 'PF',
  [SvmExit.NPF]: 'NPF',
  [SvmExit.INTR]: HOST_INTERRUPT,
  [SvmExit.WRITE_CR0]: 'CR0',
  [SvmExit.CR0_SEL_WRITE]: 'CR0',
  [SvmExit.WRITE_CR3]: 'CR3',
  [SvmExit.WRITE_CR4]: 'CR4',
  [SvmExit.INVLPG]: 'INVLPG',
  [SvmExit.MSR]: 'MSR',
  [SvmExit.VMRUN]: 'VMRUN',
  [SvmExit.VMMCALL]: 'VMMCALL',
};

const VMX_KINDS: { readonly [reason: number]: string } = {
  [VmxExit.EXTERNAL_INTERRUPT]: HOST_INTERRUPT,
  [VmxExit.EPT_MISCONFIG]: 'EPTM',
  [VmxExit.INVLPG]: 'INVLPG',
  [VmxExit.MSR_WRITE]: 'MSR',
  [VmxExit.MSR_READ]: 'MSR',
  [VmxExit.VMLAUNCH]: 'VMLAUNCH',
  [VmxExit.VMRESUME]: 'VMRESUME',
  [VmxExit.VMCALL]: 'VMCALL',
  [VmxExit.VMREAD]: 'VMREAD',
  [VmxExit.VMWRITE]: 'VMWRITE',
  [VmxExit.INVEPT]: 'INVEPT',
  [VmxExit.INVVPID]: 'INVVPID',
};

function accessText(access: number): string {
  return `${(access & Acc.write) !== 0 ? 'w' : '-'}${(access & Acc.user) !== 0 ? 'u' : '-'}${(access & Acc.exec) !== 0 ? 'x' : '-'}`;
}

/** As kvm_mmu_set_spte prints an spte's rights: with execute-only EPT being readable is a bit of its own (shadow_present_mask). */
function perms(spte: bigint, mode: Mode): string {
  const bit = (n: bigint): boolean => ((spte >> n) & 1n) !== 0n;
  const [readable, executable, user] = isEpt(mode) ? [bit(0n), bit(2n), bit(0n)] : [true, !bit(63n), bit(2n)];
  return `${readable ? 'r' : '-'}${bit(1n) ? 'w' : '-'}${executable ? 'x' : '-'}${user ? 'u' : '-'}`;
}

/** The bits of an spte but 51:12. */
export function withoutFrame(spte: bigint): string {
  return (spte & ~0x000f_ffff_ffff_f000n).toString(16);
}

export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
