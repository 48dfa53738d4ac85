/**
 * Messages beyond plain LSP, shared by server, client and webview: requests from the client to the server, and the typed
 * union between the client and the trace panel. Everything is JSON; 64-bit numbers travel as hexadecimal strings `0x…`.
 */
import type { Range } from 'vscode-languageserver-types';
import type { MemoryMap, StateNodes, StateOrigin } from './state';
import type { ComparisonView } from './comparison';
import type { TotalsTables } from './totals';
import type { TranslationView, Verdict } from './translation';

/** Who acted, as views name the journal's actors. */
export type StepActor = 'processor' | 'L0' | 'L1' | 'L2' | 'user';

/** Weight of a step for the eye: statement heads group what follows. */
export type StepKind = 'statement' | 'exit' | 'entry' | 'table' | 'fault' | 'mmu' | 'other';

/** Run of one program of a document, as the views name it. */
export interface RunInfo {
  /** Changes with every new run; requests that name an old one get null. */
  readonly runId: string;
  readonly uri: string;
  readonly version: number;
  /** As `guest under ept`. */
  readonly name: string;
  readonly index: number;
  /** Steps that the panel lists. */
  readonly steps: number;
  /** Who acts in it: the lanes of the panel. */
  readonly actors: readonly StepActor[];
  /** Zero-based line up to which it was run; null: to the end. */
  readonly until: number | null;
  /** The text was edited since and could not be run, or was not: this is what an older text came to. */
  readonly older: boolean;
  readonly ended: string;
  readonly passed: number;
  readonly failed: number;
}

/** One line of the panel's list: an event of the journal. */
export interface StepRow {
  readonly step: number;
  readonly actor: StepActor;
  readonly event: string;
  /** The event's fields as text, most important first. */
  readonly text: string;
  readonly address: string | null;
  /** Zero-based source line of the statement that caused it, or null for set-up. */
  readonly line: number | null;
  readonly kind: StepKind;
  /** Of the first step of a statement, in a list that can be folded. */
  readonly fold?: StepFold;
}

/** A statement and the steps that it is folded over, with what it came to; the set-up is one too. */
export interface StepFold {
  /** Number of the statement in the run: the n-th that is executed. */
  readonly group: number;
  readonly open: boolean;
  readonly steps: number;
  readonly outcome: Pick<Verdict, 'kind' | 'what'> | null;
  /** As `4 × EPT_VIOLATION, CR_ACCESS`; empty: none. */
  readonly exits: string;
  /** Entries of tables that it changed, each time counted. */
  readonly changed: number;
  /** Expectations about it. */
  readonly held: number;
  readonly failed: number;
}

/** Which statements are folded: all or none, but for those. */
export interface StepFolds {
  readonly folded: boolean;
  readonly except: readonly number[];
}

/** What is gone to from a step. */
export type StepGoal = 'exit' | 'fault' | 'change' | 'statement';

/** A step in a list; it is another one than that asked for when that is folded away or does not pass the filter. */
export interface StepPlace {
  readonly position: number;
  readonly step: number;
  /** Number of the statement into which the step asked for is folded. */
  readonly foldedInto?: number;
}

/**
 * What the panel's list is narrowed to: steps of these actors and kinds (none given: of all) with this text in them. `change`: steps that
 * change something, `tlb`: those of TLB and paging-structure caches. What is narrowed is not folded.
 */
export interface StepFilter {
  readonly actors?: readonly StepActor[];
  readonly kinds?: readonly (StepKind | 'change' | 'tlb')[];
  /** Found in event, text or address; upper and lower case alike, `_` between digits left out. */
  readonly text?: string;
}

export interface Change {
  /** As `memory`, `register`, `shadow page`, `tlb`. */
  readonly space: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
  /** What that means, as `A set` or `created`. */
  readonly note: string | null;
}

/** One execution of a statement, as it came out. */
export interface StatementView {
  readonly text: string;
  /** Zero-based source line. */
  readonly line: number | null;
  /** Null: there is nothing to say, as of a register that was loaded. */
  readonly verdict: Verdict | null;
  /** `no exit`, `5 exits (5 × EPT_VIOLATION)`. */
  readonly exits: string;
  /** Paging-structure entries that the processor read. */
  readonly references: number;
  /** Those that stand behind it, with what happened. */
  readonly expectations: readonly { readonly text: string; readonly holds: boolean; readonly got: string }[];
}

export interface StepDetail {
  readonly row: StepRow;
  readonly range: Range | null;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  readonly about: string;
  /** The statement that the step is of; null in the set-up. */
  readonly statement: StatementView | null;
  /** The way of the address under way, before the step and after it (before the statement and after it, for its own step). */
  readonly ways: { readonly before: TranslationView; readonly after: TranslationView } | null;
  readonly changes: readonly Change[];
}

