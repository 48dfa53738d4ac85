/**
 * Messages beyond plain LSP, shared by server, client and webview: requests from the client to the server, and the typed
 * union between the client and the trace panel. Everything is JSON; 64-bit numbers travel as hexadecimal strings `0x…`.
 */
import type { Range } from 'vscode-languageserver-types';

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
  readonly ended: string;
  readonly passed: number;
  readonly failed: number;
}

/** One line of the panel's list: an event of the journal. */
export interface StepRow {
  readonly step: number;
  readonly actor: 'processor' | 'L0' | 'L1' | 'L2' | 'user';
  readonly event: string;
  /** The event's fields as text, most important first. */
  readonly text: string;
  readonly address: string | null;
  /** Zero-based source line of the statement that caused it, or null for set-up. */
  readonly line: number | null;
  /** Weight for the eye: statement heads group what follows. */
  readonly kind: 'statement' | 'exit' | 'entry' | 'table' | 'fault' | 'mmu' | 'other';
}

/** One entry read on the way of an address, or one hop between address spaces. */
export interface WalkHop {
  readonly stage: 'guest' | 'l1' | 'ept' | 'npt' | 'shadow' | 'slot' | 'host';
  /** As PML4, PDPT, PD, PT; EPT4 …; `slot 0`. */
  readonly label: string;
  readonly level: number | null;
  /** Where the entry lies: address and its space. */
  readonly at: string | null;
  readonly atSpace: 'gpa' | 'hpa' | 'hva' | null;
  readonly value: string | null;
  /** Names of the bits that are set, as `P W U A`. */
  readonly bits: string | null;
  /** What the hop yields. */
  readonly to: string | null;
  readonly note: string | null;
}

/** The whole way of an address at a point of the script. */
export interface TranslationView {
  readonly address: string;
  readonly space: 'ngva' | 'gva' | 'gpa';
  readonly hops: readonly WalkHop[];
  /** Addresses reached, stage by stage: GVA, GPA, HVA, HPA. */
  readonly stations: readonly { readonly space: string; readonly address: string }[];
  readonly outcome: string;
}

export interface Change {
  /** As `memory`, `register`, `shadow page`, `tlb`. */
  readonly space: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

export interface StepDetail {
  readonly row: StepRow;
  readonly range: Range | null;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  readonly about: string;
  readonly translation: TranslationView | null;
  readonly changes: readonly Change[];
}

/** Client to server requests. Method names and their parameter and result types. */
export interface Requests {
  /** Run all programs of the document now (or up to a line, zero-based) and answer when done. */
  'mmu/run': { params: { uri: string; line?: number }; result: RunInfo[] };
  'mmu/runs': { params: { uri: string }; result: RunInfo[] };
  /** Rows [from, from + count) of a run. */
  'mmu/steps': { params: { runId: string; from: number; count: number }; result: StepRow[] | null };
  'mmu/step': { params: { runId: string; step: number }; result: StepDetail | null };
  /** First step of the statement at a line, for cursor to step. */
  'mmu/stepAtLine': { params: { runId: string; line: number }; result: number | null };
  /** Translation of an address expression at a position. */
  'mmu/translate': { params: { uri: string; line: number; character: number; address?: string }; result: { markdown: string; view: TranslationView } | null };
}

/** Server to client notifications. */
export interface Notifications {
  /** A document's runs changed: finished, failed or started. */
  'mmu/runState': { uri: string; version: number; state: 'running' | 'done' | 'failed'; runs: RunInfo[]; message?: string };
}

/** Client to webview. */
export type ToPanel =
  | { readonly type: 'runs'; readonly runs: readonly RunInfo[]; readonly selected: string | null; readonly file: string }
  | { readonly type: 'rows'; readonly runId: string; readonly from: number; readonly rows: readonly StepRow[] }
  | { readonly type: 'detail'; readonly runId: string; readonly detail: StepDetail }
  | { readonly type: 'select'; readonly runId: string; readonly step: number }
  | { readonly type: 'busy'; readonly message: string | null };

/** Webview to client. */
export type FromPanel =
  | { readonly type: 'ready' }
  | { readonly type: 'chooseRun'; readonly runId: string }
  | { readonly type: 'needRows'; readonly runId: string; readonly from: number; readonly count: number }
  | { readonly type: 'needDetail'; readonly runId: string; readonly step: number }
  | { readonly type: 'reveal'; readonly runId: string; readonly line: number };
