/** Nodes of scripts: what VMs, vCPUs and the host do. */
import type { Base, Body, Const, Definition, ErrorNode, Expect, Expression, Flag, Handler, MemoryWord, Range, RangeExpression, Reference, Slot, TablesItem, Text, Under, VmItem, Word } from './tree'; // prettier-ignore

export type Statement = Act | Performed | HostActs | For | UnderStatement | Const | Expect | Same | CheckInvariants | Replay | ErrorNode;

/** Statements that do something and carry the expectations that follow them. */
export type Act = Access | Edit | MemoryWord | RegisterLoad | Invalidate | Enter | Call | HostAct;

/** `l2: …`, `vcpu 1: …`, `l2 vcpu 1: { … }`: who performs. Exactly one of `statement` and `body` is there, or neither. */
export interface Performed extends Base {
  readonly kind: 'performed';
  readonly vm: Reference | null;
  readonly vcpu: Reference | null;
  readonly statement: Statement | null;
  readonly body: Body<Statement> | null;
}

/** `user read 0x40_0123 x 16 step 4K on fault { … } expect ok` */
export interface Access extends Base {
  readonly kind: 'access';
  /** null: at the vCPU's privilege level. */
  readonly privilege: 'user' | 'supervisor' | 'implicit' | null;
  readonly access: 'read' | 'write' | 'fetch' | 'rmw';
  /** Where `read` stands: the words of privilege and access. */
  readonly head: Range;
  readonly address: Expression;
  /** After `=` (write) or `+=` (rmw). */
  readonly value: Expression | null;
  /** 1, 2, 4 or 8 bytes; null: 8. */
  readonly size: Expression | null;
  /** EFLAGS.AC for this access; null: the vCPU's. */
  readonly ac: Expression | null;
  /** After `x`. */
  readonly count: Expression | null;
  /** After `step`. */
  readonly step: Expression | null;
  readonly handler: Handler | null;
  readonly expects: readonly Expect[];
}

/**
 * `kernel[0x40_0000]`, `l1.ept12[0x5000 level 2]`; `shadow`, `tdp` and `tlb` are built in. `level` null: the leaf.
 */
export interface EntryReference extends Base {
  readonly kind: 'entry';
  readonly vm: Reference | null;
  readonly table: Reference;
  readonly address: Expression;
  readonly level: Expression | null;
}

/** `kernel[0x40_0000].writable = no`, `kernel[0x40_0000 level 2] = 0`: the guest kernel stores to its tables. */
export interface Edit extends Base {
  readonly kind: 'edit';
  readonly entry: EntryReference;
  readonly bit: Word | null;
  readonly value: Expression;
  readonly expects: readonly Expect[];
}

/** `cr3 = user_root`, `cr0.wp = 0` */
export interface RegisterLoad extends Base {
  readonly kind: 'register-load';
  readonly register: Word;
  readonly bit: Word | null;
  readonly value: Expression;
  readonly expects: readonly Expect[];
}

/**
 * `invlpg a`; `invpcid a pcid p`, `invpcid pcid p`, `invpcid all`, `invpcid non_global`; `invept eptp`, `invept all`;
 * `invvpid a vpid v`, `invvpid vpid v`, `invvpid all`, `invvpid non_global vpid v`.
 */
export interface Invalidate extends Base {
  readonly kind: 'invalidate';
  readonly instruction: 'invlpg' | 'invpcid' | 'invept' | 'invvpid';
  readonly scope: Word | null;
  /** Linear address; for invept the EPTP. */
  readonly address: Expression | null;
  /** PCID or VPID. */
  readonly tag: Expression | null;
  readonly expects: readonly Expect[];
}

/** `vmlaunch l2`: an L1 by script enters its guest; null: its only one. */
export interface Enter extends Base {
  readonly kind: 'enter';
  readonly instruction: 'vmlaunch' | 'vmresume' | 'vmrun';
  readonly vm: Reference | null;
  readonly expects: readonly Expect[];
}

/** `touch(0x40_0000, 16)`: the statements of a block. */
export interface Call extends Base {
  readonly kind: 'call';
  readonly block: Reference;
  readonly arguments: readonly Expression[];
  readonly expects: readonly Expect[];
}

/** `for i in 0 .. 15 step 2 { … }`, in a script, a VM or tables. */
export interface For extends Base {
  readonly kind: 'for';
  readonly name: Definition | null;
  readonly over: RangeExpression | null;
  readonly step: Expression | null;
  readonly body: Body<Statement | VmItem | TablesItem> | null;
}

/** `under soft, ept { … }`: statements of some kinds of MMU only. */
export interface UnderStatement extends Base {
  readonly kind: 'under-statement';
  readonly under: Under;
  readonly body: Body<Statement> | null;
}

/** `host delete slot 1`, or `host { … }`: acts of the VMM and the host's memory management. One of both is there. */
export interface HostActs extends Base {
  readonly kind: 'host-acts';
  readonly act: HostAct | null;
  readonly body: Body<HostAct | ErrorNode> | null;
}

interface HostActBase extends Base {
  readonly kind: 'host-act';
  readonly expects: readonly Expect[];
}

export type HostAct = HostActBase &
  /** `create slot 2 { … }` */
  (
    | { readonly act: 'create'; readonly slot: Slot | null }
    /** `delete slot 2` */
    | { readonly act: 'delete'; readonly id: Expression }
    /** `move slot 2 to 0x100_0000`, `resize slot 2 to 8M` */
    | { readonly act: 'move' | 'resize'; readonly id: Expression; readonly to: Expression }
    /** `flags slot 2 log_dirty readonly`, `flags slot 2 none` */
    | { readonly act: 'flags'; readonly id: Expression; readonly flags: readonly Flag[] }
    /** `get dirty log slot 0`, `clear dirty log slot 0 pages 0 .. 63` */
    | { readonly act: 'get-dirty-log' | 'clear-dirty-log'; readonly id: Expression; readonly pages: RangeExpression | null }
    /** `reclaim gpa 0x5000 +8K`, `split …`, `collapse …` */
    | { readonly act: 'reclaim' | 'split' | 'collapse'; readonly area: HostArea }
    /** `protect hva 0x7f00_0000_0000 +2M ro` */
    | { readonly act: 'protect'; readonly area: HostArea; readonly flags: readonly Flag[] }
    /** `write gpa 0x5000 = 7` */
    | { readonly act: 'write'; readonly area: HostArea; readonly value: Expression }
    /** `zap all` */
    | { readonly act: 'zap-all' }
    /** `nr_mmu_pages 64` */
    | { readonly act: 'nr-mmu-pages'; readonly pages: Expression }
  );

/** An area of a VM's memory, by guest-physical or by the VMM's addresses. An address alone is its page. */
export interface HostArea extends Base {
  readonly kind: 'host-area';
  readonly space: 'gpa' | 'hva';
  readonly range: Range;
  readonly area: RangeExpression;
}

/** `same`, `same under soft, ept`: what the guest saw so far is the same under these kinds (null: all of the run). */
export interface Same extends Base {
  readonly kind: 'same';
  readonly under: Under | null;
}

/** `check invariants` */
export interface CheckInvariants extends Base {
  readonly kind: 'check-invariants';
}

/** `replay "trace.txt"`: the accesses of a memory trace. */
export interface Replay extends Base {
  readonly kind: 'replay';
  readonly path: Text | null;
}
