/**
 * What the language knows of a kind of node. Each statement, host act, machine item and expectation has a file with all of
 * it: the node, the words that it brings, the names that it binds, its addresses, its line in the outline, its lowering.
 * kinds.ts holds a table of them; a kind without one of these parts does not compile.
 */
import type { Act, Expectation as Judged } from '../engine/program';
import type { Frame, ScriptLowering } from './lower/script';
import type { HostActLowering } from './lower/host-acts';
import type { Activity } from './lower/idle';
import type { Area } from './lower/tables/allocator';
import type { ItemReader } from './lower/tables/items';
import type { MemoryBuilder } from './lower/tables/memory';
import type { VmPlanner } from './lower/vm-planner';
import type { Binder } from './semantics/binder';
import type { Definitions } from './semantics/definitions';
import type { Scope } from './semantics/scopes';
import type { Env } from './semantics/values';
import type { Grammar, Rule } from './syntax/grammar/rule';
import type { LineKind } from './syntax/layout';
import type { Base, ErrorNode, Expression, Node, Reference, Tables } from './syntax/tree';

export type Words = { readonly [word: string]: string };

/** Categories of the words that make up the structure of a scenario. */
export type Structure = 'declaration' | 'statement' | 'clause' | 'host-act' | 'expectation';

/** Categories of words that mean something in one kind alone. */
type Vocabulary = 'scope' | 'errno' | 'state' | 'fault-flag' | 'format';

/** Words that a kind brings, with what they mean, by category. */
export type KindWords = { readonly [category in Structure | Vocabulary]?: Words };
export const NO_WORDS: KindWords = {};

export interface Worded {
  readonly words: KindWords;
}

/** Brings words of these categories for certain. */
export interface Brings<C extends Vocabulary> {
  readonly words: KindWords & { readonly [category in C]: Words };
}

/* ---------------------------------------------------------------- every node */

export type AddressSpace = 'gva' | 'gpa' | 'hva' | 'hpa';

/** The tables that a name stands for; null when it stands for none. */
export type TablesNamed = (reference: Reference) => Tables | null;

export interface Kind<N extends Base> {
  /** Binds the names in it, in the scopes that it opens. */
  bind(node: N, scope: Scope, binder: Binder): void;
  /** What kind of address one of its parts is; null: none. */
  address(node: N, part: Node, tables: TablesNamed): AddressSpace | null;
}

/** Opens no scope. */
export function bindParts(node: Base, scope: Scope, binder: Binder): void {
  binder.parts(node as Node, scope);
}

export function noAddress(): null {
  return null;
}

/** A part of something else, of which nothing is to be said. */
export const plain: Kind<Base> = { bind: bindParts, address: noAddress };

/* ---------------------------------------------------------------- items: what has a line of its own */

export type OutlineSymbol = 'file' | 'constant' | 'module' | 'vm' | 'field' | 'struct' | 'object' | 'function' | 'run' | 'group' | 'act';

export interface OutlineEntry {
  readonly name: string;
  readonly detail?: string;
  readonly symbol: OutlineSymbol;
  /** The name's own place, when it has one. */
  readonly at?: Node | null;
  readonly inner?: readonly Node[];
}

export interface Outliner {
  /** What stands in a range, on one line. */
  text(part: { readonly range: Base['range'] } | null): string;
  /** The entry of another node. */
  entry(node: Node): OutlineEntry | null;
}

export function notInOutline(): null {
  return null;
}

/**
 * Whether acts come from it: it is numbered then, and what the run tells of it is found by that number.
 *
 * - `alone`: only where it belongs to no other statement
 * - `in-scripts`: not in a machine
 */
type Numbered = 'never' | 'always' | 'alone' | 'in-scripts';

/** How a kind is read. */
export interface Read<N> {
  readonly rule: Rule<[], N | ErrorNode | null>;
  /** What has to hold where it begins, when the first word does not tell. */
  begins?($: Grammar): boolean;
}

