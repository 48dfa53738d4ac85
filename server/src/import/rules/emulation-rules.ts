/** MMIO, emulated instructions, and what KVM's own walk of the guest's tables says. */
import { Pte } from '../../engine/x86/entries';
import { PageFault } from '../../engine/x86/fault-codes';
import { hex } from '../../events/wording';
import type { Walk } from '../episodes/deeds';
import type { Episode } from '../episodes/episode';
import type { RuleContext, Rules } from './rule';

/** What the exit itself has no part in: the processor found nothing to complain about in the guest's tables. */
const byPageFault = ({ exit }: Episode): boolean => exit === null || exit.reason === 'PF excp' || exit.reason === 'EXCEPTION_NMI';

const failed = ({ deeds }: Episode): Walk | undefined => deeds.walks?.find(({ error }) => error !== null);

const isMmio = ({ deeds: { mmioSpte, fastMmio, mmioCache, mmio } }: Episode): boolean =>
  mmioSpte !== undefined || fastMmio !== undefined || mmioCache !== undefined || mmio !== undefined;

const PAGE = 12n;
const FRAME = 0x000f_ffff_ffff_f000n;

/** Guest frame of the access: of a second stage its address, else the leaf of the walk for it. */
function frameOf({ fault, deeds }: Episode): number | null {
  if (!fault) return null;
  if (fault.space === 'gpa') return Number(fault.address >> PAGE);
  const leaf = deeds.walks?.find(({ address, error }) => error === null && address >> PAGE === fault.address >> PAGE)?.entries.at(-1);
  if (!leaf) return null;
  const inPage = (1n << (9n * BigInt(leaf.level - 1))) - 1n;
  return Number(((leaf.entry & FRAME) >> PAGE) & ~inPage) + Number((fault.address >> PAGE) & inPage);
}

/** A write that KVM emulates for the sake of the memory that it goes to. */
function emulatedWrite(episode: Episode, { recording }: RuleContext): number | null {
  const { fault, deeds } = episode;
  if (!fault?.code.write || !deeds.emulated || deeds.emulated.failed || isMmio(episode) || deeds.userspace) return null;
  const frame = frameOf(episode);
  return frame !== null && (fault.code.present || recording.memory.isTable(frame)) ? frame : null;
}

/** Bit 7 of an entry of level 3. */
const mapsGigabyte = ({ level, entry }: { readonly level: number; readonly entry: bigint }): boolean =>
  level === 3 && (entry & BigInt(Pte.large)) !== 0n;

