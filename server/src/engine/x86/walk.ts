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
  /** Host-physical address after {@link Walk.ok}. */
  readonly hostLo: number;
  readonly hostHi: number;
  /** `Rights` host bits of the way; `Rights.hostWrite` says that accessed and dirty flags there can be written. */
  readonly hostRights: number;
}
