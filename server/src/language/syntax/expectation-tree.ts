/** Nodes of expectations. */
import type { Base, EntryReference, ErrorNode, Expression, Flag, RangeExpression, Reference, Under, Word } from './tree'; // prettier-ignore

/** `expect ok, exits 1 under ept, npt`: of the act before it, or a statement of its own on the state at that point. */
export interface Expect extends Base {
  readonly kind: 'expect';
  readonly of: readonly Expectation[];
  readonly under: Under | null;
}

export type Comparison = '==' | '<=' | '>=';

export type Expectation =
  | ExpectOk
  | ExpectFault
  | ExpectMmio
  | ExpectError
  | ExpectExit
  | ExpectValue
  | ExpectAddress
  | ExpectCount
  | ExpectEntry
  | ExpectPage
  | ExpectDirty
  | ExpectEvents
  | ExpectWord
  | ExpectRegister
  | ErrorNode;

export interface ExpectOk extends Base {
  readonly kind: 'expect-ok';
}

/** `#PF`, `#PF(P W U)`, `#PF(0x7)`, `#GP`. With neither flags nor code any error code will do. */
export interface ExpectFault extends Base {
  readonly kind: 'expect-fault';
  readonly fault: '#PF' | '#GP';
  /** Null: no parentheses. `#PF()` is an empty list: error code 0. */
  readonly flags: readonly Word[] | null;
  readonly code: Expression | null;
}

/** `mmio`, `mmio read`, `mmio write` */
export interface ExpectMmio extends Base {
  readonly kind: 'expect-mmio';
  readonly access: 'read' | 'write' | null;
}

/** `error EEXIST` */
export interface ExpectError extends Base {
  readonly kind: 'expect-error';
  readonly errno: Word | null;
}

/** `exit`, `exit EPT_VIOLATION`: it left the guest, for its hypervisor that the script plays. */
export interface ExpectExit extends Base {
  readonly kind: 'expect-exit';
  readonly reason: Word | null;
}

/** `value 5` */
export interface ExpectValue extends Base {
  readonly kind: 'expect-value';
  readonly value: Expression;
}

/** `gpa 0x5000`, `hpa 0x5000`, and `hpa of gpa 0x5000` (`of` is true) */
export interface ExpectAddress extends Base {
  readonly kind: 'expect-address';
  readonly space: 'gpa' | 'hva' | 'hpa';
  readonly ofGpa: boolean;
  readonly address: Expression;
}

/** `exits 1`, `exits <= 3 of EPT_VIOLATION from l2`, `references 24` */
export interface ExpectCount extends Base {
  readonly kind: 'expect-count';
  readonly what: 'exits' | 'references';
  readonly compare: Comparison;
  readonly count: Expression;
  readonly reason: Word | null;
  /** The VM that was left. */
  readonly from: Reference | null;
}

/**
 * `kernel[a] = 0x5067`, `shadow[a].writable = no`, `tdp[a] absent`, `kernel[a] rw user not dirty`, `tlb[a] present`.
 * `value` is null when flags are listed.
 */
export interface ExpectEntry extends Base {
  readonly kind: 'expect-entry';
  readonly entry: EntryReference;
  readonly bit: Word | null;
  readonly value: Expression | null;
  readonly flags: readonly Flag[];
}

/** `page 0x4000 write_protected`, `page 0x4000 not unsync` */
export interface ExpectPage extends Base {
  readonly kind: 'expect-page';
  readonly gpa: Expression;
  readonly not: boolean;
  readonly state: Word | null;
}

/** `dirty slot 0 [0x5000, 0x6000 +8K]` */
export interface ExpectDirty extends Base {
  readonly kind: 'expect-dirty';
  readonly slot: Expression;
  readonly gpas: readonly RangeExpression[];
}

/** `events kvm_exit(EPT_VIOLATION), kvm_page_fault`: the last of its list, up to `under` or the next statement. */
export interface ExpectEvents extends Base {
  readonly kind: 'expect-events';
  readonly events: readonly EventPattern[];
}

export interface EventPattern extends Base {
  readonly kind: 'event';
  readonly name: Word;
  readonly fields: readonly EventField[];
}

/** `gfn 5`, or a value alone, which is the event's first field. */
export interface EventField extends Base {
  readonly kind: 'event-field';
  readonly name: Word | null;
  readonly value: Expression;
}

/** `word 0x5000 = 7` in guest-physical memory. */
export interface ExpectWord extends Base {
  readonly kind: 'expect-word';
  readonly gpa: Expression;
  readonly value: Expression;
}

/** `cr2 = 0x40_0000` */
export interface ExpectRegister extends Base {
  readonly kind: 'expect-register';
  readonly register: Word;
  readonly bit: Word | null;
  readonly value: Expression;
}
