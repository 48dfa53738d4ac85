/** Totals of a run and of its parts, as views, the panel and JSON have them. Plain values. */

export interface NamedCount {
  readonly name: string;
  readonly count: number;
}

/** Exits to the host. */
export interface ExitTotal extends NamedCount {
  /** Where a VM stands in a VM: the VM that was left, as `L2`; null elsewhere. */
  readonly from: 'L1' | 'L2' | null;
}

/** Entries that the processor read of some tables. */
export interface ReferenceTotal extends NamedCount {
  /** By level, the highest first; named as entries are, `PML4`, `EPT4`. */
  readonly levels: readonly NamedCount[];
}

/** What `kvm_stat` counts on the host. */
export interface StatisticTotal extends NamedCount {
  readonly about: string;
  /** Kernel file and function that counts. */
  readonly function: string;
}

/** Whatever is not 0; most first, statistics in the kernel's order. */
export interface Totals {
  readonly exits: readonly ExitTotal[];
  readonly references: readonly ReferenceTotal[];
  readonly statistics: readonly StatisticTotal[];
  readonly events: readonly NamedCount[];
}

/** A part of a run: what was set up, a statement with all its executions, a block with all its calls. */
export interface PartTotals {
  /** `set-up`, `statement 3`, `block touch`: names it among the parts of its run. */
  readonly id: string;
  readonly part: 'set-up' | 'statement' | 'block';
  /** As the scenario has it. */
  readonly text: string;
  /** Zero-based, in the scenario's file or an imported one; null: of the set-up and of blocks. */
  readonly line: number | null;
  /** Executions; of a block those of its statements. */
  readonly times: number;
  readonly totals: Totals;
}

/** A line of a table of counts. */
export interface CountLine extends NamedCount {
  /** Behind the bar: levels of a table, what a name of kvm_stat means. */
  readonly note: string;
}

/** Counts of one kind as they are shown, everywhere alike. */
export interface CountTable {
  /** As `68 exits by reason`. */
  readonly title: string;
  readonly lines: readonly CountLine[];
}

/** A part of a run with its tables. */
export interface PartTables extends Omit<PartTotals, 'totals' | 'part'> {
  readonly part: 'run' | PartTotals['part'];
  readonly exits: number;
  readonly references: number;
  readonly events: number;
  readonly tables: readonly CountTable[];
}

/** {@link TotalsView} as it is drawn: the whole run, then its parts. */
export type TotalsTables = readonly PartTables[];

export interface TotalsView {
  /** The run's name. */
  readonly run: string;
  readonly whole: Totals;
  /** The set-up, then statements in the order of the text, then blocks; those without any event left out. */
  readonly parts: readonly PartTotals[];
}
