/**
 * What a trace tells of a VM's mappings: which guest frames hold tables that are shadowed, what was mapped last, and who zapped what. Of the
 * many frames of a long trace those that were touched last are kept.
 */
import { Role } from '../../engine/mmu/pages/role';
import { Recent } from '../bounded';
import type { Episode, Task } from '../episodes/episode';
import { spteChange } from '../episodes/spte-change';
import { numberIn, wordIn, type TraceEvent } from '../trace-event';
import { zapperOf, type Zapper } from './zapper';

interface Leaf {
  readonly spte: bigint;
  /** Who set it. */
  readonly task: Task;
  /** Where it was set. */
  readonly line: number;
}

const MOST_FRAMES = 1 << 16;
const MOST_ZAPPERS = 512;

export class VmMemory {
  /** Frames of guest tables that have shadow pages, and where they got them. */
  private readonly tables = new Recent<number, number>(MOST_FRAMES);
  /** Last spte of a leaf, by frame and level. */
  private readonly leaves = new Recent<number, Leaf>(MOST_FRAMES);
  private readonly before = new WeakMap<Episode, Leaf>();
  /** Who zapped a leaf, until it is mapped again. */
  private readonly zapped = new Recent<number, Zapper>(MOST_FRAMES);
  private readonly byZapper = new Map<string, Zapper>();
  /** Of the episode that zapped last. */
  private last: { readonly episode: Episode; readonly zapper: Zapper } | null = null;
  /** Zappers that there was no more room for. */
  moreZappers = 0;

  /** @param episode that the event is in, which it has been added to */
  take(event: TraceEvent, episode: Episode): void {
    switch (event.name) {
      case 'kvm_mmu_get_page':
        return this.gotPage(event);
      case 'kvm_mmu_spte_requested':
        return this.requested(event, episode);
      case 'kvm_mmu_prepare_zap_page':
      case 'kvm_mmu_zap_page':
        return this.zapsPage(event, episode);
      case 'kvm_tdp_mmu_spte_changed':
        return this.changed(event, episode);
      case 'kvm_mmu_set_spte':
        return this.mapped(
          numberIn(event, 'gfn') ?? 0,
          numberIn(event, 'level') ?? 1,
          wordIn(event, 'spte') ?? 0n,
          event.line,
          episode.task,
        );
      case 'kvm_mmu_zap_all_fast':
      case 'kvm_mmu_invalidate_zap_all_pages':
        this.zapper(episode, event).all++;
        return;
      default:
    }
  }

  /** The frame holds a table of the guest that is shadowed. */
  isTable(gfn: number): boolean {
    return this.tables.get(gfn) !== undefined;
  }

  /** The leaf that was there already when the episode asked for one; undefined: none is known. */
  mappedBefore(episode: Episode): Leaf | undefined {
    return this.before.get(episode);
  }

  zappers(): readonly Zapper[] {
    return [...this.byZapper.values()].sort((a, b) => b.leaves + b.pages - (a.leaves + a.pages) || a.line - b.line);
  }

  private requested(event: TraceEvent, episode: Episode): void {
    const leaf = this.leaves.get(keyOf(numberIn(event, 'gfn') ?? 0, numberIn(event, 'level') ?? 1));
    // Another task can be one of another VM.
    if (leaf?.task === episode.task) this.before.set(episode, leaf);
  }

  private gotPage(event: TraceEvent): void {
    const gfn = numberIn(event, 'gfn');
    if (gfn !== null && !isDirect(event)) this.tables.set(gfn, event.line);
  }

  private zapsPage(event: TraceEvent, episode: Episode): void {
    const gfn = numberIn(event, 'gfn');
    const zapper = this.zapper(episode, event);
    zapper.pages++;
    if (gfn === null) return;
    widen(zapper, gfn, 1);
    if (isDirect(event)) return;
    this.tables.delete(gfn);
    zapper.tables.add(gfn);
    if (zapper.tables.size > MOST_TABLES) zapper.tables.clear();
  }

  private changed(event: TraceEvent, episode: Episode): void {
    const [gfn, level] = [numberIn(event, 'gfn') ?? 0, numberIn(event, 'level') ?? 1];
    const [old, now] = [wordIn(event, 'old_spte') ?? 0n, wordIn(event, 'new_spte') ?? 0n];
    const what = spteChange(old, now, level);
    if (what === 'mapped' || what === 'collapsed') this.mapped(gfn, level, now, event.line, episode.task);
    if (what !== 'unmapped') return;
    const zapper = this.zapper(episode, event);
    zapper.leaves++;
    widen(zapper, gfn, 512 ** (level - 1));
    this.leaves.delete(keyOf(gfn, level));
    this.zapped.set(keyOf(gfn, level), zapper);
  }

  private mapped(gfn: number, level: number, spte: bigint, line: number, task: Task): void {
    const key = keyOf(gfn, level);
    this.leaves.set(key, { spte, line, task });
    const zapper = this.zapped.take(key);
    if (!zapper) return;
    zapper.again++;
    zapper.againLine ??= line;
  }

  private zapper(episode: Episode, event: TraceEvent): Zapper {
    if (this.last?.episode === episode) return this.last.zapper;
    const zapper = this.zapperOf(episode, event);
    this.last = { episode, zapper };
    return zapper;
  }

  private zapperOf(episode: Episode, event: TraceEvent): Zapper {
    const made = zapperOf(episode, event.line);
    const key = `${made.who}|${made.why}`;
    const known = this.byZapper.get(key);
    if (known) return known;
    if (this.byZapper.size < MOST_ZAPPERS) this.byZapper.set(key, made);
    else this.moreZappers++;
    return made;
  }
}

const MOST_TABLES = 64;

const isDirect = (event: TraceEvent): boolean => ((numberIn(event, 'role') ?? 0) & Role.direct) !== 0;

/** Levels have a place each beside the frame. */
const keyOf = (gfn: number, level: number): number => gfn * 8 + level;

function widen(zapper: Zapper, gfn: number, frames: number): void {
  zapper.from = Math.min(zapper.from ?? gfn, gfn);
  zapper.to = Math.max(zapper.to ?? 0, gfn + frames);
}
