/** The processor: accesses, walks, cached translations, what it reports. */
import type { Definitions } from '../definition';

export const PROCESSOR_EVENTS = {
  access: {
    group: 'other',
    fields: { access: 'access', address: 'gva', size: ['count', 'bytes'] },
    changes: [],
    about: 'a guest access begins',
  },
  physical_access: {
    group: 'other',
    fields: { access: 'access', gpa: 'gpa', size: ['count', 'bytes'] },
    changes: ['tlbTag'],
    about: 'a guest access begins to memory that the guest knows by guest-physical address, as if by a mapping of its own',
  },
  register_load: {
    group: 'other',
    fields: { register: 'register', value: 'word' },
    changes: ['register', 'tlbTag'],
    about: 'the guest loads a register, and nothing intercepts it',
  },
  table_read: {
    group: 'table',
    level: 'of the entry',
    fields: { stage: 'stage', address: ['gpa', "of the entry: host-physical but for a guest's own tables"], entry: 'entry' },
    changes: ['tlb'],
    about: 'the processor read a paging-structure entry',
  },
  table_write: {
    group: 'table',
    level: 'of the entry',
    fields: {
      stage: 'stage',
      address: ['gpa', "of the entry: host-physical but for a guest's own tables"],
      entry: ['entry', 'as it is then'],
    },
    changes: ['memory', 'sptes', 'tlb'],
    about: 'the processor set accessed and dirty flags in a paging-structure entry',
  },
  translated: {
    group: 'other',
    fields: { address: 'gva', hpa: 'hpa' },
    changes: [],
    about: 'the access reached host-physical memory',
  },
  value: {
    group: 'other',
    fields: { access: 'access', hpa: 'hpa', value: 'word' },
    changes: ['memory'],
    about: 'data read or written',
  },
  guest_fault: {
    group: 'fault',
    fields: { vector: 'vector', address: ['gva', 'CR2'], error: 'pferr' },
    changes: ['register'],
    about: 'a fault is delivered to the guest',
  },
  tlb_hit: {
    group: 'other',
    level: 'of the entry, in a paging-structure cache',
    fields: {
      structure: 'structure',
      tag: 'tlb_tag',
      address: 'gva',
      hpa: ['hpa', 'of the page, or of the table that a structure cache names'],
    },
    changes: ['tlb'],
    about: 'a cached translation was used',
  },
  tlb_fill: {
    group: 'other',
    level: '1, 2, 3: of a page of 4K, 2M, 1G',
    fields: { structure: 'structure', address: 'gva', hpa: 'hpa' },
    changes: ['tlb'],
    about: 'a translation was cached',
  },
  tlb_flush: {
    group: 'other',
    fields: { scope: 'flush_scope', address: 'gva', tag: ['count', 'PCID, VPID, ASID or frame of a root, by the scope'] },
    changes: ['tlb', 'tlbTag'],
    about: 'cached translations were invalidated',
  },
  ept_violation: {
    group: 'fault',
    level: 'of the entry that denies',
    fields: { gpa: 'gpa', qualification: 'qualification' },
    changes: [],
    about: 'EPT denies the access',
  },
  ept_misconfig: {
    group: 'fault',
    level: 'of the entry',
    fields: { gpa: 'gpa', entry: 'entry' },
    changes: [],
    about: 'a malformed EPT entry was met',
  },
  nested_page_fault: {
    group: 'fault',
    level: 'of the entry that denies',
    fields: { gpa: 'gpa', exitinfo1: 'exitinfo1' },
    changes: [],
    about: 'the nested tables deny the access',
  },
  pml_log: {
    group: 'other',
    fields: { gpa: 'gpa', index: ['number', 'in the buffer'] },
    changes: ['memory', 'register'],
    about: 'the processor logged a page in the PML buffer',
  },
  stale: {
    group: 'other',
    level: 'of the entry',
    fields: { address: 'gva', entry: ['entry', 'in memory now'] },
    changes: [],
    about: 'the translation used differs from the entry in memory',
  },
} as const satisfies Definitions;
