/**
 * A second machine, written for the tests alone and deliberately plain: bigints, a map of words, one recursive walk, rules spelled
 * out where the engine has masks and tables. It shares nothing with the engine but the form of its answers.
 */
export type Paging = 'none' | '32-bit' | 'pae' | '4-level' | '5-level';

export interface NaiveState {
  paging: Paging;
  cr3: bigint;
  wp: boolean;
  nxe: boolean;
  smep: boolean;
  smap: boolean;
  pse: boolean;
  pke: boolean;
  pks: boolean;
  pkru: number;
  pkrs: number;
  maxPhyAddr: number;
  page1G: boolean;
  amd: boolean;
  second:
    | null
    | { type: 'ept'; root: bigint; levels: number; ad: boolean; executeOnly: boolean }
    | { type: 'npt'; root: bigint; levels: number; nxe: boolean };
}

export interface NaiveAccess {
  linear: bigint;
  kind: 'read' | 'write' | 'fetch';
  user: boolean;
  implicit: boolean;
  ac: boolean;
}

export type NaiveResult =
  | { outcome: 'ok'; physical: bigint }
  | { outcome: 'pf'; error: number }
  | { outcome: 'gp' }
  | { outcome: 'npf'; info: bigint; gpa: bigint }
  | { outcome: 'ept_violation'; qualification: number; gpa: bigint }
  | { outcome: 'ept_misconfig'; gpa: bigint };

class Exit {
  constructor(readonly result: NaiveResult) {}
}

const has = (value: bigint, bit: number): boolean => ((value >> BigInt(bit)) & 1n) === 1n;
const bits = (value: bigint, low: number, high: number): bigint => (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);

/** Guest-physical addresses that tables of so many levels do not reach. */
const tooWide = (gpa: bigint, levels: number): boolean => gpa >> BigInt(12 + 9 * levels) !== 0n;

export class NaiveMachine {
  /** Physical addresses of the entries that the last access used. */
  path: bigint[] = [];
  references = 0;

  constructor(
    readonly words: Map<bigint, bigint>,
    readonly state: NaiveState,
  ) {}

  access(access: NaiveAccess): NaiveResult {
    this.path = [];
    this.references = 0;
    try {
      return { outcome: 'ok', physical: this.translate(access) };
    } catch (exit) {
      if (exit instanceof Exit) return exit.result;
      throw exit;
    }
  }

  private translate(access: NaiveAccess): bigint {
    const { state } = this;
    if (state.paging === 'none') return this.physical(access.linear, access, 'final');
    const width = state.paging === '5-level' ? 57 : 48;
    if (state.paging === '4-level' || state.paging === '5-level') {
      const upper = access.linear >> BigInt(width - 1);
      if (upper !== 0n && upper !== (1n << BigInt(65 - width)) - 1n) throw new Exit({ outcome: 'gp' });
    }
    const used: { gpa: bigint; at: bigint; value: bigint; level: number }[] = [];
    const size = state.paging === '32-bit' ? 4n : 8n;
    const indexBits = state.paging === '32-bit' ? 10 : 9;
    let level = { '32-bit': 2, pae: 3, '4-level': 4, '5-level': 5 }[state.paging];
    let base =
      state.paging === '32-bit'
        ? bits(state.cr3, 12, 31) << 12n
        : state.paging === 'pae'
          ? bits(state.cr3, 5, 31) << 5n
          : bits(state.cr3, 12, 51) << 12n;
    for (;;) {
      const shift = 12 + indexBits * (level - 1);
      const pdpte = state.paging === 'pae' && level === 3;
      const gpa = base + size * bits(access.linear, shift, pdpte ? 31 : shift + indexBits - 1);
      const inRegister = pdpte && !(state.amd && state.second !== null);
      const at = inRegister ? this.quiet(gpa) : this.physical(gpa, access, 'table');
      const value = this.entry(at, size);
      if (!inRegister) this.references++;
      if (!pdpte) this.path.push(at & ~7n);
      if (!has(value, 0)) throw this.pageFault(access, 0);
      const leaf = level === 1 || (has(value, 7) && !pdpte && this.mayBeLarge(level));
      if (this.reserved(value, level, leaf, pdpte)) throw this.pageFault(access, 9);
      if (!pdpte) used.push({ gpa, at, value, level });
      if (!leaf) {
        base = state.paging === '32-bit' ? bits(value, 12, 31) << 12n : bits(value, 12, 51) << 12n;
        level--;
        continue;
      }
      this.checkRights(
        access,
        used.map((entry) => entry.value),
        value,
      );
      this.setFlags(access, used, size);
      const offset = access.linear & ((1n << BigInt(shift)) - 1n);
      let frame = bits(value, shift, state.paging === '32-bit' ? 31 : 51) << BigInt(shift);
      if (state.paging === '32-bit' && level === 2) frame |= bits(value, 13, 20) << 32n;
      return this.physical(frame | offset, access, 'final');
    }
  }

