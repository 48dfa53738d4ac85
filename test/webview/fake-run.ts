/** A run of any length made up by rule, for what the page does with long lists; ways of addresses are those of real runs (live-host.ts). */
import type { RunInfo, StepDetail, StepFilter, StepRow } from '../../server/src/protocol/messages';

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
    older: false,
    ended: 'done',
    passed: index === 2 ? 6 : 7,
    failed: index === 2 ? 1 : 0,
  }));
}

/** @param nested of the run of a nested guest */
export function detail(step: number, nested = false): StepDetail {
  const each = row(step, nested);
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
    statement: null,
    ways: null,
    changes,
  };
}

function hex(value: number): string {
  const digits = value.toString(16);
  return `0x${digits.replace(/\B(?=([0-9a-f]{4})+$)/g, '_')}`;
}
