/** How a walk ends, and what stands behind a walker whose tables lie in an address space of their own. */

export enum Walk {
  ok = 0,
  /** An entry is not present, or its table lies where there is no memory. */
  notPresent = 1,
  /** A present entry is malformed: reserved bits (ordinary paging), misconfigured (EPT). */
  reserved = 2,
  /** The walk was complete and the rights deny the access. */
  denied = 3,
  /** The stage behind failed: its own fields say how. */
  below = 4,
  /** Page-modification logging has no room for the page that the access would make dirty (§3.6). */
  pmlFull = 5,
  /** A {@link Stage} without tables has no memory at the address; a walker reports it as {@link Walk.notPresent}. */
  absent = 6,
}

/**
 * What stands behind a walker: the addresses that it reads entries at, and that it comes to, are translated once more. A
 * walker is one (EPT behind a guest's tables), a hypervisor's memory slots are another.
 */
export interface Stage {
  /**
   * Translate an address. With `Access.table` the caller is about to read or update a paging-structure entry there and
   * wants {@link hostLo}; without, it is the end of the walk above, and a stage that only finds memory may leave it.
   *
   * @returns {@link Walk}
   */
  translate(lo: number, hi: number, access: number): number;
  /** What reading an entry of the tables above counts as here: ACCESS_READ or ACCESS_WRITE, with `Access.table`. */
  readonly tableAccess: number;
  /** After {@link Walk.ok}: the address in the space that this stage's own tables lie in (without tables: as it came in). */
  readonly outLo: number;
  readonly outHi: number;
  /** Host-physical address after {@link Walk.ok}. */
  readonly hostLo: number;
  readonly hostHi: number;
  /**
   * `Rights` host bits of the way, and `Rights.dirty`. `Rights.hostWrite` says that accessed and dirty flags there can be
   * written.
   */
  readonly hostRights: number;
  /** Entries read from memory so far; a stage without tables has none. */
  references?: number;
}

/** On whose behalf a walker walks. */
export enum Walking {
  /** Looks only: no rows, no flags set. */
  silent = 0,
  /** The processor: a table_read row for each entry, accessed and dirty flags set before the final address is translated. */
  hardware = 1,
  /**
   * A hypervisor that walks its guest's tables: its {@link WalkListener} is told, flags are set after the final address is
   * translated, and silently not where the memory is read-only.
   */
  software = 2,
  /** As silent, for comparing a cached translation with memory: the tables read are noted in `PhysicalMemory.tableEpoch`. */
  verify = 3,
}

/** Who is told of walks by software, what they read and the flags that they set. Addresses are of entries, in the walker's own space. */
export interface WalkListener {
  /** @param errorCode of the access, as the walk begins with it */
  begins(stage: number, lo: number, hi: number, errorCode: number): void;
  reads(stage: number, level: number, entryLo: number, entryHi: number, addressLo: number, addressHi: number): void;
  setsAccessed(level: number, addressLo: number, addressHi: number): void;
  setsDirty(level: number, addressLo: number, addressHi: number): void;
  /** The tables do not allow the access. */
  fails(stage: number, errorCode: number): void;
}
