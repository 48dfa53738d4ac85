/** Events of KVM as deeds of the episode that they are in. */
import { MmioType, RetPf } from '../../engine/journal/enumerations';
import { levelOf } from '../../engine/mmu/pages/role';
import { exceptionName, userExitName } from '../../events/kernel-text/holes';
import { detached } from '../read-counts';
import { numberIn, wordIn, type TraceEvent } from '../trace-event';
import type { Deeds, Extent } from './deeds';
import { reasonOf } from './exit';
import { spteChange } from './spte-change';

type Take = (deeds: Deeds, event: TraceEvent) => void;

/** Walks and entries that are kept of an episode: what an emulated instruction needs is less. */
const MOST_WALKS = 8;
const MOST_ENTRIES = 5;

const number = (event: TraceEvent, name: string): number => numberIn(event, name) ?? 0;
const word = (event: TraceEvent, name: string): bigint => wordIn(event, name) ?? 0n;
const isSet = (event: TraceEvent, name: string): boolean => number(event, name) !== 0;

/** Frames that a page of a level spans. */
const span = (level: number): number => 512 ** (Math.max(level, 1) - 1);

function extended(extent: Extent | undefined, level: number, gfn: number | null, frames = 1): Extent {
  const all = extent ?? { count: 0, levels: {}, from: null, to: null };
  all.count++;
  all.levels[level] = (all.levels[level] ?? 0) + 1;
  if (gfn !== null) {
    all.from = Math.min(all.from ?? gfn, gfn);
    all.to = Math.max(all.to ?? 0, gfn + frames);
  }
  return all;
}

/** A shadow page of an event; those of trace-cmd's plugin do not say its frame. */
const page =
  (deed: 'tables' | 'zapped' | 'synced' | 'unsynced'): Take =>
  (deeds, event) => {
    deeds[deed] = extended(deeds[deed], levelOf(number(event, 'role')), numberIn(event, 'gfn'));
  };

const counted = <T extends { count: number }>(before: T | undefined, make: () => T): T => {
  if (!before) return make();
  before.count++;
  return before;
};

const setLeaf: Take = (deeds, event) => {
  const level = number(event, 'level');
  const mapping = { gfn: number(event, 'gfn'), level, pfn: null, spte: wordIn(event, 'spte') };
  if (!deeds.mapped) deeds.mapped = { count: 1, first: mapping, last: mapping };
  else {
    deeds.mapped.count++;
    deeds.mapped.last = mapping;
  }
};

const change: Take = (deeds, event) => {
  const level = number(event, 'level');
  const what = spteChange(word(event, 'old_spte'), word(event, 'new_spte'), level);
  deeds.changes ??= {};
  deeds.changes[what] = extended(deeds.changes[what], level, number(event, 'gfn'), span(level));
};

const fast: Take = (deeds, event) => {
  const result = number(event, 'result');
  deeds.fast = {
    result: result === (RetPf.spurious as number) ? 'spurious' : result === (RetPf.fixed as number) ? 'fixed' : 'refused',
    old: word(event, 'old'),
    now: word(event, 'new'),
  };
};

/** `48 89 03`, or what a disassembler made of it. */
function instructionOf(event: TraceEvent): string {
  const { instruction, length, bytes } = event.values ?? {};
  if (typeof instruction === 'string') return detached(instruction);
  if (typeof length !== 'number' || typeof bytes !== 'bigint') return '';
  return Array.from({ length }, (_, i) => ((bytes >> BigInt(8 * i)) & 0xffn).toString(16).padStart(2, '0')).join(' ');
}

