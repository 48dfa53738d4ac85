/**
 * Events by the names of their fields, as `trace-cmd report -R` prints all and `trace-cmd report` those whose format it cannot parse:
 * `[FAILED TO PARSE] gfn=0x400 role=…` (libtraceevent: tep_print_fields).
 */
import type { Values } from './text';

/** Fields of the tracepoints that are called otherwise here. */
const RENAMED: { readonly [field: string]: string } = {
  vcpu_id: 'vcpu',
  exit_reason: 'reason',
  exit_code: 'reason',
  guest_rip: 'rip',
  exit_info1: 'info1',
  exit_info2: 'info2',
  exit_int_info: 'intr_info',
  exit_int_info_err: 'error_code',
  fault_address: 'address',
  mmu_used_pages: 'used_pages',
};

/** The same of one event. */
const RENAMED_IN: { readonly [event: string]: { readonly [field: string]: string } } = {
  fast_page_fault: { cr2_or_gpa: 'address', gva: 'address', old_spte: 'old', new_spte: 'new' },
  kvm_mmu_set_spte: { sptep: 'at' },
  kvm_inj_exception: { exception: 'vector' },
  kvm_cr: { rw: 'write', val: 'value' },
  kvm_msr: { ecx: 'msr', data: 'value' },
  kvm_mmu_zap_all_fast: { mmu_valid_gen: 'valid_gen' },
};

const FAILED = '[FAILED TO PARSE]';
const FIELD = /(\w+)=(ARRAY\[[^\]]*\]|\S+)/g;

/** Numbers by the names of our fields; null: it is no such list. What is no number is left out. */
export function readFieldList(event: string, said: string): Values | null {
  const list = said.startsWith(FAILED) ? said.slice(FAILED.length) : said;
  if (!/^\s*\w+=/.test(list)) return null;
  const values: { [name: string]: bigint } = {};
  for (const [, field, value] of list.matchAll(FIELD)) {
    if (!/^(?:0x[0-9a-f]+|-?\d+)$/.test(value)) continue;
    values[RENAMED_IN[event]?.[field] ?? RENAMED[field] ?? field] = BigInt(value);
  }
  return values;
}
