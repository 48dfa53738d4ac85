/**
 * What KVM did in an episode, as plain values: kinds of deeds, each with what it is called and what tells two of them apart. Addresses are
 * no part of a shape: episodes of one shape at many addresses are folded.
 */
import { errorFlags } from '../../events/decode';
import { hex, joined, plural } from '../../events/wording';
import type { SpteChange } from './spte-change';

/** A software walk of the guest's tables. */
export interface Walk {
  readonly address: bigint;
  /** Of the access that it is for. */
  readonly code: number;
  readonly entries: { readonly level: number; readonly entry: bigint }[];
  /** Error code with which it failed; null: it reached its end. */
  error: number | null;
}

interface Mapping {
  readonly gfn: number;
  readonly level: number;
  /** Host frame, as asked for; null: not said. */
  readonly pfn: number | null;
  /** Null: not said. */
  readonly spte: bigint | null;
}

/** Entries or pages: how many, of which levels, and between which frames. */
export interface Extent {
  count: number;
  /** By level. */
  readonly levels: { [level: number]: number };
  /** First frame, and the one behind the last; null: not said. */
  from: number | null;
  to: number | null;
}

export interface Deeds {
  walks?: Walk[];
  fast?: { readonly result: 'spurious' | 'fixed' | 'refused'; readonly old: bigint; readonly now: bigint };
  /** A page that is not there yet is waited for. */
  waits?: true;
  requested?: { readonly gfn: number; readonly pfn: number; readonly level: number };
  /** Leaves that were set. */
  mapped?: { count: number; readonly first: Mapping; last: Mapping };
  tables?: Extent;
  changes?: { [C in SpteChange]?: Extent };
  split?: Extent;
  zapped?: Extent;
  synced?: Extent;
  unsynced?: Extent;
  unmappedRange?: { count: number; readonly start: bigint; readonly end: bigint };
  zappedAll?: { readonly usedPages: number };
  mmioSpte?: 'made' | 'used' | 'stale';
  mmioCache?: { readonly gpa: bigint; readonly write: boolean };
  mmio?: { count: number; readonly gpa: bigint; readonly write: boolean; readonly length: number; readonly value: bigint };
  fastMmio?: { readonly gpa: bigint };
  pio?: { count: number; readonly port: number; readonly write: boolean };
  emulated?: { count: number; readonly rip: bigint; readonly instruction: string; failed: boolean };
  cr?: { count: number; readonly cr: number; readonly write: boolean; readonly value: bigint };
  msr?: { count: number; readonly msr: number; readonly write: boolean; readonly value: bigint };
  injected?: { readonly vector: string; readonly code: number | null; readonly reinjected: boolean };
  interrupts?: { count: number };
  pmlFull?: true;
  toL1?: { readonly reason: string };
  toL2?: { count: number };
  userspace?: { readonly reason: string; readonly errno: number };
  others?: { [name: string]: number };
}

/** KVM_PFN_NOSLOT: bit 63. */
const NO_SLOT = 2 ** 63;

interface DeedKind<T> {
  /** What tells deeds apart that are not the same but for addresses. */
  readonly shape: (deed: T) => string;
  readonly words: (deed: T, all: Deeds) => string;
}

/** `one`, `some`: numbers that vary from page to page do not make another shape. */
const some = (count: number): string => (count === 1 ? '1' : 'n');

const frames = ({ from, to }: Extent): string => {
  if (from === null || to === null) return '';
  return to - from === 1 ? ` of gfn ${hex(from)}` : ` of gfn ${hex(from)} to ${hex(to - 1)}`;
};

const levelsOf = ({ levels }: Extent): string =>
  Object.entries(levels)
    .map(([level, count]) => `${count} of level ${level}`)
    .join(', ');