  private mayBeLarge(level: number): boolean {
    const { paging, pse, page1G } = this.state;
    if (paging === '32-bit') return level === 2 && pse;
    return level === 2 || (level === 3 && page1G);
  }

  private reserved(value: bigint, level: number, leaf: boolean, pdpte: boolean): boolean {
    const { paging, maxPhyAddr: m, nxe, amd } = this.state;
    if (paging === '32-bit') return leaf && level === 2 && (has(value, 21) || bits(value, 13, 20) >> BigInt(Math.min(m, 40) - 32) !== 0n);
    if (pdpte) return bits(value, m, 63) !== 0n || bits(value, 5, 8) !== 0n || bits(value, 1, 2) !== 0n;
    if (has(value, 63) && !nxe) return true;
    if (bits(value, m, 51) !== 0n) return true;
    if (paging === 'pae' && bits(value, 52, 62) !== 0n) return true;
    if (level >= 4) return has(value, 7) || (amd && has(value, 8));
    if (!leaf) return has(value, 7);
    return level > 1 && bits(value, 13, 12 + 9 * (level - 1) - 1) !== 0n;
  }

  /** SDM vol. 3, "Determination of access rights", case by case. */
  private checkRights(access: NaiveAccess, entries: bigint[], leaf: bigint): void {
    const { state } = this;
    const userPage = entries.every((entry) => has(entry, 2));
    const writable = entries.every((entry) => has(entry, 1));
    const executable = state.paging === '32-bit' || !state.nxe || !entries.some((entry) => has(entry, 63));
    const user = access.user && !access.implicit;
    let allowed: boolean;
    if (user) allowed = userPage && (access.kind === 'read' || (access.kind === 'write' ? writable : executable));
    else if (access.kind === 'fetch') allowed = executable && !(userPage && state.smep);
    else {
      const smapDenies = userPage && state.smap && (access.implicit || !access.ac);
      allowed = !smapDenies && (access.kind === 'read' || writable || !state.wp);
    }
    let keyDenies = false;
    const long = state.paging === '4-level' || state.paging === '5-level';
    if (long && access.kind !== 'fetch' && (userPage ? state.pke : state.pks)) {
      const pair = ((userPage ? state.pkru : state.pkrs) >>> (2 * Number(bits(leaf, 59, 62)))) & 3;
      const writeCounts = access.kind === 'write' && ((user && userPage) || state.wp);
      keyDenies = (pair & 1) !== 0 || ((pair & 2) !== 0 && writeCounts);
    }
    if (!allowed || keyDenies) throw this.pageFault(access, keyDenies ? 0x21 : 1);
  }

  private pageFault(access: NaiveAccess, base: number): Exit {
    const { state } = this;
    let error = base;
    if (access.kind === 'write') error |= 2;
    if (access.user && !access.implicit) error |= 4;
    if (access.kind === 'fetch' && (state.smep || (state.nxe && state.paging !== '32-bit'))) error |= 0x10;
    return new Exit({ outcome: 'pf', error });
  }

  private setFlags(access: NaiveAccess, used: { gpa: bigint; at: bigint; value: bigint; level: number }[], size: bigint): void {
    const leaf = used[used.length - 1];
    const wanted = (entry: (typeof used)[number]): bigint => entry.value | 0x20n | (entry === leaf && access.kind === 'write' ? 0x40n : 0n);
    const { second } = this.state;
    if (second?.type === 'ept' && !second.ad) {
      // A write to where the entry was read from: nothing is walked anew, but the right to write is asked for.
      const { references } = this;
      try {
        for (const entry of used) if (wanted(entry) !== entry.value) this.physical(entry.gpa, access, 'flag');
      } finally {
        this.references = references;
      }
    }
    for (const entry of used) this.change(entry.at, size, wanted(entry) & ~entry.value);
  }

  /** PDPTEs stand in registers: what they were loaded from, without a trace. */
  private quiet(gpa: bigint): bigint {
    const { references, path } = this;
    const words = new Map(this.words);
    const inner = new NaiveMachine(words, {
      ...this.state,
      second: this.state.second?.type === 'ept' ? { ...this.state.second, ad: false } : this.state.second,
    });
    const at = inner.physical(gpa, { linear: 0n, kind: 'read', user: false, implicit: false, ac: false }, 'final');
    this.references = references;
    this.path = path;
    return at;
  }

  /** Second stage of a guest-physical address. */
  physical(gpa: bigint, access: NaiveAccess, why: 'table' | 'flag' | 'final'): bigint {
    const { second } = this.state;
    if (second === null) return gpa;
    const write =
      second.type === 'npt'
        ? why !== 'final' || access.kind === 'write'
        : why === 'flag' || (why === 'table' ? second.ad : access.kind === 'write');
    const fetch = why === 'final' && access.kind === 'fetch';
    return second.type === 'ept' ? this.ept(gpa, write, fetch, why) : this.npt(gpa, write, fetch, why);
  }

