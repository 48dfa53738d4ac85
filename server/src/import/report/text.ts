/** An explanation as text: what was read, the three questions, findings, numbers, then the episodes, a folded one a line or two. */
import { hex, joined, plural } from '../../events/wording';
import type { Palette } from '../../export/colors';
import type { Explanation, Finding, Listed, RecordingFacts } from '../explanation';
import { beginningText, differenceText, linesOf, outcomeText, repetitionText } from '../folding/folded-text';
import { isLoop, type Run } from '../folding/run';
import { ruleNamed } from '../rules/rules';
import { duration, grouped, moment, share } from '../summary/time-text';

export interface TextOptions {
  readonly file: string;
  readonly paint: Palette;
  /** Without the list of episodes. */
  readonly brief: boolean;
}

export function* explanationText(explanation: Explanation, options: TextOptions): Generator<string> {
  const { paint } = options;
  yield* heading(explanation, options);
  for (const { question, said } of explanation.answers) {
    yield '';
    yield paint.title(`${question[0].toUpperCase()}${question.slice(1)}`);
    for (const each of said) yield `  ${each}`;
  }
  if (explanation.findings.length > 0) {
    yield '';
    yield paint.title('What follows from it');
    const answered = explanation.answers
      .flatMap(({ said }) => said)
      .join(' ')
      .toLowerCase();
    for (const finding of explanation.findings) yield* findingLines(finding, answered, paint);
  }
  yield* numbers(explanation, paint);
  if (!options.brief) yield* episodes(explanation, paint);
}

const FORMS = { ftrace: 'text of the kernel (ftrace)', 'trace-cmd': 'trace-cmd report', perf: 'perf script' } as const;
const VENDORS = { intel: 'Intel', amd: 'AMD' } as const;
const KINDS = { ept: 'EPT', npt: 'NPT', soft: 'shadow paging' } as const;

function* heading({ lines, counts, recordings, ended }: Explanation, { file, paint }: TextOptions): Generator<string> {
  const others = [...counts.others].reduce((sum, [, { count }]) => sum + count, 0);
  yield (
    paint.title(`${file}: ${plural(lines, 'line')}`) +
    (ended === 'whole' ? '' : paint.warn(`, ${ended === 'interrupted' ? 'interrupted there' : 'not read to its end'}`))
  );
  for (const recording of recordings) yield `  ${recordingText(recording)}`;
  yield `  ${joined(
    `${grouped(counts.events)} ${counts.events === 1 ? 'event' : 'events'} of KVM`,
    others > 0 && `${grouped(others)} of other subsystems: ${names(counts.others)}`,
    counts.keptAsText.size > 0 && `kept as text: ${names(counts.keptAsText)}`,
    counts.text > 0 && `${plural(counts.text, 'line')} of no trace`,
    counts.lost > 0 && `${grouped(counts.lost)} events lost`,
  )}`;
}

const MOST_NAMES = 5;

function names(seen: Explanation['counts']['others']): string {
  const sorted = [...seen].sort(([, a], [, b]) => b.count - a.count);
  const shown = sorted.slice(0, MOST_NAMES).map(([name, { count }]) => `${name || 'functions'} ${grouped(count)}`);
  const rest = sorted.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${plural(rest, 'more name')}` : shown.join(', ');
}

function recordingText({ host, form, byPlugin, vendor, mmu, since, until, nested, vcpus }: RecordingFacts): string {
  const kernel =
    since || until ? `texts of kernels ${[since && `since ${since}`, until && `before ${until}`].filter(Boolean).join(', ')}` : '';
  return joined(
    host,
    FORMS[form] + (byPlugin && form !== 'trace-cmd' ? ', some by its plugin' : ''),
    kernel,
    vendor && VENDORS[vendor],
    mmu && KINDS[mmu],
    nested && 'a guest is a hypervisor',
    vcpus.length > 0 && `vCPU ${ranges(vcpus)}`,
  );
}

/** `0–3, 7` */
function ranges(numbers: readonly number[]): string {
  const all: [number, number][] = [];
  for (const number of numbers) {
    const last = all.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else all.push([number, number]);
  }
  return all.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ');
}

/** @param answered what was said above, which is not said again */
function* findingLines({ rule, sure, count, episodes, lines, said }: Finding, answered: string, paint: Palette): Generator<string> {
  const { function: where, sample } = ruleNamed(rule);
  const times =
    count > 1
      ? ` (${grouped(count)} times${episodes > count ? `, ${grouped(episodes)} episodes` : ''}, lines ${lines.join(', ')}${count > lines.length ? ', …' : ''})`
      : ` (line ${lines[0]})`;
  const what = answered.includes(said.toLowerCase()) ? `as said above: ${rule}` : said;
  yield `  ${sure === 'proves' ? paint.good(sure) : paint.warn(sure)} ${what}${times}`;
  yield paint.faint(`    ${where} · docs/traces.md#${rule} · samples/traces/${sample}`);
}

const MOST_ROWS = 10;
const BARS = '▁▂▃▄▅▆▇█';