const extent = (verb: string, noun: string): DeedKind<Extent> => ({
  shape: ({ count, levels }) => `${some(count)}@${Object.keys(levels).join('')}`,
  words: (given) => {
    const single = Object.keys(given.levels).length === 1 ? Object.keys(given.levels)[0] : null;
    const what = single !== null ? `${plural(given.count, noun)} of level ${single}` : `${plural(given.count, noun)} (${levelsOf(given)})`;
    return `${verb} ${what}${frames(given)}`;
  },
});

const CHANGES: { readonly [C in SpteChange]: DeedKind<Extent> } = {
  mapped: extent('made', 'leaf spte'),
  linked: extent('linked', 'table'),
  unmapped: extent('zapped', 'leaf spte'),
  unlinked: extent('took out', 'table'),
  collapsed: extent('put leaves over', 'table'),
  split: extent('put tables for', 'huge spte'),
  'write-protected': extent('write-protected', 'spte'),
  'made-writable': extent('made writable', 'spte'),
  flags: extent('changed flags of', 'spte'),
  moved: extent('moved', 'spte'),
  marked: extent('marked', 'spte'),
};

const CHANGE_NAMES = Object.keys(CHANGES) as SpteChange[];

const flagsText = (code: number): string => errorFlags(code).join('|') || '0';