  private ept(gpa: bigint, write: boolean, fetch: boolean, why: string): bigint {
    const second = this.state.second!;
    if (second.type !== 'ept') throw new Error('not EPT');
    const used: { at: bigint; value: bigint }[] = [];
    const violation = (rights: number): Exit => {
      let qualification = fetch ? 4 : write ? 2 : 1;
      if (write && why !== 'final') qualification |= 1;
      qualification |= (rights << 3) | 0x80 | (why === 'final' ? 0x100 : 0);
      return new Exit({ outcome: 'ept_violation', qualification, gpa });
    };
    if (tooWide(gpa, second.levels)) throw violation(0);
    let base = second.root;
    for (let level = second.levels; ; level--) {
      const shift = 12 + 9 * (level - 1);
      const at = base + 8n * bits(gpa, shift, shift + 8);
      const value = this.entry(at, 8n);
      this.references++;
      this.path.push(at);
      if (bits(value, 0, 2) === 0n) throw violation(0);
      const leaf = level === 1 || (has(value, 7) && (level === 2 || (level === 3 && this.state.page1G)));
      if (this.misconfigured(value, level, leaf, second.executeOnly)) throw new Exit({ outcome: 'ept_misconfig', gpa });
      used.push({ at, value });
      if (!leaf) {
        base = bits(value, 12, 51) << 12n;
        continue;
      }
      const rights = used.reduce((all, entry) => all & Number(bits(entry.value, 0, 2)), 7);
      if ((rights & (fetch ? 4 : write ? 2 : 1)) === 0) throw violation(rights);
      if (second.ad) {
        for (const entry of used) this.change(entry.at, 8n, (entry.value | 0x100n) & ~entry.value);
        if (write) this.change(at, 8n, (value | 0x200n) & ~value);
      }
      return (bits(value, shift, 51) << BigInt(shift)) | (gpa & ((1n << BigInt(shift)) - 1n));
    }
  }

  private misconfigured(value: bigint, level: number, leaf: boolean, executeOnly: boolean): boolean {
    const rights = bits(value, 0, 2);
    if (rights === 2n || rights === 6n || (rights === 4n && !executeOnly)) return true;
    if (bits(value, this.state.maxPhyAddr, 51) !== 0n) return true;
    if (leaf) {
      const type = bits(value, 3, 5);
      return type === 2n || type === 3n || type === 7n || (level > 1 && bits(value, 12, 12 + 9 * (level - 1) - 1) !== 0n);
    }
    return bits(value, 3, 6) !== 0n || has(value, 7);
  }

  private npt(gpa: bigint, write: boolean, fetch: boolean, why: string): bigint {
    const second = this.state.second!;
    if (second.type !== 'npt') throw new Error('not NPT');
    const { maxPhyAddr: m, page1G } = this.state;
    const fault = (low: number): Exit => {
      const info = low | (write ? 2 : 0) | 4 | (fetch && second.nxe ? 0x10 : 0);
      return new Exit({ outcome: 'npf', info: BigInt(info) | ((why === 'final' ? 1n : 2n) << 32n), gpa });
    };
    if (tooWide(gpa, second.levels)) throw fault(0);
    const used: { at: bigint; value: bigint }[] = [];
    let base = second.root;
    for (let level = second.levels; ; level--) {
      const shift = 12 + 9 * (level - 1);
      const at = base + 8n * bits(gpa, shift, shift + 8);
      const value = this.entry(at, 8n);
      this.references++;
      this.path.push(at);
      if (!has(value, 0)) throw fault(0);
      const leaf = level === 1 || (has(value, 7) && (level === 2 || (level === 3 && page1G)));
      const wrong =
        bits(value, m, 51) !== 0n ||
        (has(value, 63) && !second.nxe) ||
        (level >= 4 && (has(value, 7) || has(value, 8))) ||
        (level < 4 && !leaf && has(value, 7)) ||
        (leaf && level > 1 && bits(value, 13, 12 + 9 * (level - 1) - 1) !== 0n);
      if (wrong) throw fault(9);
      used.push({ at, value });
      if (!leaf) {
        base = bits(value, 12, 51) << 12n;
        continue;
      }
      const denied =
        !used.every((entry) => has(entry.value, 2)) ||
        (write && !used.every((entry) => has(entry.value, 1))) ||
        (fetch && used.some((entry) => has(entry.value, 63)));
      if (denied) throw fault(1);
      for (const entry of used) this.change(entry.at, 8n, (entry.value | 0x20n) & ~entry.value);
      if (write) this.change(at, 8n, (value | 0x40n) & ~value);
      return (bits(value, shift, 51) << BigInt(shift)) | (gpa & ((1n << BigInt(shift)) - 1n));
    }
  }

  private entry(at: bigint, size: bigint): bigint {
    const word = this.words.get(at & ~7n) ?? 0n;
    return size === 8n ? word : has(at, 2) ? word >> 32n : word & 0xffffffffn;
  }

  private change(at: bigint, size: bigint, set: bigint): void {
    const word = this.words.get(at & ~7n) ?? 0n;
    this.words.set(at & ~7n, word | (size === 4n && has(at, 2) ? set << 32n : set));
  }
}
