/** MMIO and emulation. */
import type { Definitions } from '../definition';

export const MMIO_EVENTS = {
  mark_mmio_spte: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    fields: {
      access: 'acc',
      gfn: 'gfn',
      spte: 'spte',
      gen: ['number', 'generation of the memslots, as far as the spte holds it'],
      sptep: 'hpa',
    },
    changes: ['sptes'],
    about: 'an MMIO spte was installed',
  },
  check_mmio_spte: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    fields: { valid: ['flag', 'the generations are equal'], spte: 'spte', kvm_gen: ['number', 'now'], spte_gen: ['number', 'in the spte'] },
    changes: [],
    about: 'an MMIO spte was examined',
  },
  handle_mmio_page_fault: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    fields: { access: 'acc', addr: ['gva', '0 where there is a second stage'], gfn: 'gfn' },
    changes: [],
    about: 'a valid MMIO spte was used',
  },
  kvm_emulate_insn: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: {
      failed: ['flag', 'KVM cannot emulate it'],
      length: ['bytes', 'of the instruction'],
      rip: 'gva',
      bytes: ['word', 'of the instruction, the first in the lowest place'],
    },
    changes: [],
    about: 'KVM emulates an instruction',
  },
  vcpu_match_mmio: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: { write: 'flag', gpa_match: ['flag', 'the guest-physical address matched, not the linear one'], gva: 'gva', gpa: 'gpa' },
    changes: [],
    about: 'the MMIO cache of the vCPU matched',
  },
  kvm_mmio: {
    group: 'mmu',
    tracepoint: 'include/trace/events/kvm.h',
    fields: { type: 'mmio_type', gpa: 'gpa', val: 'word', len: ['number', 'bytes'] },
    changes: [],
    about: 'MMIO access',
  },
} as const satisfies Definitions;
