/** A run of any length made up by rule: what the page is shown in its tests, where no engine is. */
import type { EntryBit, RunInfo, StepDetail, StepFilter, StepRow, TranslationView, WalkHop } from '../../server/src/protocol/messages';

const NESTED: readonly Pick<StepRow, 'actor' | 'event' | 'text' | 'kind'>[] = [
  { actor: 'user', event: 'statement', text: 'inner: user read 0x40_0123', kind: 'statement' },
  { actor: 'L2', event: 'access', text: 'user read 0x40_0123', kind: 'other' },
  { actor: 'processor', event: 'ept_violation', text: 'gpa 0x2000, read of a guest table', kind: 'fault' },
  { actor: 'L0', event: 'kvm_exit', text: 'EPT_VIOLATION', kind: 'exit' },
  { actor: 'L0', event: 'kvm_nested_vmexit_inject', text: 'EPT_VIOLATION handed to L1', kind: 'exit' },
  { actor: 'L1', event: 'kvm_exit', text: 'EPT_VIOLATION', kind: 'exit' },
  { actor: 'L1', event: 'kvm_mmu_set_spte', text: 'gfn 0x2', kind: 'mmu' },
  { actor: 'L1', event: 'vmresume', text: '', kind: 'entry' },
  { actor: 'L0', event: 'kvm_nested_vmenter', text: '', kind: 'entry' },
  { actor: 'L2', event: 'value', text: 'read 0x0 at hpa 0x61_0123', kind: 'other' },
];

const PATTERN: readonly Pick<StepRow, 'actor' | 'event' | 'text' | 'kind'>[] = [
  { actor: 'user', event: 'statement', text: 'user read 0x40_0123', kind: 'statement' },
  { actor: 'processor', event: 'access', text: 'user read 0x40_0123', kind: 'other' },
  { actor: 'processor', event: 'table_read', text: 'guest PML4 entry at 0x1000 = 0x2027', kind: 'table' },
  { actor: 'processor', event: 'table_read', text: 'second stage PML4 entry at 0x10_1000 = 0x10_2107', kind: 'table' },
  { actor: 'processor', event: 'ept_violation', text: 'gpa 0x2000, read of a guest table', kind: 'fault' },
  { actor: 'L0', event: 'kvm_exit', text: 'EPT_VIOLATION, info1 0x81', kind: 'exit' },
  { actor: 'L0', event: 'kvm_page_fault', text: 'address 0x2000, error_code 0x81', kind: 'fault' },
  { actor: 'L0', event: 'kvm_tdp_mmu_spte_changed', text: 'gfn 0x2, old_spte 0x0, new_spte 0x86_0000_0010_3b77', kind: 'mmu' },
  { actor: 'L0', event: 'kvm_entry', text: '', kind: 'entry' },
  { actor: 'processor', event: 'tlb_fill', text: '0x40_0123 → hpa 0x61_0123', kind: 'other' },
];

/** @param nested of the run of a nested guest */
export function row(step: number, nested = false): StepRow {
  const at = step % PATTERN.length;
  const address = 0x40_0000 + (step % 0x10_0000) * 8;
  return {
    ...(nested ? NESTED : PATTERN)[at],
    step,
    address: at === 0 ? null : hex(address),
    line: 26 + (Math.floor(step / PATTERN.length) % 12),
  };
}

export function passes(each: StepRow, filter: StepFilter | null): boolean {
  if (!filter) return true;
  if (filter.actors?.length && !filter.actors.includes(each.actor)) return false;
  if (filter.kinds?.length && !filter.kinds.includes(each.kind)) return false;
  return !filter.text || `${each.event} ${each.text} ${each.address}`.toLowerCase().includes(filter.text.toLowerCase());
}

export function runs(steps: number): RunInfo[] {
  const kinds = ['soft', 'ept', 'npt', 'nested'];
  return kinds.map((kind, index) => ({
    runId: `run-${kind}`,
    uri: 'file:///first-touch.mmu',
    version: 1,
    name: `guest under ${kind}`,
    index,
    steps: index === 1 ? steps : 40,
    actors: kind === 'nested' ? ['processor', 'L0', 'L1', 'L2', 'user'] : ['processor', 'L0', 'user'],
    until: null,
    ended: 'done',
    passed: index === 2 ? 6 : 7,
    failed: index === 2 ? 1 : 0,
  }));
}

const BITS: readonly [string, string][] = [
  ['P', 'present'],
  ['R/W', 'writes allowed'],
  ['U/S', 'user accesses allowed'],
  ['A', 'accessed'],
  ['D', 'dirty'],
  ['XD', 'instruction fetches denied'],
];

function bits(value: number, denies?: string): EntryBit[] {
  const masks = [1, 2, 4, 32, 64, 0];
  return BITS.map(([name, about], i) => ({ name, about, set: (value & masks[i]) !== 0, denies: name === denies }));
}

function second(base: number, gpa: number): WalkHop[] {
  return [4, 3, 2, 1].map((level) => {
    const value = base + (4 - level) * 0x1000 + (level === 1 ? 0xb77 : 0x907);
    const rights: EntryBit[] = ['R', 'W', 'X', 'A'].map((name) => ({ name, set: true, about: `${name} of the second stage` }));
    const label = `EPT${level}`;
    return {
      stage: 'ept',
      table: null,
      label,
      level,
      index: (gpa >> 12) & 511,
      at: hex(base + level * 0x1000),
      atSpace: 'hpa',
      value: hex(value),
      bits: rights,
      to: hex(value & ~0xfff),
      note: null,
      via: [],
    };
  });
}

