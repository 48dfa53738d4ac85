/** The three questions that traces are recorded for, answered from what was found. */
import { hex, plural } from '../events/wording';
import { taskText } from './episodes/task-text';
import type { Answer, Finding, RecordingFacts } from './explanation';
import { beginningText, differenceText, linesOf } from './folding/folded-text';
import { episodesIn, type Folded } from './folding/run';
import type { Zapper } from './memory/zapper';
import type { Conclusion } from './rules/rule';
import type { RuleName } from './rules/rules';
import type { Summary } from './summary/summary';
import { duration, grouped, share } from './summary/time-text';

export interface LoopFound {
  readonly folded: Folded;
  readonly conclusions: readonly Conclusion[];
}

interface Known {
  readonly recordings: readonly RecordingFacts[];
  readonly summary: Summary;
  readonly zappers: readonly Zapper[];
  readonly findings: readonly Finding[];
  readonly loops: readonly LoopFound[];
}

const MOST_LOOPS = 3;
const MOST_REASONS = 5;
const MOST_PLACES = 3;
const MOST_ZAPPERS = 5;

export function answersOf(known: Known): Answer[] {
  return [
    { question: 'why does it loop?', said: loops(known) },
    { question: 'why so many exits?', said: exits(known) },
    { question: 'who zapped this?', said: zaps(known) },
  ];
}

/** Rounds that make a loop of what a guest may well do again and again: a device, a timer. */
const MANY = 100;

/** A guest that waits, not one that does not get on. */
const IDLE = ['HLT', 'hlt', 'MWAIT_INSTRUCTION', 'mwait'];

function isWorthTelling(folded: Folded): boolean {
  if (folded.body.every(({ first }) => first.exit && IDLE.includes(first.exit.reason))) return false;
  return folded.body[0].first.fault !== null || episodesIn(folded) >= MANY;
}

/** What a loop begins with. */
const SIGNS: readonly RuleName[] = ['asked-again', 'mapped-already'];

function loops({ loops: found, recordings, summary, findings }: Known): string[] {
  const weight = ({ folded, conclusions }: LoopFound): number => episodesIn(folded) * (conclusions.length > 0 ? 1e6 : 1);
  const shown = found
    .filter(({ folded, conclusions }) => conclusions.length > 0 || isWorthTelling(folded))
    .sort((a, b) => weight(b) - weight(a))
    .slice(0, MOST_LOOPS);
  if (shown.length === 0) {
    const signs = findings.filter(({ rule }) => SIGNS.includes(rule));
    if (signs.length > 0)
      return signs.map(({ said, count, lines }) => `${sentence(said)} (${plural(count, 'time')}, first at line ${lines[0]}).`);
    return summary.exits > 0
      ? ['It does not: no vCPU comes back to the same place with the same outcome.']
      : ['The trace does not say: record exits and page faults too (events of `kvm`).'];
  }
  const ticks = recordings.some((each) => each.ticks);
  return shown.map(({ folded, conclusions }) => {
    const [run] = folded.body;
    const { task, vcpu } = run.first;
    const { from, to } = linesOf(folded);
    const count = folded.body.length === 1 ? run.count : folded.times;
    const what =
      folded.body.length === 1
        ? beginningText(run.first)
        : `${plural(folded.body.length, 'exit')} in the same order, from ${beginningText(run.first)}`;
    const time = run.from !== null && run.to !== null && count > 1 ? `, every ${duration((run.to - run.from) / (count - 1), ticks)}` : '';
    const times = count > 1 ? ` × ${grouped(count)}${time}` : '';
    const differs = differenceText(folded);
    return [
      `${taskText(task, vcpu)}: ${what}${times} (lines ${from} to ${to})`,
      ...conclusions.map((conclusion) => sentence(conclusion())),
      differs === '' ? 'The trace ends with it' : sentence(differs),
    ].join('. ').concat('.'); // prettier-ignore
  });
}

/** With a capital. */
const sentence = (said: string): string => `${said[0].toUpperCase()}${said.slice(1)}`;

function exits({ summary, recordings }: Known): string[] {
  const { exits: all, from, to } = summary;
  if (all === 0) return ['There are none in the trace.'];
  const ticks = recordings.some((each) => each.ticks);
  const length = from !== null && to !== null ? to - from : 0;
  const rate = length > 0 && !ticks ? `, ${grouped(Math.round((all * 1e9) / length))} a second` : '';
  const said = [`${plural(all, 'exit')}${length > 0 ? ` in ${duration(length, ticks)}` : ''}${rate}.`];
  for (const [name, { count, time, timed, rips }] of summary.byReason().slice(0, MOST_REASONS)) {
    const [rip] = rips.top(1);
    const most =
      rip && rip[1].count > count / 2 && rips.size > 1
        ? `, most at rip ${hex(rip[0])}`
        : rip && rips.size === 1 && count > 1
          ? `, all at rip ${hex(rip[0])}`
          : '';
    said.push(
      `${name}: ${grouped(count)} (${share(count, all)})${timed > 0 ? `, ${duration(time / timed, ticks)} each until the entry` : ''}${most}`,
    );
  }
  const places = summary.pages.top(MOST_PLACES).filter(([, { count }]) => count > 1 && count >= all / 20);
  for (const [, { space, address, count, reason }] of places)
    said.push(`${space === 'rip' ? 'rip' : `page of ${space}`} ${hex(address)}: ${grouped(count)} (${share(count, all)}), ${reason}`);
  return said;
}

function zaps({ zappers, recordings }: Known): string[] {
  const shown = zappers.filter(({ leaves, pages, all }) => leaves + pages + all > 0).slice(0, MOST_ZAPPERS);
  if (shown.length > 0) return shown.map(zapText);
  return recordings.some(({ hasMmuEvents }) => hasMmuEvents)
    ? ['Nobody: the trace has no zap.']
    : ['The trace does not say: record the events of `kvmmmu` too.'];
}

function zapText({ who, why, line, leaves, pages, all, from, to, again, againLine }: Zapper): string {
  const what = [
    leaves > 0 && plural(leaves, 'leaf spte'),
    pages > 0 && plural(pages, 'shadow page'),
    all > 0 && `all at once${all > 1 ? ` × ${all}` : ''}`,
  ]
    .filter(Boolean)
    .join(', ');
  const where = from === null || to === null ? '' : to - from === 1 ? ` (gfn ${hex(from)})` : ` (gfn ${hex(from)} to ${hex(to - 1)})`;
  const back = again > 0 ? `; ${plural(again, 'leaf', 'leaves')} mapped again, from line ${againLine}` : '';
  return `${who}: ${why}. ${what}${where}, from line ${line}${back}`;
}
