/** Who zaps, and why: as far as the episode shows what it began with. */
import { hex } from '../../events/wording';
import { taskText } from '../episodes/task-text';
import type { Episode } from '../episodes/episode';

export interface Zapper {
  readonly who: string;
  readonly why: string;
  /** Where first. */
  readonly line: number;
  /** Leaf sptes, shadow pages, and how often all pages at once. */
  leaves: number;
  pages: number;
  all: number;
  /** Frames of it; null: not said. */
  from: number | null;
  to: number | null;
  /** Leaves that were mapped again, and where first. */
  again: number;
  againLine?: number;
  /** Guest tables whose shadow pages it zapped, the last few. */
  readonly tables: Set<number>;
}

/** Threads of the kernel that unmap memory of processes, and what for. */
const KERNEL_THREADS: readonly (readonly [RegExp, string])[] = [
  [/^khugepaged/, 'small pages become a huge one'],
  [/^kswapd/, 'memory is reclaimed'],
  [/^ksmd/, 'equal pages are merged'],
  [/^kcompactd/, 'pages are moved to make room'],
  [/^kworker/, 'work of the kernel'],
];

export function zapperOf(episode: Episode, line: number): Zapper {
  const counts = { leaves: 0, pages: 0, all: 0, from: null, to: null, again: 0, tables: new Set<number>() };
  return { who: taskText(episode.task, episode.vcpu), why: whyOf(episode), line, ...counts };
}

function whyOf({ task, exit, fault, deeds }: Episode): string {
  if (deeds.unmappedRange) {
    const thread = KERNEL_THREADS.find(([name]) => name.test(task.comm));
    return `the host unmaps memory of the VMM (MMU notifier)${thread ? `: ${thread[1]}` : ''}`;
  }
  if (deeds.zappedAll) return 'all shadow pages become obsolete: a memory slot was deleted or moved, or a setting of KVM changed';
  if (deeds.changes?.collapsed) return 'a fault puts a huge leaf where a table of small ones stood';
  if (deeds.emulated && !deeds.emulated.failed) return 'an emulated write to a page that holds a table of the guest';
  if (deeds.cr?.write) return `a write to CR${deeds.cr.cr}`;
  if (deeds.msr?.write) return `a write to MSR ${hex(deeds.msr.msr)}`;
  if (fault) return 'a page fault';
  if (exit) return `handling of ${exit.reason}`;
  return 'no reason is seen: an ioctl of the VMM, or the trace begins in the middle';
}