/** Client to server requests. Method names and their parameter and result types. */
export interface Requests {
  /**
   * Run all programs of the document now and answer when done. With a line (zero-based): up to and with the statement that
   * begins there, programs of later runs left out.
   */
  'mmu/run': { params: { uri: string; line?: number }; result: RunInfo[] };
  'mmu/runs': { params: { uri: string }; result: RunInfo[] };
  /** Rows [from, from + count) of the steps of a run that pass the filter, and how many pass. */
  'mmu/steps': {
    params: { runId: string; from: number; count: number; filter?: StepFilter | null; folds?: StepFolds | null };
    result: { rows: StepRow[]; total: number } | null;
  };
  /** Where a step stands among those that pass the filter, or the last one before it that does, or the statement into which it is folded. */
  'mmu/position': {
    params: { runId: string; step: number; filter?: StepFilter | null; folds?: StepFolds | null };
    result: StepPlace | null;
  };
  /** The next step of a kind, or with `direction` -1 the one before, with the statement that it is of and its first step; null: there is none. */
  'mmu/next': {
    params: { runId: string; step: number; goal: StepGoal; direction: 1 | -1 };
    result: { step: number; group: number; first: number } | null;
  };
  /** Steps [from, to] as the kernel's trace prints them, a comment for each that it has no tracepoint for; at most 10 000. */
  'mmu/kernelText': { params: { runId: string; from: number; to: number }; result: string | null };
  'mmu/step': { params: { runId: string; step: number }; result: StepDetail | null };
  /** The machine after a step: `count` nodes inside one (of the top, its id is empty) from the one at `from` on; null: there is no such node. */
  'mmu/state': { params: { runId: string; step: number; id: string; from?: number; count?: number }; result: StateNodes | null };
  /** Who wrote a node of the state, and who uses it. */
  'mmu/stateOrigin': { params: { runId: string; step: number; id: string }; result: StateOrigin | null };
  /** Where the VMs' memory lies after a step. */
  'mmu/memoryMaps': { params: { runId: string; step: number }; result: MemoryMap[] | null };
  /** First step of the statement at a line, for cursor to step. */
  'mmu/stepAtLine': { params: { runId: string; line: number }; result: number | null };
  /** All runs of the document that a run is of, as a page of HTML; with a line (zero-based), the walk of its statement is drawn in any case. */
  'mmu/report': { params: { runId: string; line: number | null }; result: string | null };
  /** What is counted of a run and its parts. */
  'mmu/totals': { params: { runId: string }; result: TotalsTables | null };
  /** A run beside another one; null: beside that of the same name before the text was last changed. */
  'mmu/compare': { params: { runId: string; with: string | null }; result: ComparisonView | null };
  /** Translation of an address expression at a position, in the run named or the first. */
  'mmu/translate': {
    params: { uri: string; line: number; character: number; address?: string; runId?: string };
    result: { markdown: string; view: TranslationView } | null;
  };
}

/** A file or folder in a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly folder: boolean;
}

/** Server to client requests; answered by clients that say so in {@link InitializationOptions}. */
export interface ClientRequests {
  /**
   * A file that the server cannot reach itself (a virtual workspace, a browser), `most` bytes at most; why it is not opened, when it is no
   * regular file or larger; null when there is none.
   */
  'mmu/readFile': { params: { uri: string; most: number }; result: { base64: string } | { notOpened: string } | null };
  /** What is in a folder; null when there is none. */
  'mmu/readFolder': { params: { uri: string }; result: FolderEntry[] | null };
  /** URIs of the scenarios in the workspace. */
  'mmu/findFiles': { params: Record<string, never>; result: string[] };
}

/** `initializationOptions` of the language server; clients without any are served as well. */
export interface InitializationOptions {
  /** Script of the worker that executes runs, for a server in a browser. */
  readonly workerUrl?: string;
  /** The client answers `mmu/readFile` and `mmu/readFolder`. */
  readonly readFiles?: boolean;
  /** The client answers `mmu/findFiles`. */
  readonly findFiles?: boolean;
  /** The client carries out {@link SHOW_TRACE_COMMAND} and {@link EXPLAIN_COMMAND} where a hover links to them. */
  readonly commandLinks?: boolean;
  /** False: the user does not trust the workspace. The client says `mmu/trusted` when that changes. */
  readonly trusted?: boolean;
}