/** @param write the leaf denies it, and the way ends there */
export function translation(stage: 'hard' | 'soft', write = false): TranslationView {
  const names = ['PML4', 'PDPT', 'PD', 'PT'];
  const guest = names.map((label, i): WalkHop => {
    const at = 0x1000 * (i + 1) + (i === 2 ? 0x10 : 0);
    const leaf = i === 3;
    const value = leaf ? (write ? 0x20_0025 : 0x20_0027) : 0x1000 * (i + 2) + 0x27;
    return {
      stage: 'guest',
      table: null,
      label,
      level: 4 - i,
      index: i === 2 ? 2 : 0,
      at: hex(at),
      atSpace: 'gpa',
      value: hex(value),
      bits: bits(value, leaf && write ? 'R/W' : undefined),
      to: leaf ? (write ? null : hex(0x20_0123)) : hex(value & ~0xfff),
      note: leaf && write ? 'the page is not writable' : null,
      via: stage === 'hard' ? second(0x10_1000, at) : [],
    };
  });
  const slot: WalkHop = {
    stage: 'slot',
    table: null,
    label: 'slot 0',
    level: null,
    index: null,
    at: null,
    atSpace: null,
    value: null,
    bits: null,
    to: '0x7f00_0020_0123',
    note: '16M at gpa 0',
    via: [],
  };
  const host: WalkHop = { ...slot, stage: 'host', label: "host's page", to: '0x61_0123', note: '4K, present' };
  const shadow = names.map((label, i): WalkHop => ({
    ...guest[i],
    stage: 'shadow',
    label,
    at: hex(0x30_0000 + i * 0x1000),
    atSpace: 'hpa',
    to: i === 3 ? '0x61_0123' : hex(0x30_1000 + i * 0x1000),
    via: [],
  }));
  const stations = [
    { space: 'GVA', address: '0x40_0123' },
    { space: 'GPA', address: '0x20_0123' },
    { space: 'HVA', address: '0x7f00_0020_0123' },
    { space: 'HPA', address: '0x61_0123' },
  ];
  if (write)
    return {
      address: '0x40_0123',
      space: 'gva',
      hops: guest,
      stations: stations.slice(0, 1),
      outcome: '#PF P·W·U',
      cached: null,
    } as TranslationView;
  const hops = stage === 'hard' ? [...guest, ...second(0x10_1000, 0x20_0123), slot, host] : [...guest, slot, host, ...shadow];
  return { address: '0x40_0123', space: 'gva', hops, stations, outcome: '→ hpa 0x61_0123', cached: null } as TranslationView;
}

/** L2 under EPT on EPT: every table of every stage on the way. */
export function nestedTranslation(): TranslationView {
  const ept = (prefix: string, levels: number[]): WalkHop[] =>
    second(0x10_1000, 0x5000)
      .slice(-levels.length)
      .map((hop, i) => ({ ...hop, label: `${prefix}${levels[i]}` }));
  const l1 = (gpa: number): WalkHop[] =>
    second(0x8_1000, gpa).map((hop, i) => ({
      ...hop,
      stage: 'l1',
      label: `EPT12 ${4 - i}`,
      atSpace: 'gpa',
      via: i < 2 ? ept('EPT01 ', [4, 3, 2, 1]) : [],
    }));
  const { hops, stations } = translation('hard');
  const guest = hops.filter(({ stage }) => stage === 'guest').map((hop, i) => ({ ...hop, via: l1(0x1000 * i) }));
  const rest = hops.filter(({ stage }) => stage !== 'guest');
  return {
    address: '0x40_0123',
    space: 'ngva',
    hops: [...guest, ...l1(0x20_0123), { ...rest.at(-2)!, label: "slot 0 of L1's VM", to: '0x3_0123' }, ...rest],
    stations: [
      { space: 'NGVA', address: '0x40_0123' },
      { space: 'NGPA', address: '0x20_0123' },
      { space: 'GPA', address: '0x3_0123' },
      ...stations.slice(2),
    ],
    outcome: '→ hpa 0x61_0123',
    cached: 'stale: the TLB has hpa 0x60_0123 for it',
  };
}

export function detail(step: number, kind: 'hard' | 'soft' | 'nested'): StepDetail {
  const each = row(step, kind === 'nested');
  const changes =
    each.kind === 'mmu'
      ? [
          { space: 'memory', what: 'EPT1 entry of gpa 0x2000 at hpa 0x10_4010', from: '0x0', to: '0x86_0000_0010_3b77', note: 'created' },
          { space: 'memory', what: 'guest PT entry at gpa 0x4000', from: '0x20_0007', to: '0x20_0067', note: 'A, D set' },
        ]
      : [];
  return {
    row: each,
    range: null,
    fields: [
      { name: 'address', value: each.address ?? '' },
      { name: 'error_code', value: '0x81' },
    ],
    about: 'The processor reads a paging-structure entry.',
    translation: each.kind === 'statement' ? null : kind === 'nested' ? nestedTranslation() : translation(kind, each.kind === 'fault'),
    changes,
  };
}

function hex(value: number): string {
  const digits = value.toString(16);
  return `0x${digits.replace(/\B(?=([0-9a-f]{4})+$)/g, '_')}`;
}
