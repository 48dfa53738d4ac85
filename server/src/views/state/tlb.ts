/** Cached translations of every processor: TLB, guest-physical mappings, paging-structure caches; stale ones with what made them so. */
import { Space, SPACES } from '../../engine/journal/spaces';
import { FIRST_LINE, structureLine } from '../../engine/vcpu/tlb';
import { CLASS_SHIFTS, decodeLine, LineField } from '../../engine/vcpu/tlb-array';
import type { TlbLine } from '../../engine/vcpu/tlb-array';
import type { Tag } from '../../engine/vcpu/tags';
import { Structure } from '../../engine/journal/enumerations';
import { Rights } from '../../engine/x86/permissions';
import { levelName } from '../../events/decode';
import { bytes, hex, joined, plural } from '../../events/wording';
import { rightsOfLine, tagOf } from '../cached';
import type { MachineState } from '../machine-state';
import { UNMAPPED_TAG } from '../way/rehearsal';
import { standing } from './stale-lines';
import type { Standing } from './stale-lines';
import { touches } from './thing';
import type { Thing } from './thing';

const LINE = SPACES[Space.tlb].key;

/** The parts of a processor's caches, by the first of their lines. */
const PARTS = [
  { from: FIRST_LINE.l1, name: 'L1, pages of 4K' },
  { from: FIRST_LINE.l1Page2M, name: 'L1, pages of 2M' },
  { from: FIRST_LINE.l1Page1G, name: 'L1, pages of 1G' },
  { from: FIRST_LINE.l2, name: 'L2' },
  { from: FIRST_LINE.guestPhysical, name: 'guest-physical mappings' },
  { from: FIRST_LINE.pagingStructure, name: 'paging-structure cache' },
  { from: FIRST_LINE.secondStructure, name: 'second-stage structure cache' },
] as const;

/** A line in use. */
export interface CachedLine {
  /** Of its key word. */
  readonly key: number;
  readonly processor: number;
  readonly number: number;
  readonly line: TlbLine;
  readonly tag: Tag | null;
  /** What it is of: whole translations of linear or guest-physical addresses (level 0), or entries of a level. */
  readonly kind: 'linear' | 'physical' | 'structure';
  /** Of the second stage. */
  readonly second: boolean;
  readonly level: number;
  /** Low half of the value: rights of the entries so far, of a structure's line. */
  readonly low: number;
}

export function cachedLinesOf(state: MachineState): CachedLine[] {
  const words = state.words(Space.tlb);
  const found: CachedLine[] = [];
  for (const key of words.keys()) {
    const { processor, line: number, field } = LINE.decode(key);
    if (field !== (LineField.key as number)) continue;
    const value = LINE.with(key, 'field', LineField.value);
    const low = words.lo(value);
    const line = decodeLine(words.lo(key), words.hi(key), low, words.hi(value));
    if (!line) continue;
    const place = structureLine(number, state.host.tlb);
    const structure = place?.structure ?? null;
    found.push({
      key,
      processor,
      number,
      line,
      tag: tagOf(state, processor, line),
      kind: place === null ? 'linear' : structure === Structure.guestPhysical ? 'physical' : 'structure',
      second: structure === Structure.guestPhysical || structure === Structure.secondStructure,
      level: place?.level ?? 0,
      low,
    });
  }
  return found.sort((a, b) => a.number - b.number);
}

/** The part of its processor's caches that a line is in. */
export function partOfLine({ number }: CachedLine): (typeof PARTS)[number] {
  return [...PARTS].reverse().find(({ from }) => number >= from)!;
}

/** The vCPU in hardware that a line serves; null: none of those there are now. */
export function ownerOf({ tag, processor, second }: CachedLine, standings: readonly Standing[]): Standing | null {
  if (!tag) return null;
  return standings.find((each) => each.processor === processor && (!second || each.second !== null) && each.owns(tag)) ?? null;
}

