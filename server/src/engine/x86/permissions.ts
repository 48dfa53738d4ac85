/**
 * Who may do what: the one permission rule of first and second stage (§2.6, §3.3; SDM vol. 3 "Determination of access
 * rights", "Protection keys", "EPT violations"), on small integers so that a table of it serves every access.
 */
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE } from '../journal/events';

/**
 * Further bits of an access, besides ACCESS_* of journal/events.ts: EFLAGS.AC as it counts for it, and what a second stage
 * is asked for.
 */
export enum Access {
  /** EFLAGS.AC is 1. */
  ac = 1 << 4,
  /** To a paging-structure entry of the stage above. */
  table = 1 << 5,
  /** The physical address is not the translation of a linear one (PDPTE load by MOV CR). */
  noLinear = 1 << 6,
}
/** The bits that {@link permits} looks at. */
export const ACCESS_RIGHTS_MASK = 31;

/** Rights of a translation, all entries used taken together. The first three are the guest's stage, then the second. */
export enum Rights {
  /** R/W is 1 in all entries. */
  write = 1 << 0,
  /** U/S is 1 in all entries. */
  user = 1 << 1,
  /** XD is 1 in some entry. */
  noExecute = 1 << 2,
  hostRead = 1 << 3,
  hostWrite = 1 << 4,
  hostExecute = 1 << 5,
  /** The dirty flag is set already, so that a write needs no visit to the entry. Not a right; part of what is cached. */
  dirty = 1 << 6,
}
export const HOST_ALL = Rights.hostRead | Rights.hostWrite | Rights.hostExecute;
/** What a stage that knows no first-stage rights (EPT) puts in their place: nothing denied. */
export const GUEST_ALL = Rights.write | Rights.user;
const RIGHTS_BITS = 7;

/** Register bits that the rule depends on. */
export enum Policy {
  /** CR0.WP */
  writeProtect = 1 << 0,
  smep = 1 << 1,
  smap = 1 << 2,
  /** EFER.NXE, under PAE, 4-level and 5-level paging. */
  nxe = 1 << 3,
}
const POLICIES = 16;

/**
 * May this access be made through entries with these rights? Protection keys come on top: {@link keyDenies}.
 * `Rights.dirty` does not matter.
 */
export function permits(policy: number, rights: number, access: number): boolean {
  const what = access & ACCESS_WHAT;
  const hostNeed = what === ACCESS_WRITE ? Rights.hostWrite : what === ACCESS_FETCH ? Rights.hostExecute : Rights.hostRead;
  if ((rights & hostNeed) === 0) return false;

  const writable = (rights & Rights.write) !== 0;
  const userPage = (rights & Rights.user) !== 0;
  const executable = (rights & Rights.noExecute) === 0 || (policy & Policy.nxe) === 0;
  const implicit = (access & ACCESS_IMPLICIT) !== 0;
  if ((access & ACCESS_USER) !== 0 && !implicit) {
    if (!userPage) return false;
    return what === ACCESS_READ || (what === ACCESS_WRITE ? writable : executable);
  }
  if (what === ACCESS_FETCH) return executable && !(userPage && (policy & Policy.smep) !== 0);
  if (userPage && (policy & Policy.smap) !== 0 && (implicit || (access & Access.ac) === 0)) return false;
  return what === ACCESS_READ || writable || (policy & Policy.writeProtect) === 0;
}

const tables: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(POLICIES).fill(undefined);

/**
 * {@link permits} of one policy as a table: byte [(access & 31) << 7 | rights] is 1 when the access may go on *without
 * visiting the tables*, so a write wants `Rights.dirty` too.
 */
export function permissionTable(policy: number): Uint8Array {
  return (tables[policy] ??= makeTable(policy));
}

function makeTable(policy: number): Uint8Array {
  const table = new Uint8Array(32 << RIGHTS_BITS);
  for (let access = 0; access < 32; access++) {
    for (let rights = 0; rights < 1 << RIGHTS_BITS; rights++) {
      const clean = (access & ACCESS_WHAT) === ACCESS_WRITE && (rights & Rights.dirty) === 0;
      if (!clean && (access & ACCESS_WHAT) !== 3 && permits(policy, rights, access)) table[(access << RIGHTS_BITS) | rights] = 1;
    }
  }
  return table;
}

const masks: (Int32Array | undefined)[] = new Array<Int32Array | undefined>(POLICIES).fill(undefined);

/** {@link permissionTable} by rights: bit n of word [rights] is its byte for access n. */
export function accessMasks(policy: number): Int32Array {
  return (masks[policy] ??= makeMasks(permissionTable(policy)));
}

function makeMasks(table: Uint8Array): Int32Array {
  const made = new Int32Array(1 << RIGHTS_BITS);
  for (let access = 0; access < 32; access++) {
    for (let rights = 0; rights < made.length; rights++) made[rights] |= table[(access << RIGHTS_BITS) | rights] << access;
  }
  return made;
}

/** Which protection keys are in force. */
export enum Keys {
  /** CR4.PKE: user pages, by PKRU. */
  user = 1 << 0,
  /** CR4.PKS: supervisor pages, by IA32_PKRS. */
  supervisor = 1 << 1,
}

/**
 * Do protection keys deny this data access to a page with this key? (§2.6; SDM vol. 3 "Protection keys": by the page's
 * mode PKRU or IA32_PKRS; WD counts for user accesses and, with CR0.WP, for supervisor ones.)
 *
 * @param keys {@link Keys} in force
 * @param key bits 62:59 of the leaf
 */
export function keyDenies(keys: number, pkru: number, pkrs: number, policy: number, rights: number, key: number, access: number): boolean {
  const what = access & ACCESS_WHAT;
  if (what === ACCESS_FETCH) return false;
  const userPage = (rights & Rights.user) !== 0;
  if ((keys & (userPage ? Keys.user : Keys.supervisor)) === 0) return false;
  const denied = ((userPage ? pkru : pkrs) >>> (key * 2)) & 3;
  if ((denied & 1) !== 0) return true;
  const user = (access & ACCESS_USER) !== 0 && (access & ACCESS_IMPLICIT) === 0;
  return (denied & 2) !== 0 && what === ACCESS_WRITE && ((user && userPage) || (policy & Policy.writeProtect) !== 0);
}
