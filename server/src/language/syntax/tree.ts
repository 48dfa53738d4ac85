/**
 * The syntax tree of a `.mmu` document. Every text has one: what is missing is null (or a `missing` expression), what
 * could not be understood is an `error` node, and the statements around it stand.
 *
 * Ranges are UTF-16 offsets into the document, end exclusive. Nodes are plain data without links to their parents; see
 * {@link children}, {@link walk}, {@link pathAt} and {@link parentsOf} at the end.
 */

export interface Range {
  readonly start: number;
  readonly end: number;
}

interface Base {
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

/* ---------------------------------------------------------------- script */

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

/* ---------------------------------------------------------------- expectations */

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

/** `exits 1`, `exits <= 3 of EPT_VIOLATION`, `references 24` */
export interface ExpectCount extends Base {
  readonly kind: 'expect-count';
  readonly what: 'exits' | 'references';
  readonly compare: Comparison;
  readonly count: Expression;
  readonly reason: Word | null;
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

/* ---------------------------------------------------------------- walking */

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

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** The direct children of a node in the order of the text, comments left out. */
export function children(node: Node): Node[] {
  const found: Node[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === 'comments') continue;
    if (isNode(value)) found.push(value);
    else if (Array.isArray(value)) for (const element of value) if (isNode(element)) found.push(element);
  }
  return found.sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
}

/** A node and all below it, parents first, in the order of the text. */
export function* walk(node: Node): Generator<Node> {
  const stack: Node[] = [node];
  for (let next = stack.pop(); next; next = stack.pop()) {
    yield next;
    const inner = children(next);
    for (let i = inner.length - 1; i >= 0; i--) stack.push(inner[i]);
  }
}

/**
 * The nodes around an offset, the file first and the innermost last. An offset at the end of a node is still in it, so that
 * a cursor behind a word finds the word; where two nodes meet the later one wins, but a node that is missing there loses to
 * one that is not, and to an earlier one.
 */
export function pathAt(root: File, offset: number): Node[] {
  const path: Node[] = [root];
  for (let inner: Node | undefined = root; inner;) {
    const around: Node[] = children(inner).filter((child) => child.range.start <= offset && offset <= child.range.end);
    inner = around.filter(({ range }) => range.start < range.end).at(-1) ?? around[0];
    if (inner) path.push(inner);
  }
  return path;
}

/** The innermost node at an offset. */
export function nodeAt(root: File, offset: number): Node {
  return pathAt(root, offset).at(-1)!;
}

const parentCache = new WeakMap<File, ReadonlyMap<Node, Node>>();

/** Parent of every node but the file; computed once a tree. */
export function parentsOf(root: File): ReadonlyMap<Node, Node> {
  let parents = parentCache.get(root);
  if (!parents) {
    const map = new Map<Node, Node>();
    for (const node of walk(root)) for (const child of children(node)) map.set(child, node);
    parentCache.set(root, (parents = map));
  }
  return parents;
}
