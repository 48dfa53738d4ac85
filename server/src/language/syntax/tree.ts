/**
 * The syntax tree of a `.mmu` document. Every text has one: what is missing is null (or a `missing` expression), what
 * could not be understood is an `error` node, and the statements around it stand.
 *
 * Ranges are UTF-16 offsets into the document, end exclusive. Nodes are plain data without links to their parents; see
 * `children`, `walk` and `pathAt` in walk.ts.
 */
import type { Expectation } from '../expectations/kinds';
import type { Item, VmItem } from '../machine/kinds';
import type { TablesItem } from '../machine/tables/kinds';
import type { Body } from '../parts/body';
import type { EntryReference } from '../parts/entry';
import type { EventField, EventPattern } from '../parts/event';
import type { Handler } from '../parts/handler';
import type { HostArea } from '../parts/host-area';
import type { HostAct } from '../statements/host/kinds';
import type { Statement } from '../statements/kinds';

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Base {
  readonly range: Range;
}

/* ---------------------------------------------------------------- names and words */

/** What a name can be defined as. `value` is a constant, a loop's variable or a block's parameter. */
export type DefinitionOf = 'const' | 'loop' | 'parameter' | 'block' | 'vm' | 'vcpu' | 'tables';

/** A name where it is defined. vCPUs may be named by a number. */
export interface Definition extends Base {
  readonly kind: 'definition';
  readonly of: DefinitionOf;
  readonly text: string;
}

/**
 * A name where it is used. `to` says what may stand there: a `value` is a constant, loop variable, parameter or the root
 * of named tables; a `table` is named tables, a parameter, or one of the built-in `shadow`, `tdp`, `tlb`.
 */
export interface Reference extends Base {
  readonly kind: 'reference';
  readonly to: 'value' | 'table' | 'vm' | 'vcpu' | 'block';
  readonly text: string;
}

/** The kinds of word that have a meaning only by their place; each is a category of keywords.ts. */
export type WordAs =
  | 'setting' // of host, cpu, tlb, kvm, budget, vm, slot, vcpu
  | 'choice' // value of a setting: soft, kvm, 4-level, 6.1
  | 'mmu' // soft, ept, npt after `under`
  | 'format' // of tables: 4-level, pae, ept, npt
  | 'flag' // of a mapping, an entry or a slot: rw, user, nx, log_dirty
  | 'register' // cr3, cr0, efer
  | 'bit' // wp in cr0.wp, writable in kernel[a].writable
  | 'scope' // all, non_global of invpcid, invept, invvpid
  | 'event' // kvm_exit, in expectations
  | 'field' // of an event
  | 'reason' // exit reason
  | 'actor' // of an event
  | 'errno'
  | 'state' // of a page: write_protected, unsync
  | 'statistic' // of kvm_stat: pf_fixed
  | 'fault-flag'; // P, W, U, ...

export interface Word extends Base {
  readonly kind: 'word';
  readonly as: WordAs;
  readonly text: string;
}

/** A string of an import or of another file; `value` is without its quotes. */
export interface Text extends Base {
  readonly kind: 'text';
  readonly value: string;
}

/* ---------------------------------------------------------------- expressions */

export type Expression = NumberExpression | SwitchExpression | NameExpression | Word | Unary | Binary | Parenthesized | Missing;

/** `value` is null when the number is malformed or needs more than 64 bits (an error says so). */
export interface NumberExpression extends Base {
  readonly kind: 'number';
  readonly text: string;
  readonly value: bigint | null;
}

/** `on` and `yes` are 1, `off` and `no` are 0. */
interface SwitchExpression extends Base {
  readonly kind: 'switch';
  readonly text: 'on' | 'off' | 'yes' | 'no';
  readonly value: boolean;
}

/** `page`, or `l1.kernel`: tables of another VM. */
export interface NameExpression extends Base {
  readonly kind: 'name';
  readonly vm: Reference | null;
  readonly name: Reference;
}