export const EMULATION_RULES = {
  mmio: {
    about: 'No memory slot has the address: KVM emulates the instruction, and the device answers, in KVM or in the VMM.',
    sure: 'proves',
    function: 'mmu/mmu.c: handle_mmio_page_fault; vmx/vmx.c: handle_ept_misconfig',
    section: '3.11',
    sample: 'mmio.trace',
    episode: (episode) => {
      if (!isMmio(episode)) return null;
      const { mmio, fastMmio, mmioCache } = episode.deeds;
      const gpa = mmio?.gpa ?? fastMmio?.gpa ?? mmioCache?.gpa ?? (episode.fault?.space === 'gpa' ? episode.fault.address : null);
      return () =>
        `${gpa === null ? 'the address' : `gpa ${hex(gpa)}`} is in no memory slot${gpa === null ? '' : deviceAt(gpa)}: the access is emulated`;
    },
  },
  'misconfigured-for-mmio': {
    about: 'KVM leaves EPT entries misconfigured where no memory slot has the address: an EPT_MISCONFIG is an access to a device.',
    sure: 'suggests',
    function: 'vmx/vmx.c: handle_ept_misconfig; mmu/spte.c: kvm_mmu_set_ept_masks',
    section: '3.11',
    sample: 'guest-cpuid-denies.trace',
    episode: (episode) =>
      episode.exit?.reason === 'EPT_MISCONFIG' && !isMmio(episode)
        ? () => 'the access goes to an address that is in no memory slot: KVM has left its EPT entry misconfigured'
        : null,
  },
  'mmio-mark-outdated': {
    about:
      'The mark of an MMIO spte is of an older generation of the memory slots: since then a slot was created, deleted or moved, and KVM looks anew.',
    sure: 'proves',
    function: 'mmu/mmu.c: check_mmio_spte; mmu/spte.c: make_mmio_spte',
    section: '5.11',
    sample: 'slot-deleted.trace',
    episode: ({ deeds }) =>
      deeds.mmioSpte === 'stale' ? () => 'the memory slots have changed since the address was marked as MMIO' : null,
  },
  'write-to-table': {
    about:
      'A write to a present page was emulated although a slot has it: the page is write-protected because it holds a table of the guest that is shadowed, or its slot is READONLY.',
    sure: 'suggests',
    function: 'mmu/mmu.c: page_fault_handle_page_track, mmu_try_to_unsync_pages; kvm_mmu_pte_write (6.1), kvm_mmu_track_write (6.12)',
    section: '5.6',
    sample: 'table-writes.trace',
    episode: (episode, context) => {
      const frame = emulatedWrite(episode, context);
      if (frame === null) return null;
      const isTable = context.recording.memory.isTable(frame);
      return () =>
        `the guest writes to gfn ${hex(frame)}${isTable ? ', which holds one of its tables' : ''}: it is write-protected, and the write is emulated`;
    },
  },
  'table-zapped-by-write': {
    about:
      "An emulated write to a guest's table zapped its shadow page: it was the third one without a use of the page between (flooding), or it does not look like a store of an entry, so that the page is probably no table any more.",
    sure: 'proves',
    function: 'mmu/mmu.c: kvm_mmu_pte_write (6.1), kvm_mmu_track_write (6.12): detect_write_flooding, detect_write_misaligned',
    section: '5.10',
    sample: 'table-writes.trace',
    episode: (episode) => {
      const frame = frameOf(episode);
      const { zapped, emulated } = episode.deeds;
      if (frame === null || !zapped || !emulated || !episode.fault?.code.write) return null;
      if (zapped.from === null || zapped.to === null || frame < zapped.from || frame >= zapped.to) return null;
      return () => `writes to the table at gfn ${hex(frame)} made KVM give up its shadow page: write flooding, or no store of an entry`;
    },
  },
  'guest-tables-deny': {
    about: "The guest's own tables deny the access: the fault is the guest's, and KVM injects it.",
    sure: 'proves',
    function: 'mmu/paging_tmpl.h: walk_addr_generic; x86.c: kvm_inject_page_fault',
    section: '5.3',
    sample: 'guest-tables-deny.trace',
    episode: (episode) => {
      const walk = failed(episode);
      if (!walk || episode.deeds.injected?.vector !== '#PF' || ((walk.error ?? 0) & PageFault.reserved) !== 0) return null;
      const present = ((walk.error ?? 0) & PageFault.present) !== 0;
      return () => `the guest's tables ${present ? 'deny' : 'do not map'} ${hex(walk.address)}: the guest gets its own #PF`;
    },
  },
  'guest-cpuid-denies': {
    about:
      "KVM's walk found a reserved bit in a guest's entry that the processor itself accepts: KVM goes by the CPUID that the VMM gave the guest (no 1G pages, fewer physical address bits, no NX), the processor by its own.",
    sure: 'proves',
    function: 'mmu/mmu.c: __reset_rsvds_bits_mask, guest_can_use_gbpages',
    section: '2.5',
    sample: 'guest-cpuid-denies.trace',
    episode: (episode) => {
      const walk = failed(episode);
      if (!walk || byPageFault(episode) || ((walk.error ?? 0) & PageFault.reserved) === 0) return null;
      const entry = walk.entries.at(-1);
      const which = entry && mapsGigabyte(entry) ? ": it maps 1G, and the guest's CPUID has no pdpe1gb" : '';
      return () =>
        `entry ${entry ? `${hex(entry.entry)} of level ${entry.level}` : ''} has a reserved bit by the guest's CPUID, but not by the processor${which}`;
    },
  },
  'write-protect-by-role': {
    about:
      "An emulated access of the guest's kernel was denied for an entry without W, which only CR0.WP = 1 does. A guest that owns CR0.WP can clear it without an exit: then KVM's walk went by an outdated role.",
    sure: 'suggests',
    function: 'mmu/mmu.c: kvm_mmu_refresh_passthrough_bits; mmu.h: permission_fault',
    section: '5.7',
    sample: 'write-protect-by-role.trace',
    episode: (episode) => {
      const walk = failed(episode);
      if (!walk || !episode.deeds.emulated || byPageFault(episode)) return null;
      const code = walk.error ?? 0;
      const entry = walk.entries.find(({ entry: each }) => (each & BigInt(Pte.writable)) === 0n);
      if ((code & ~(PageFault.present | PageFault.write)) !== 0 || code !== (PageFault.present | PageFault.write) || !entry) return null;
      return () =>
        `a write of the guest's kernel to ${hex(walk.address)} is denied by entry ${hex(entry.entry)} of level ${entry.level}, which has no W: with CR0.WP = 0 it would not be; if the guest has cleared that itself, KVM's role is outdated`;
    },
  },
  'emulation-fails': {
    about:
      'KVM cannot emulate the instruction: it does not know it, or cannot fetch it. KVM_RUN returns KVM_EXIT_INTERNAL_ERROR, or the guest gets #UD.',
    sure: 'proves',
    function: 'x86.c: handle_emulation_failure',
    section: '6.4',
    sample: 'guest-cpuid-denies.trace',
    episode: ({ deeds }) =>
      deeds.emulated?.failed
        ? () => `KVM cannot emulate ${deeds.emulated!.instruction || 'the instruction'} at rip ${hex(deeds.emulated!.rip)}`
        : null,
  },
} satisfies Rules;

/** Devices at places that every PC has (Intel chipset datasheets; APM vol. 2 "APIC base address"). */
function deviceAt(gpa: bigint): string {
  const page = gpa >> PAGE;
  if (page === 0xf_ee00n) return ' (local APIC)';
  if (page === 0xf_ec00n) return ' (I/O APIC)';
  if (page === 0xf_ed00n) return ' (HPET)';
  return '';
}