/** Commands that code lenses and hovers name; the client carries them out. */
export const RUN_COMMAND = 'mmu.run';
/** Arguments: URI, index of the run, zero-based line whose statement is selected (none: it stays). */
export const SHOW_TRACE_COMMAND = 'mmu.showTrace';
/** Argument: a section of docs/outcomes.md. */
export const EXPLAIN_COMMAND = 'mmu.explain';
/** A template into a document. Argument: its URI; one in which something is written stays, and a new one is made. */
export const NEW_SCENARIO_COMMAND = 'mmu.newScenario';
/** Choose a sample, and read it. */
export const OPEN_SAMPLES_COMMAND = 'mmu.openSamples';

/** Server to client notifications. */
export interface Notifications {
  /** A document's runs changed: finished, failed or started. */
  'mmu/runState': { uri: string; version: number; state: 'running' | 'done' | 'failed'; runs: RunInfo[]; message?: string };
}

/** Client to webview. */
export type ToPanel =
  | { readonly type: 'runs'; readonly runs: readonly RunInfo[]; readonly selected: string | null; readonly file: string }
  /** Answer to `needRows`: rows from position `from` on, `total` rows passing the filter of `query`. */
  | {
      readonly type: 'rows';
      readonly runId: string;
      readonly query: number;
      readonly from: number;
      readonly rows: readonly StepRow[];
      readonly total: number;
    }
  | { readonly type: 'detail'; readonly runId: string; readonly detail: StepDetail }
  /** Answers to `needState`, `needOrigin` and `needMemory`; null: there is none. */
  | {
      readonly type: 'state';
      readonly runId: string;
      readonly step: number;
      readonly id: string;
      readonly from: number;
      readonly found: StateNodes | null;
    }
  | { readonly type: 'origin'; readonly runId: string; readonly step: number; readonly id: string; readonly origin: StateOrigin | null }
  | { readonly type: 'memory'; readonly runId: string; readonly step: number; readonly maps: readonly MemoryMap[] | null }
  | { readonly type: 'totals'; readonly runId: string; readonly totals: TotalsTables }
  /** Answer to `needComparison`; null: there is no such run to compare with. */
  | { readonly type: 'comparison'; readonly runId: string; readonly with: string | null; readonly comparison: ComparisonView | null }
  /** Select a step (the cursor is on its statement); `position` answers `needPosition`. */
  | { readonly type: 'select'; readonly runId: string; readonly step: number }
  | { readonly type: 'position'; readonly runId: string; readonly query: number; readonly step: number; readonly place: StepPlace | null }
  /** Answer to `needNext`. */
  | { readonly type: 'next'; readonly runId: string; readonly from: number; readonly found: Requests['mmu/next']['result'] }
  /** The way of an address that was asked for by itself, not as part of a step. */
  | { readonly type: 'translation'; readonly runId: string | null; readonly view: TranslationView }
  | { readonly type: 'busy'; readonly message: string | null };

/** Webview to client. */
export type FromPanel =
  | { readonly type: 'ready' }
  | { readonly type: 'chooseRun'; readonly runId: string }
  /** `query` numbers the filter in use, so that late answers to an older one are told apart. */
  | {
      readonly type: 'needRows';
      readonly runId: string;
      readonly query: number;
      readonly from: number;
      readonly count: number;
      readonly filter: StepFilter | null;
      readonly folds: StepFolds | null;
    }
  | {
      readonly type: 'needPosition';
      readonly runId: string;
      readonly query: number;
      readonly step: number;
      readonly filter: StepFilter | null;
      readonly folds: StepFolds | null;
    }
  | { readonly type: 'needNext'; readonly runId: string; readonly step: number; readonly goal: StepGoal; readonly direction: 1 | -1 }
  /** Put steps [from, to] into the clipboard as kernel text, or a text as it is. */
  | { readonly type: 'copySteps'; readonly runId: string; readonly from: number; readonly to: number }
  | { readonly type: 'copyText'; readonly text: string }
  /** The panel alone is to be seen, or the editors beside it again. */
  | { readonly type: 'present'; readonly on: boolean }
  | { readonly type: 'needDetail'; readonly runId: string; readonly step: number }
  | {
      readonly type: 'needState';
      readonly runId: string;
      readonly step: number;
      readonly id: string;
      readonly from: number;
      readonly count: number;
    }
  | { readonly type: 'needOrigin'; readonly runId: string; readonly step: number; readonly id: string }
  | { readonly type: 'needMemory'; readonly runId: string; readonly step: number }
  /** Save a report of the scenario's runs. */
  | { readonly type: 'exportReport' }
  | { readonly type: 'needTotals'; readonly runId: string }
  /** As `mmu/compare` has it. */
  | { readonly type: 'needComparison'; readonly runId: string; readonly with: string | null }
  /** Show what a section of docs/outcomes.md says. */
  | { readonly type: 'explain'; readonly section: string }
  /** Show the source line of a step. */
  | { readonly type: 'reveal'; readonly runId: string; readonly line: number; readonly focus: boolean };