const DEEDS: { readonly [K in keyof Deeds]-?: DeedKind<NonNullable<Deeds[K]>> } = {
  walks: {
    shape: (walks) => walks.map(({ error }) => error ?? '').join(','),
    words: (walks) => {
      const denied = walks
        .filter(({ error }) => error !== null)
        .map(({ address, entries, error }) => {
          const level = entries.at(-1)?.level;
          return `${hex(address)} with ${flagsText(error!)}${level === undefined ? '' : ` at level ${level}`}`;
        });
      const walked = `walked the guest's tables for ${hex(walks[0].address)}${walks.length > 1 ? ` and ${plural(walks.length - 1, 'more address', 'more addresses')}` : ''}`;
      return denied.length > 0 ? `${walked}: denied ${denied.join(', ')}` : walked;
    },
  },
  fast: {
    shape: ({ result }) => result,
    words: ({ result, old, now }) =>
      result === 'fixed'
        ? `fixed the spte at once: ${hex(old)} → ${hex(now)}`
        : result === 'spurious'
          ? `found that spte ${hex(now)} allows the access: spurious`
          : 'no fast fix',
  },
  waits: { shape: () => '', words: () => 'has the page brought in' },
  requested: {
    shape: ({ level }) => String(level),
    words: ({ gfn, pfn, level }) =>
      `asked for gfn ${hex(gfn)}${pfn >= NO_SLOT ? ', which no slot has' : ` → pfn ${hex(pfn)}, level ${level}`}`,
  },
  mapped: {
    shape: ({ count, first }) => `${some(count)}@${first.level}`,
    words: ({ count, first, last }) => {
      const one = `set gfn ${hex(first.gfn)}, level ${first.level}${first.spte === null ? '' : `, spte ${hex(first.spte)}`}`;
      return count === 1 ? one : `${one} and ${count - 1} more up to gfn ${hex(last.gfn)}`;
    },
  },
  tables: extent('got', 'shadow page'),
  changes: {
    shape: (changes) =>
      CHANGE_NAMES.filter((name) => changes[name])
        .map((name) => `${name}${CHANGES[name].shape(changes[name]!)}`)
        .join(','),
    words: (changes, all) =>
      CHANGE_NAMES.filter((name) => changes[name] && !(name === 'mapped' && all.mapped) && !(name === 'marked' && all.mmioSpte))
        .map((name) => CHANGES[name].words(changes[name]!, all))
        .join(', '),
  },
  split: extent('split', 'huge page'),
  zapped: extent('zapped', 'shadow page'),
  synced: extent('synchronized', 'shadow page'),
  unsynced: extent('let go out of sync', 'shadow page'),
  unmappedRange: {
    shape: ({ count }) => some(count),
    words: ({ count, start, end }) =>
      `the host unmaps hva ${hex(start)} to ${hex(end)}${count > 1 ? ` and ${plural(count - 1, 'more range')}` : ''}`,
  },
  zappedAll: {
    shape: () => '',
    words: ({ usedPages }) => `made all shadow pages obsolete${usedPages > 0 ? `: ${usedPages} beside those of the TDP MMU` : ''}`,
  },
  mmioSpte: {
    shape: (what) => what,
    words: (what) =>
      what === 'made' ? 'marked the spte as MMIO' : what === 'used' ? 'found the spte marked as MMIO' : 'found an old mark of MMIO',
  },
  mmioCache: { shape: ({ write }) => String(write), words: ({ gpa }) => `knew gpa ${hex(gpa)} as MMIO` },
  mmio: {
    shape: ({ write, length }) => `${write}${length}`,
    words: ({ count, gpa, write, length, value }) =>
      `MMIO ${write ? 'write' : 'read'} of ${length} at gpa ${hex(gpa)}${write ? `, value ${hex(value)}` : ''}${count > 1 ? ` and ${count - 1} more` : ''}`,
  },
  fastMmio: { shape: () => '', words: ({ gpa }) => `signalled the eventfd of gpa ${hex(gpa)}` },
  pio: {
    shape: ({ write, port }) => `${write}${port}`,
    words: ({ port, write, count }) => `port ${hex(port)} ${write ? 'written' : 'read'}${count > 1 ? ` × ${count}` : ''}`,
  },
  emulated: {
    shape: ({ failed, count }) => `${failed}${some(count)}`,
    words: ({ instruction, failed, count }) =>
      joined(`emulated ${instruction || 'an instruction'}${failed ? ', which failed' : ''}`, count > 1 && `${count - 1} more`),
  },
  cr: {
    shape: ({ cr, write }) => `${cr}${write}`,
    words: ({ cr, write, value }) => `CR${cr} ${write ? 'written' : 'read'}: ${hex(value)}`,
  },
  msr: {
    shape: ({ msr, write }) => `${msr}${write}`,
    words: ({ msr, write, value }) => `MSR ${hex(msr)} ${write ? 'written' : 'read'}: ${hex(value)}`,
  },
  injected: {
    shape: ({ vector, code }) => `${vector}${code}`,
    words: ({ vector, code, reinjected }) =>
      `injected ${vector}${code === null ? '' : ` ${vector === '#PF' ? flagsText(code) : hex(code)}`}${reinjected ? ' again' : ''}`,
  },
  interrupts: { shape: () => '', words: ({ count }) => `injected ${plural(count, 'interrupt')}` },
  pmlFull: { shape: () => '', words: () => 'emptied the PML buffer' },
  toL1: { shape: ({ reason }) => reason, words: ({ reason }) => `handed ${reason} to L1` },
  toL2: { shape: () => '', words: () => 'L1 enters L2' },
  userspace: {
    shape: ({ reason, errno }) => `${reason}${errno}`,
    words: ({ reason, errno }) => (errno === 0 ? `returned to the VMM: ${reason}` : `KVM_RUN failed with errno ${errno}`),
  },
  others: {
    shape: (names) => Object.keys(names).sort().join(','),
    words: (names) =>
      Object.entries(names)
        .map(([name, count]) => (count === 1 ? name : `${count} × ${name}`))
        .join(', '),
  },
};

const KINDS = Object.keys(DEEDS) as (keyof Deeds)[];

/** What tells one list of deeds from another, addresses left out. */
export function shapeOf(deeds: Deeds): string {
  let shape = '';
  for (const kind of KINDS) {
    const deed = deeds[kind];
    if (deed !== undefined) shape += `${kind}:${(DEEDS[kind] as DeedKind<unknown>).shape(deed)};`;
  }
  return shape;
}

/** Each deed in words, in the order in which KVM comes to them. */
export function deedWords(deeds: Deeds): string[] {
  return KINDS.flatMap((kind) => {
    const deed = deeds[kind];
    const said = deed === undefined ? '' : (DEEDS[kind] as DeedKind<unknown>).words(deed, deeds);
    return said === '' ? [] : [said];
  });
}