interface Unary extends Base {
  readonly kind: 'unary';
  readonly operator: '-' | '~';
  readonly operand: Expression;
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '<<' | '>>' | '&' | '|';

export interface Binary extends Base {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

interface Parenthesized extends Base {
  readonly kind: 'parenthesized';
  readonly inner: Expression;
}

/** An expression that should stand here and does not; its range is empty. An error says so. */
interface Missing extends Base {
  readonly kind: 'missing';
}

/** `a .. b` (both included), `a +size`, or `a` alone. At most one of `to` and `size` is there. */
export interface RangeExpression extends Base {
  readonly kind: 'range';
  readonly from: Expression;
  readonly to: Expression | null;
  readonly size: Expression | null;
}

/* ---------------------------------------------------------------- blocks in braces */

/** Text that could not be understood; an error says why. */
export interface ErrorNode extends Base {
  readonly kind: 'error';
}

/* ---------------------------------------------------------------- the file */

export interface File extends Base {
  readonly kind: 'file';
  readonly items: readonly Item[];
  /** All comments in order; they are in no other node. */
  readonly comments: readonly Comment[];
}

export interface Comment extends Base {
  readonly kind: 'comment';
  readonly block: boolean;
}

/** `under soft, ept on ept with kernel 6.1`: some kinds of MMU virtualization, some kernels, or both. */
export interface Under extends Base {
  readonly kind: 'under';
  /** Level by level; none: any. */
  readonly kinds: readonly MmuKinds[];
  /** None: any, and that of the host is the one to run with. */
  readonly kernels: readonly Word[];
}

/** `soft on ept`: the kind of the run's VM first, then that of the VM around it, and so on. */
export interface MmuKinds extends Base {
  readonly kind: 'mmu-kinds';
  readonly levels: readonly Word[];
}

/** `rw`, `not dirty`, `pages 2M`, `key 3` */
export interface Flag extends Base {
  readonly kind: 'flag';
  readonly not: boolean;
  readonly name: Word;
  readonly value: Expression | null;
}

/* ---------------------------------------------------------------- all nodes */

export type { Expectation } from '../expectations/kinds';
export type { Block } from '../machine/block';
export type { Const } from '../machine/const';
export type { Import } from '../machine/import';
export type { Item, VmItem } from '../machine/kinds';
export type { MemoryWord } from '../machine/memory-word';
export type { Run } from '../machine/run';
export type { Setting } from '../machine/setting';
export type { Slot } from '../machine/slot';
export type { TablesItem } from '../machine/tables/kinds';
export type { Mapping } from '../machine/tables/mapping';
export type { Placement } from '../machine/tables/placement';
export type { RawEntry } from '../machine/tables/raw-entry';
export type { Share } from '../machine/tables/share';
export type { Tables } from '../machine/tables/tables';
export type { Upper } from '../machine/tables/upper';
export type { Vcpu } from '../machine/vcpu';
export type { Vm } from '../machine/vm';
export type { Body } from '../parts/body';
export type { EntryReference } from '../parts/entry';
export type { EventPattern, EventField } from '../parts/event';
export type { Handler } from '../parts/handler';
export type { HostArea } from '../parts/host-area';
export type { Edit } from '../statements/edit';
export type { Expect } from '../statements/expect';
export type { For } from '../statements/for';
export type { HostActs } from '../statements/host-acts';
export type { HostAct } from '../statements/host/kinds';
export type { Statement } from '../statements/kinds';
export type { RegisterLoad } from '../statements/register-load';
export { children, pathAt, walk } from './walk';

export type Node =
  | File
  | Comment
  | Item
  | VmItem
  | TablesItem
  | Statement
  | HostAct
  | Expectation
  | Expression
  | Body
  | Definition
  | Reference
  | Word
  | Text
  | RangeExpression
  | Under
  | MmuKinds
  | Handler
  | Flag
  | EntryReference
  | HostArea
  | EventPattern
  | EventField;

export type NodeKind = Node['kind'];
export type NodeOf<K extends NodeKind> = Extract<Node, { kind: K }>;
