/** What is offered first: what is usual in a place, then the rest in the order of the reference. */
import type { Category } from '../../language/syntax/keywords';

/** The usual words of a category, the most usual first. */
const USUAL: { readonly [category in Category]?: readonly string[] } = {
  declaration: ['run', 'vm', 'const', 'host', 'block', 'import', 'budget', 'slot', 'tables', 'vcpu'],
  statement: ['expect', 'user', 'read', 'write', 'for', 'invlpg', 'fetch', 'supervisor', 'rmw', 'same', 'check'],
  clause: ['x', 'step', 'under', 'with', 'on', 'size', 'ac'],
  'host-act': ['reclaim', 'create', 'delete', 'flags', 'get', 'write'],
  expectation: [
    'ok',
    'exits',
    '#PF',
    'value',
    'gpa',
    'hpa',
    'events',
    'mmio',
    'error',
    'page',
    'tlb',
    'shadow',
    'tdp',
    'references',
    'dirty',
  ],
  flag: ['rw', 'ro', 'user', 'nx', 'present', 'absent', 'not'],
  bit: ['writable', 'present', 'user', 'accessed', 'dirty', 'wp'],
  reason: ['EPT_VIOLATION', 'npf', '#PF', 'CR_ACCESS'],
  event: ['kvm_exit', 'kvm_entry', 'kvm_page_fault', 'kvm_mmu_set_spte', 'tlb_fill'],
  setting: ['gpa', 'size', 'memory', 'cr3', 'paging', 'mmu', 'hva', 'kvm', 'tlb', 'cpu'],
};

/** Groups of what stands in one list: the lower, the earlier. */
export enum Group {
  value,
  name,
  word,
  /** Names that begin a statement or an expectation, as those of tables. */
  subject,
  register,
  /** What begins the next item where the one before it could go on. */
  next,
  switch,
  snippet,
}

/** Place of a word among those of its category; the unusual are last, in their own order. */
export function usualness(word: string, category: Category): number {
  const at = USUAL[category]?.indexOf(word) ?? -1;
  return at < 0 ? 100 : at;
}

/** Texts that sort as the pairs of numbers do. */
export function sortText(group: Group, rank: number, index: number): string {
  return [group, rank, index].map((each, place) => String(each).padStart(place === 0 ? 1 : 4, '0')).join('');
}
