/** Folded episodes in words: who, why, where, what KVM did, how it ended, how often. */
import { hex, joined, plural } from '../../events/wording';
import { deedWords } from '../episodes/deeds';
import { faultText, type Episode } from '../episodes/episode';
import { duration, grouped } from '../summary/time-text';
import type { Folded, Run } from './run';

/** `EPT_VIOLATION · write at gpa 0x1000: 0x182 (…)`: why it began. */
export function beginningText({ exit, nested, fault }: Episode): string {
  const reason = exit ? `${exit.reason}${nested ? ' of L2' : ''}` : '';
  const rip = exit?.rip ?? null;
  return joined(reason, fault && faultText(fault), rip !== null && `rip ${hex(rip)}`, exit?.delivering && 'during delivery of an event');
}

/** `asked for gfn 0x400 → pfn 0x10400, level 1 · entry`: what came of it. */
export function outcomeText({ exit, fault, deeds, ends }: Episode): string {
  const words = deedWords(deeds);
  const nothing = words.length === 0 && fault !== null ? ['nothing seen'] : words;
  return [...nothing, ends === 'entry' ? 'entry' : exit || fault ? 'no entry seen' : ''].filter(Boolean).join(', ');
}

/** How often, where, and how fast; empty for a single one. */
export function repetitionText(run: Run, ticks: boolean): string {
  const { count, stays, place, places, low, high, interrupted, from, to } = run;
  if (count === 1) return '';
  const where = stays || !place ? '' : places ? `at ${plural(places.size, 'address', 'addresses')}` : 'at many addresses';
  const bounds = stays || !place ? '' : `${hex(low)} to ${hex(high)}`;
  const every = from !== null && to !== null && to > from ? `every ${duration((to - from) / (count - 1), ticks)}` : '';
  return [`× ${grouped(count)}`, where && `${where}, ${bounds}`, every, interrupted > 0 && `${plural(interrupted, 'other exit')} between`]
    .filter(Boolean)
    .join(', ');
}

/** Lines that a folding takes: of the first episode's first to the last one's last. */
export function linesOf({ body }: Folded): { readonly from: number; readonly to: number } {
  return { from: body[0].first.line, to: Math.max(...body.map(({ last }) => last.lastLine)) };
}

/** What comes instead of another round; empty: the trace ends with it. */
export function differenceText({ body, differs }: Folded): string {
  if (!differs) return '';
  const [beginning, outcome] = [beginningText(differs), outcomeText(differs)];
  const same = beginning === beginningText(body[0].first);
  return `line ${differs.line} differs: ${[same ? 'the same' : beginning, outcome].filter(Boolean).join(' → ')}`;
}