export const TAKE: { readonly [name: string]: Take } = {
  kvm_mmu_pagetable_walk: (deeds, event) => {
    deeds.walks ??= [];
    if (deeds.walks.length < MOST_WALKS)
      deeds.walks.push({ address: word(event, 'addr'), code: number(event, 'pferr'), entries: [], error: null });
  },
  kvm_mmu_paging_element: (deeds, event) => {
    const walk = deeds.walks?.at(-1);
    if (walk && walk.entries.length < MOST_ENTRIES) walk.entries.push({ level: number(event, 'level'), entry: word(event, 'pte') });
  },
  kvm_mmu_walker_error: (deeds, event) => {
    const walk = deeds.walks?.at(-1);
    if (walk) walk.error = number(event, 'pferr');
    else deeds.walks = [{ address: 0n, code: 0, entries: [], error: number(event, 'pferr') }];
  },
  kvm_mmu_set_accessed_bit: () => undefined,
  kvm_mmu_set_dirty_bit: () => undefined,
  fast_page_fault: fast,
  kvm_try_async_get_page: (deeds) => (deeds.waits = true),
  kvm_async_pf_repeated_fault: (deeds) => (deeds.waits = true),
  kvm_async_pf_not_present: (deeds) => (deeds.waits = true),
  kvm_mmu_spte_requested: (deeds, event) => {
    deeds.requested = { gfn: number(event, 'gfn'), pfn: number(event, 'pfn'), level: number(event, 'level') };
  },
  kvm_mmu_set_spte: setLeaf,
  kvm_tdp_mmu_spte_changed: change,
  kvm_mmu_split_huge_page: (deeds, event) => {
    const level = number(event, 'level');
    deeds.split = extended(deeds.split, level, number(event, 'gfn'), span(level));
  },
  kvm_mmu_get_page: page('tables'),
  kvm_mmu_prepare_zap_page: page('zapped'),
  kvm_mmu_zap_page: page('zapped'),
  kvm_mmu_sync_page: page('synced'),
  kvm_mmu_unsync_page: page('unsynced'),
  kvm_mmu_zap_all_fast: (deeds, event) => (deeds.zappedAll = { usedPages: number(event, 'used_pages') }),
  kvm_mmu_invalidate_zap_all_pages: (deeds, event) => (deeds.zappedAll = { usedPages: number(event, 'used_pages') }),
  kvm_unmap_hva_range: (deeds, event) => {
    deeds.unmappedRange = counted(deeds.unmappedRange, () => ({ count: 1, start: word(event, 'start'), end: word(event, 'end') }));
  },
  kvm_set_spte_hva: (deeds, event) => {
    const start = word(event, 'hva');
    deeds.unmappedRange = counted(deeds.unmappedRange, () => ({ count: 1, start, end: start + 0x1000n }));
  },
  mark_mmio_spte: (deeds) => (deeds.mmioSpte ??= 'made'),
  check_mmio_spte: (deeds, event) => {
    if (!isSet(event, 'valid')) deeds.mmioSpte = 'stale';
  },
  handle_mmio_page_fault: (deeds) => (deeds.mmioSpte = 'used'),
  vcpu_match_mmio: (deeds, event) => (deeds.mmioCache = { gpa: word(event, 'gpa'), write: isSet(event, 'write') }),
  kvm_mmio: (deeds, event) => {
    deeds.mmio = counted(deeds.mmio, () => ({
      count: 1,
      gpa: word(event, 'gpa'),
      write: number(event, 'type') === MmioType.write,
      length: number(event, 'len'),
      value: word(event, 'val'),
    }));
  },
  kvm_fast_mmio: (deeds, event) => (deeds.fastMmio = { gpa: word(event, 'gpa') }),
  kvm_pio: (deeds, event) => {
    deeds.pio = counted(deeds.pio, () => ({ count: 1, port: number(event, 'port'), write: isSet(event, 'rw') }));
  },
  kvm_emulate_insn: (deeds, event) => {
    const failed = isSet(event, 'failed');
    const before = deeds.emulated;
    // One that fails is printed a second time.
    if (before && failed && before.rip === word(event, 'rip')) {
      before.failed = true;
      return;
    }
    deeds.emulated = counted(before, () => ({ count: 1, rip: word(event, 'rip'), instruction: instructionOf(event), failed }));
    deeds.emulated.failed ||= failed;
  },
  kvm_cr: (deeds, event) => {
    deeds.cr = counted(deeds.cr, () => ({ count: 1, cr: number(event, 'cr'), write: isSet(event, 'write'), value: word(event, 'value') }));
  },
  kvm_msr: (deeds, event) => {
    deeds.msr = counted(deeds.msr, () => ({
      count: 1,
      msr: number(event, 'msr'),
      write: isSet(event, 'write'),
      value: word(event, 'value'),
    }));
  },
  kvm_inj_exception: (deeds, event) => {
    deeds.injected = {
      vector: exceptionName(number(event, 'vector')),
      code: numberIn(event, 'error_code'),
      reinjected: isSet(event, 'reinjected'),
    };
  },
  kvm_inj_virq: (deeds) => {
    deeds.interrupts = counted(deeds.interrupts, () => ({ count: 1 }));
  },
  kvm_pml_full: (deeds) => (deeds.pmlFull = true),
  kvm_nested_vmexit_inject: (deeds, event) => (deeds.toL1 = { reason: reasonOf(event).name }),
  kvm_nested_vmenter: (deeds) => {
    deeds.toL2 = counted(deeds.toL2, () => ({ count: 1 }));
  },
  kvm_nested_vmrun: (deeds) => {
    deeds.toL2 = counted(deeds.toL2, () => ({ count: 1 }));
  },
  kvm_userspace_exit: (deeds, event) => {
    deeds.userspace = { reason: userExitName(number(event, 'reason')), errno: number(event, 'errno') };
  },
};
