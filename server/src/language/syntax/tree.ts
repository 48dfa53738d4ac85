/**
 * The syntax tree of a `.mmu` document. Every text has one: what is missing is null (or a `missing` expression), what
 * could not be understood is an `error` node, and the statements around it stand.
 *
 * Ranges are UTF-16 offsets into the document, end exclusive. Nodes are plain data without links to their parents; see
 * `children`, `walk`, `pathAt` and `parentsOf` in walk.ts.
 */
import type { EventField, EventPattern, Expect, Expectation } from './expectation-tree';
import type { EntryReference, For, HostArea, Statement } from './script-tree';

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
  | 'errno'
  | 'state' // of a page: write_protected, unsync
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
export interface SwitchExpression extends Base {
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

export interface Unary extends Base {
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

export interface Parenthesized extends Base {
  readonly kind: 'parenthesized';
  readonly inner: Expression;
}

/** An expression that should stand here and does not; its range is empty. An error says so. */
export interface Missing extends Base {
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

/** `{ … }`; the range includes the braces. `closed` is false when `}` is missing. */
export interface Body<T extends Node = Node> extends Base {
  readonly kind: 'body';
  readonly items: readonly T[];
  readonly closed: boolean;
}

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

export type Item = Import | Const | Host | Budget | Vm | Block | Run | ErrorNode;

/** `import "file.mmu"`: its constants, blocks, and VMs. */
export interface Import extends Base {
  readonly kind: 'import';
  readonly path: Text | null;
}

/** `const page = 4K`; in a file, a VM, tables or a script. */
export interface Const extends Base {
  readonly kind: 'const';
  readonly name: Definition | null;
  readonly value: Expression;
}

/** `block name(a, b) { … }` */
export interface Block extends Base {
  readonly kind: 'block';
  readonly name: Definition | null;
  readonly parameters: readonly Definition[];
  readonly body: Body<Statement> | null;
}

/** `run vm "title" under soft, ept { … }`; each part but the body may be left out. */
export interface Run extends Base {
  readonly kind: 'run';
  readonly vm: Reference | null;
  readonly title: Text | null;
  readonly under: Under | null;
  readonly body: Body<Statement> | null;
}

/** `under soft, ept on ept`: one or more kinds of MMU virtualization, level by level. */
export interface Under extends Base {
  readonly kind: 'under';
  readonly kinds: readonly MmuKinds[];
}

/** `soft on ept`: the kind of the run's VM first, then that of the VM around it, and so on. */
export interface MmuKinds extends Base {
  readonly kind: 'mmu-kinds';
  readonly levels: readonly Word[];
}

/* ---------------------------------------------------------------- machine */

/**
 * A setting of a host, cpu, tlb, kvm, budget, vm, slot or vcpu; keywords.ts lists which there are and what each takes.
 * `memory 64M`, `readonly` (no value), `cr0.wp off` (with a bit), `l1 16 x 4` (with a second value), `kvm { … }` (a body).
 */
export interface Setting extends Base {
  readonly kind: 'setting';
  readonly name: Word;
  readonly bit: Word | null;
  readonly value: Expression | null;
  readonly second: Expression | null;
  readonly body: Body<Setting | ErrorNode> | null;
}

/** `host { memory 64M  cpu { … }  tlb { … }  kvm { … } }` */
export interface Host extends Base {
  readonly kind: 'host';
  readonly body: Body<Setting | ErrorNode> | null;
}

/** `budget { steps 1000 }` */
export interface Budget extends Base {
  readonly kind: 'budget';
  readonly body: Body<Setting | ErrorNode> | null;
}

export interface Vm extends Base {
  readonly kind: 'vm';
  readonly name: Definition | null;
  readonly body: Body<VmItem> | null;
}

export type VmItem = Setting | Slot | Vcpu | Tables | MemoryWord | Load | Vm | Const | For | ErrorNode;

/** `slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000  readonly }`, also after `host create`. */
export interface Slot extends Base {
  readonly kind: 'slot';
  readonly id: Expression;
  readonly body: Body<Setting | ErrorNode> | null;
}

/** `vcpu { cr3 kernel }`, `vcpu 1 { … }`, `vcpu boot { … }` */
export interface Vcpu extends Base {
  readonly kind: 'vcpu';
  readonly name: Definition | null;
  readonly body: Body<Setting | Handler | ErrorNode> | null;
}

/** `on fault { … }`: the guest's #PF handler, of one access or of a vCPU. */
export interface Handler extends Base {
  readonly kind: 'handler';
  readonly body: Body<Statement> | null;
}

/**
 * `tables kernel at 0x1000 { … }`, `tables ept12 ept { … }`. `format` null: the paging mode of the vCPUs. `at`: the root's
 * address, or with a length the area in which all its tables lie; null: allocated.
 */
export interface Tables extends Base {
  readonly kind: 'tables';
  readonly name: Definition | null;
  readonly format: Word | null;
  readonly at: RangeExpression | null;
  readonly body: Body<TablesItem> | null;
}

export type TablesItem = Mapping | RawEntry | Upper | Placement | Share | Const | For | ErrorNode;

/** `0x40_0000 +2M -> 0x20_0000  rw user pages 2M` */
export interface Mapping extends Base {
  readonly kind: 'mapping';
  readonly from: RangeExpression;
  readonly to: Expression;
  readonly flags: readonly Flag[];
}

/** `rw`, `not dirty`, `pages 2M`, `key 3` */
export interface Flag extends Base {
  readonly kind: 'flag';
  readonly not: boolean;
  readonly name: Word;
  readonly value: Expression | null;
}

/** `entry 0x40_0000 level 2 = 0x4007`: the entry at that level on the way of that address, as it is written to memory. */
export interface RawEntry extends Base {
  readonly kind: 'raw-entry';
  readonly address: Expression;
  readonly level: Expression | null;
  readonly value: Expression;
}

/** `upper 0x40_0000 +1G level 3 ro user`: rights of upper-level entries. */
export interface Upper extends Base {
  readonly kind: 'upper';
  readonly address: RangeExpression;
  readonly level: Expression | null;
  readonly flags: readonly Flag[];
}

/** `table 0x40_0000 level 1 at 0x4000`: where the table of that level on the way of that address lies. */
export interface Placement extends Base {
  readonly kind: 'placement';
  readonly address: Expression;
  readonly level: Expression | null;
  readonly at: Expression;
}

/** `share kernel 0xffff_8000_0000_0000 +512G level 4`: the entries of that level are those of other tables. */
export interface Share extends Base {
  readonly kind: 'share';
  readonly tables: Reference | null;
  readonly address: RangeExpression;
  readonly level: Expression | null;
}

/**
 * `word 0x4000 = 0x4003`: guest memory at the start (in a VM), or a store by guest-physical address (in a script).
 * `size` is 4 or 8 bytes; null: 8.
 */
export interface MemoryWord extends Base {
  readonly kind: 'memory-word';
  readonly gpa: Expression;
  readonly value: Expression;
  readonly size: Expression | null;
  /** In a script only. */
  readonly expects: readonly Expect[];
}

/** `load "guest.dump" at 0x10_0000`: guest memory from a file. */
export interface Load extends Base {
  readonly kind: 'load';
  readonly path: Text | null;
  readonly at: Expression;
}

/* ---------------------------------------------------------------- scripts, and all nodes */

export type * from './expectation-tree';
export type * from './script-tree';
export { children, nodeAt, parentsOf, pathAt, walk } from './walk';

export type Node =
  | File
  | Comment
  | Item
  | VmItem
  | TablesItem
  | Statement
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