export function isStale(cached: CachedLine, owner: Standing): boolean {
  const { line, kind, second, level, low } = cached;
  if (kind !== 'structure') return owner.isStale(line, kind === 'physical');
  return owner.isStructureStale(line.page, second, level, line.frame, low);
}

export function tlbThings(state: MachineState): Thing[] {
  const standings = standing(state);
  const lines = cachedLinesOf(state);
  const processors = [...new Set(lines.map(({ processor }) => processor))].sort((a, b) => a - b);
  const parts = (processor: number): Thing[] =>
    PARTS.flatMap(({ from, name }, i) => {
      const to = i + 1 < PARTS.length ? PARTS[i + 1].from : Infinity;
      const own = lines.filter((each) => each.processor === processor && partOfLine(each).from === from);
      if (own.length === 0) return [];
      return [
        {
          part: `${processor}.${from.toString(16)}`,
          name: processors.length > 1 ? `processor ${processor} ${name}` : name,
          decoded: plural(own.length, 'line'),
          inside: () => own.map((each) => lineThing(each, standings)),
          touchedBy: (touched) =>
            touches(touched, Space.tlb, (key) => {
              const at = LINE.decode(key);
              return at.processor === processor && at.line >= from && at.line < to;
            }),
        } satisfies Thing,
      ];
    });
  return processors.flatMap(parts);
}

function lineThing(cached: CachedLine, standings: readonly Standing[]): Thing {
  const { key, number, line, tag, kind, second, level } = cached;
  const owner = ownerOf(cached, standings);
  const stale = owner !== null && isStale(cached, owner);
  const { page, pageClass, frame } = line;
  const size = kind === 'structure' ? 2 ** (3 + 9 * level) : 2 ** CLASS_SHIFTS[pageClass];
  const space = kind === 'structure' && !second && owner?.second ? 'gpa' : 'hpa';
  return {
    part: String(number),
    name: kind === 'structure' ? `${second ? `level ${level}` : levelName(level)} entry` : second || isUnmapped(tag) ? 'gpa' : 'page',
    range: `${hex(page)} +${bytes(size)}`,
    value: `${kind === 'structure' ? 'table at ' : ''}${space} ${hex(frame)}`,
    decoded: joined(
      kind === 'linear' && rightsOfLine(line),
      kind === 'physical' && hostRights(line.rights),
      tagText(tag),
      !owner && !isUnmapped(tag) && 'not in force',
    ),
    note: stale ? 'stale: the tables say otherwise' : undefined,
    stale,
    words: [
      { space: Space.tlb, key },
      { space: Space.tlb, key: LINE.with(key, 'field', LineField.value) },
    ],
  };
}

/** Made by an access to memory that the guest's own tables do not map. */
function isUnmapped(tag: Tag | null): boolean {
  return tag !== null && !tag.guestPhysical && (tag.vpid & UNMAPPED_TAG) !== 0;
}

function hostRights(rights: number): string {
  const letter = (right: Rights, name: string): string => ((rights & right) !== 0 ? name : '-');
  const letters = letter(Rights.hostRead, 'r') + letter(Rights.hostWrite, 'w') + letter(Rights.hostExecute, 'x');
  return (rights & Rights.dirty) !== 0 ? `${letters}, dirty` : letters;
}

/** `VPID 1 · PCID 3 · root 0x10_1000`: what the line is tagged with. */
function tagText(tag: Tag | null): string {
  if (!tag) return '';
  const { pcid, root, global, guestPhysical } = tag;
  const vpid = tag.vpid & ~UNMAPPED_TAG;
  return joined(
    isUnmapped(tag) && 'of an access without a linear address',
    !guestPhysical && vpid !== 0 && `VPID ${vpid}`,
    !guestPhysical && !global && pcid !== 0 && `PCID ${pcid}`,
    root >= 0 && `root ${hex(root * 4096)}`,
  );
}
