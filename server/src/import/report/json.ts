/** An explanation as JSON, by the schema `schema/explain.schema.json`. In pieces: a list of episodes can be long. */
import type { Explanation, Finding, Listed, RecordingFacts } from '../explanation';
import type { Episode } from '../episodes/episode';
import { beginningText, linesOf, outcomeText } from '../folding/folded-text';
import type { Run } from '../folding/run';
import type { Zapper } from '../memory/zapper';
import type { Seen } from '../read-counts';
import { ruleNamed } from '../rules/rules';
import type { Summary } from '../summary/summary';

const EXPLAIN_VERSION = 1;

/** Places of the summary that are printed. */
const MOST_PLACES = 100;
const MOST_RIPS = 5;

export function* explanationJson(explanation: Explanation, file: string): Generator<string> {
  const { lines, bytes, ended, problems, recordings, answers, findings, listed, leftOut, summary, zappers } = explanation;
  yield `{"schema":"mmu-explain","version":${EXPLAIN_VERSION},"file":${JSON.stringify(file)},"ended":${JSON.stringify(ended)}`;
  yield `,\n"read":${stringified({ lines, bytes, ...countsOf(explanation) })}`;
  yield `,\n"problems":${stringified(problems)}`;
  yield `,\n"recordings":${stringified(recordings.map(recordingOf))}`;
  yield `,\n"answers":${stringified(answers)}`;
  yield `,\n"findings":${stringified(findings.map(findingOf))}`;
  yield `,\n"summary":${stringified(summaryOf(summary))}`;
  yield `,\n"zappers":${stringified(zappers.map(zapperOf))}`;
  yield `,\n"leftOut":${leftOut},"episodes":[`;
  for (let i = 0; i < listed.length; i++) yield `${i > 0 ? ',' : ''}\n${stringified(listedOf(listed[i]))}`;
  yield ']}\n';
}

/** 64-bit values are hexadecimal. */
function stringified(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `0x${each.toString(16)}` : each));
}

const frame = (number: number | null): string | null => (number === null ? null : `0x${number.toString(16)}`);

const seen = (map: ReadonlyMap<string, Seen>): object => Object.fromEntries(map);

function countsOf({ counts }: Explanation): object {
  const { events, keptAsText, unread, others, continued, stack, marks, lost, text, firstTexts } = counts;
  return {
    events,
    keptAsText: seen(keptAsText),
    unread: seen(unread),
    others: seen(others),
    continued,
    stack,
    marks,
    lost,
    text,
    firstTexts,
  };
}

function recordingOf({ host, form, byPlugin, vendor, mmu, since, until, nested, hasMmuEvents, vcpus, ticks }: RecordingFacts): object {
  return {
    host,
    form,
    byPlugin,
    vendor,
    mmu,
    kernelSince: since,
    kernelBefore: until,
    nested,
    hasMmuEvents,
    vcpus,
    clock: ticks ? 'ticks' : 'ns',
  };
}

function findingOf({ rule, sure, count, episodes, lines, said }: Finding): object {
  const { about, function: where, since, until, section, sample } = ruleNamed(rule);
  const kernels = { since: since ?? null, before: until ?? null };
  return {
    rule,
    sure,
    said,
    count,
    episodes,
    lines,
    about,
    function: where,
    kernels,
    section: `§${section}`,
    sample: `samples/traces/${sample}`,
  };
}

function summaryOf({ episodes, exits, from, to, reasons, pages, levels, overTime, codes }: Summary): object {
  return {
    episodes,
    exits,
    from,
    to,
    interval: overTime.interval,
    reasons: [...reasons]
      .sort(([, a], [, b]) => b.count - a.count)
      .map(([name, { count, line, time, timed, longest, rips }]) => ({
        name,
        count,
        line,
        time,
        timed,
        longest,
        overTime: overTime.of(name),
        rips: rips.top(MOST_RIPS).map(([rip, each]) => ({ rip, count: each.count })),
      })),
    places: pages.top(MOST_PLACES).map(([, { space, address, count, line, reason }]) => ({ space, address, count, line, reason })),
    placesError: pages.error,
    levels,
    codes: codes.top(MOST_PLACES).map(
      ([
        ,
        {
          count,
          line,
          code: { code, mmu, by, text },
        },
      ]) => ({ code, mmu, by, text, count, line }),
    ),
  };
}

function zapperOf({ who, why, line, leaves, pages, all, from, to, again, againLine }: Zapper): object {
  return { who, why, line, leaves, pages, all, from: frame(from), to: frame(to), again, againLine: againLine ?? null };
}

function listedOf({ folded, rules }: Listed): object {
  const { body, times, differs } = folded;
  return { lines: linesOf(folded), times, body: body.map(runOf), differs: differs && differs.line, rules };
}

function runOf(run: Run): object {
  const { first, count, stays, places, low, high, interrupted, from, to, handled } = run;
  const addresses = stays || count === 1 ? null : { distinct: places ? places.size : null, low, high };
  return { count, stays, addresses, interrupted, from, to, handled, first: episodeOf(first) };
}

function episodeOf(episode: Episode): object {
  const { task, vcpu, cpu, line, offset, lastLine, events, time, until, exit, nested, fault, deeds, ends, partial } = episode;
  return {
    lines: { from: line, to: lastLine },
    offset,
    events,
    task: { host: task.host, comm: task.comm, pid: task.pid },
    vcpu: vcpu ?? task.vcpu,
    cpu,
    time,
    until,
    exit,
    nested,
    fault: fault && {
      address: fault.address,
      space: fault.space,
      code: fault.code.code,
      mmu: fault.code.mmu,
      by: fault.code.by,
      text: fault.code.text,
    },
    deeds: JSON.parse(JSON.stringify(deeds, framed)) as object,
    ends,
    partial,
    text: { began: beginningText(episode), cameOf: outcomeText(episode) },
  };
}

/** Frames are addresses as well. */
const FRAMES = ['gfn', 'pfn', 'from', 'to'];

function framed(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  return FRAMES.includes(key) && typeof value === 'number' ? frame(value) : value;
}
