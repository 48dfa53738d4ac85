/** What a walk asks of what the processor keeps of earlier ones (§2.10, §3.6, §3.10). `find` leaves what it found in the fields. */

/** Entries that lead to tables, by the part of the address that selects them: a walk starts below the lowest one that fits. */
export interface EntryCache {
  /** Tag of what is walked now; 0: nothing is looked up or kept. */
  tag: number;
  /** Level at which the walk starts, and its table. */
  readonly level: number;
  readonly tableLo: number;
  readonly tableHi: number;
  /** The entries above, taken together by AND and by OR. */
  readonly all: number;
  readonly any: number;
  /** The lowest cached entry on the way of an address, in tables of `levels` levels. */
  find(lo: number, hi: number, levels: number): boolean;
  /** Keep the entry of a level, that leads to a table; `all` and `any` include it. */
  add(lo: number, hi: number, level: number, tableLo: number, tableHi: number, all: number, any: number): void;
}

/** Whole translations by a stage, with its rights. */
export interface TranslationCache {
  /** Tag of what is walked now; 0: nothing is looked up or kept. */
  tag: number;
  readonly frameLo: number;
  readonly frameHi: number;
  readonly rights: number;
  readonly level: number;
  /**
   * A mapping that serves the access as it stands.
   *
   * @param permitted permissionTable of the stage's policy
   */
  find(lo: number, hi: number, access: number, permitted: Uint8Array): boolean;
  add(lo: number, hi: number, shift: number, hostLo: number, hostHi: number, rights: number): void;
}

/** Page-modification logging. */
export interface ModificationLog {
  /**
   * Log the page of a guest-physical address.
   *
   * @returns false when the log is full: nothing is logged
   */
  log(lo: number, hi: number): boolean;
}