function* numbers({ summary, recordings }: Explanation, paint: Palette): Generator<string> {
  const { exits, overTime, pages, levels } = summary;
  if (exits === 0) return;
  const ticks = recordings.some((each) => each.ticks);
  const timed = summary.from !== null;
  yield '';
  yield paint.title('Exits by reason') + (timed ? paint.faint(`, over time in steps of ${duration(overTime.interval, ticks)}`) : '');
  const rows = summary
    .byReason()
    .slice(0, MOST_ROWS)
    .map(([name, { count, time, timed: ended, longest }]) => [
      name,
      grouped(count),
      share(count, exits),
      ended > 0 ? `${duration(time / ended, ticks)} each` : '',
      ended > 0 ? `at most ${duration(longest, ticks)}` : '',
      timed ? bars(overTime.of(name)) : '',
    ]);
  yield* columns(rows);
  yield* more(summary.reasons.size - rows.length, 'reason');
  const top = pages.top(MOST_ROWS).filter(([, { count }]) => count > 1);
  if (top.length > 0) {
    yield '';
    yield paint.title('Hottest places') + (pages.error > 0 ? paint.faint(`, counts too small by at most ${pages.error}`) : '');
    yield* columns(top.map(([, { space, address, count, reason }]) => [space, hex(address), grouped(count), share(count, exits), reason]));
  }
  yield* codes(summary.codes, paint);
  const mapped = Object.entries(levels);
  if (mapped.length > 0) {
    yield '';
    yield paint.title('Pages mapped by faults');
    yield* columns(mapped.map(([level, count]) => [`level ${level}`, PAGE_SIZES[Number(level)] ?? '', grouped(count)]));
  }
}

/** What codes are of, which the tracepoint does not say. */
const CODES = { ept: 'exit qualification of an EPT violation', npt: 'EXITINFO1 of a nested page fault', soft: '#PF error code' } as const;
const KNOWN_BY = { exit: 'by its exit', trace: 'by other events', bits: 'by its bits' } as const;

function* codes(counted: Explanation['summary']['codes'], paint: Palette): Generator<string> {
  const top = counted.top(MOST_ROWS);
  if (top.length === 0) return;
  yield '';
  yield paint.title('Codes of page faults');
  yield* columns(top.map(([, { code, count }]) => [grouped(count), code.text, CODES[code.mmu], KNOWN_BY[code.by]]));
}

const PAGE_SIZES = ['', '4K', '2M', '1G'];

function* more(count: number, noun: string): Generator<string> {
  if (count > 0) yield `  and ${plural(count, `more ${noun}`)}`;
}

function bars(counts: readonly number[]): string {
  const most = Math.max(...counts, 1);
  return counts
    .map((count) => (count === 0 ? ' ' : BARS[Math.min(7, Math.floor((count * 8) / (most + 1)))]))
    .join('')
    .trimEnd();
}

function* columns(rows: readonly (readonly string[])[]): Generator<string> {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  for (const row of rows)
    yield `  ${row.map((cell, i) => (/^[\d<]/.test(cell) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ')}`.trimEnd();
}

function* episodes({ listed, leftOut, recordings }: Explanation, paint: Palette): Generator<string> {
  if (listed.length === 0) return;
  const ticks = recordings.some((each) => each.ticks);
  const crowded = new Set(listed.map(({ folded }) => `${folded.body[0].first.task.pid}`)).size > 1;
  yield '';
  yield paint.title('Episodes') + paint.faint(', by the lines where they begin');
  const gap = leftOut > 0 ? Math.ceil(listed.length / 2) : -1;
  for (let i = 0; i < listed.length; i++) {
    if (i === gap) yield paint.faint(`  … ${plural(leftOut, 'folded episode')} left out: --episodes lists more, --lines some of them`);
    yield* listedLines(listed[i], ticks, crowded, paint);
  }
}

function* listedLines({ folded, rules }: Listed, ticks: boolean, crowded: boolean, paint: Palette): Generator<string> {
  const { body, times } = folded;
  const { from, to } = linesOf(folded);
  if (times > 1)
    yield `  ${paint.warn(`${body.length} kinds of episodes in this order × ${grouped(times)}`)}${paint.faint(`, lines ${from} to ${to}`)}:`;
  for (const run of body) yield* runLines(run, times > 1 ? '    ' : '  ', ticks, crowded, paint);
  const remarks = rules.map((rule) => `${ruleNamed(rule).sure} ${rule}`);
  const differs = isLoop(folded) ? differenceText(folded) : '';
  if (remarks.length > 0) yield paint.faint(`          ${remarks.join(', ')}`);
  if (differs !== '') yield paint.faint(`          ${differs}`);
}

function* runLines(run: Run, indent: string, ticks: boolean, crowded: boolean, paint: Palette): Generator<string> {
  const { first } = run;
  const { task, vcpu, line, time } = first;
  const number = vcpu ?? task.vcpu;
  const who = number === null ? `${task.comm}-${task.pid}` : `vCPU ${number}${crowded ? ` (${task.pid})` : ''}`;
  const when = time === null ? '' : moment(time, ticks);
  const beginning = beginningText(first);
  const outcome = outcomeText(first);
  const repetition = repetitionText(run, ticks);
  const said = [beginning && paint.exit(beginning), outcome].filter(Boolean).join(paint.faint(' → '));
  yield `${indent}${paint.faint(String(line).padStart(6))}  ${when}  ${who}  ${said}${repetition === '' ? '' : `  ${paint.warn(repetition)}`}`;
}