export interface ItemKind<N extends Base> extends Kind<N>, Worded {
  readonly numbered: Numbered;
  /** What its line is to the columns of lines next to it. */
  readonly line: LineKind;
  outline(node: N, outliner: Outliner): OutlineEntry | null;
}

/* ---------------------------------------------------------------- statements */

/** How an act can end, as expectations say it. */
type Outcome = 'ok' | '#PF' | '#GP' | 'mmio' | 'shutdown' | 'exit' | 'error' | 'value' | 'address';

/** An act by itself: what it is called, and how it can end. */
export interface Ends {
  readonly called: string;
  readonly outcomes: readonly Outcome[];
}

export interface StatementKind<N extends Base> extends ItemKind<N>, Read<N> {
  /** Null: it is no act. The expectations of an act are lowered behind it. */
  readonly ends: Ends | null;
  /** Whether it makes an act or an expectation, now or in any round of a loop around it. */
  does(node: N, activity: Activity): boolean;
  lower(script: ScriptLowering, node: N, frame: Frame, out: Act[]): void;
}

export function always(): true {
  return true;
}

/** Nothing happens where it stands. */
export function lowersToNothing(): void {}

export interface HostActKind<N extends Base> extends Kind<N>, Worded, Read<Omit<N, 'kind' | 'expects' | 'range'>> {
  /** Guest-physical memory that it makes, as far as it is written; null: none. */
  memory(node: N): { readonly from: Expression | null; readonly size: Expression | null } | null;
  lower(host: HostActLowering, node: N): void;
}

export function noMemory(): null {
  return null;
}

/* ---------------------------------------------------------------- expectations */

export interface ExpectationKind<N extends Base> extends Kind<N>, Worded, Read<N> {
  /** What it says of how the act ended; null: it is about something else. */
  outcome(node: N): Outcome | null;
  /** It tells of the act before it, and means nothing where none is. */
  readonly ofLastAct: boolean;
  /** None when something is wrong, which is reported. */
  lower(script: ScriptLowering, node: N, frame: Frame): readonly Judged[];
}

export function noOutcome(): null {
  return null;
}

/* ---------------------------------------------------------------- files, VMs, tables */

export interface FileItemKind<N extends Base> extends ItemKind<N>, Read<N> {
  /** Names that it defines in the scope around it. */
  declare(node: N, scope: Scope, definitions: Definitions): void;
}

export function declaresNothing(): void {}

export interface VmItemKind<N extends Base> extends FileItemKind<N> {
  /** What it is called, when it cannot stand in a loop: there is one of it, or it has a name. Null: it can. */
  once(node: N): string | null;
  /** The steps of its VM's plan that it takes part in; none when it is read by others alone. */
  readonly plan: VmSteps<N>;
}

/** The steps in which a VM is planned; in each, all items are asked in the order of the text. */
export interface VmSteps<N extends Base> {
  /** It is there; not asked in loops. */
  declare?(vm: VmPlanner, node: N): void;
  /** Guest memory that it makes. */
  memory?(vm: VmPlanner, node: N, env: Env): void;
  /** Guest memory that it uses, as far as it can be known before tables without a place have one. Nothing is reported. */
  claim?(vm: VmPlanner, node: N, env: Env, claims: ItemClaims): void;
  /** Content of guest memory from files. */
  fill?(vm: VmPlanner, node: N, env: Env, memory: MemoryBuilder): void;
  /** Content of guest memory, over that from files. */
  write?(vm: VmPlanner, node: N, env: Env, memory: MemoryBuilder): void;
}

/** Guest memory that is in use. */
export interface ItemClaims {
  page(gpa: bigint): void;
  fill(area: Area): void;
}

export interface TablesItemKind<N extends Base> extends ItemKind<N>, Read<N> {
  /** Adds what it says to the items of its tables; what is wrong is reported and left out. */
  read(items: ItemReader, node: N, env: Env): void;
}
