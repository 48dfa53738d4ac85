/** A trace, explained as its bytes come. Nothing is kept of it but counts, the tables that rules look at, and the folded episodes that are listed. */
import type { Explanation, Finding, Listed, RecordingFacts } from './explanation';
import { answersOf, type LoopFound } from './answers';
import type { Episode } from './episodes/episode';
import { Recording } from './episodes/recording';
import { Thread } from './episodes/thread';
import { Folder } from './folding/folder';
import { isLoop, episodesIn, type Folded } from './folding/run';
import type { HeadForm } from './lines/line-head';
import type { Conclusion, Rule, RuleContext } from './rules/rule';
import { RULE_NAMES, ruleNamed, type RuleName } from './rules/rules';
import { Summary } from './summary/summary';
import { TraceReader } from './trace-reader';
import type { TraceEvent } from './trace-event';

export interface ExplainOptions {
  /** Folded episodes that are listed at most: the first half and the last half. */
  readonly most: number;
  /** Those alone that begin within these lines. */
  readonly lines?: { readonly from: number; readonly to: number };
}

interface Runner {
  readonly thread: Thread;
  readonly folder: Folder;
  readonly recording: Recording;
  injected: RuleContext['injected'];
}

/** Events that are read before the first is explained. */
const LOOKED_AHEAD = 4096;

/** Lines of a finding that are named. */
const MOST_LINES = 5;

export class Explainer {
  readonly reader = new TraceReader((event) => this.take(event));
  private readonly recordings = new Map<string | null, Recording>();
  private readonly runners = new Map<string, Runner>();
  private readonly summary = new Summary();
  private readonly findings = new Map<RuleName, Finding>();
  /** What rules say of an episode, by the names alone. */
  private readonly said = new WeakMap<Episode, readonly RuleName[]>();
  private readonly head: Listed[] = [];
  private readonly tail: Listed[] = [];
  private readonly loops: LoopFound[] = [];
  private leftOut = 0;
  /** Events that wait; null: none does any more. */
  private ahead: TraceEvent[] | null = [];

  constructor(private readonly options: ExplainOptions) {}

  push(piece: Uint8Array): void {
    this.reader.push(piece);
  }

  end(ended: Explanation['ended'] = 'whole'): Explanation {
    this.reader.end();
    this.explainAhead();
    for (const { thread, folder } of this.runners.values()) {
      thread.end();
      folder.end();
    }
    const { reader, summary, recordings } = this;
    const findings = RULE_NAMES.flatMap((name) => this.findings.get(name) ?? []);
    const more = Math.max(0, this.tail.length - Math.floor(this.options.most / 2));
    const listed = [...this.head, ...this.tail.slice(more)].sort((a, b) => firstLine(a.folded) - firstLine(b.folded));
    const zappers = [...recordings.values()].flatMap(({ memory }) => memory.zappers());
    const facts = [...recordings.values()].map((recording) => this.factsOf(recording));
    const { counts, problems, lines, bytes } = reader;
    return {
      lines,
      bytes,
      counts,
      problems: problems.all(),
      recordings: facts,
      summary,
      zappers,
      findings,
      answers: answersOf({ recordings: facts, summary, zappers, findings, loops: this.loops }),
      listed,
      leftOut: this.leftOut + more,
      ended,
    };
  }

  /** The first events are only looked at: what they tell of the machine holds for the first of them too. */
  private take(event: TraceEvent): void {
    this.recordingOf(event.host).take(event);
    if (this.ahead === null) return this.explain(event);
    this.ahead.push(event);
    if (this.ahead.length >= LOOKED_AHEAD) this.explainAhead();
  }

  private explainAhead(): void {
    const events = this.ahead ?? [];
    this.ahead = null;
    for (const event of events) this.explain(event);
  }

  private explain(event: TraceEvent): void {
    const recording = this.recordingOf(event.host);
    const key = `${event.host ?? ''} ${event.pid}`;
    let runner = this.runners.get(key);
    if (!runner) {
      runner = this.runnerOf(event, recording);
      this.runners.set(key, runner);
    }
    runner.thread.take(event);
  }

  private recordingOf(host: string | null): Recording {
    let recording = this.recordings.get(host);
    if (!recording) {
      recording = new Recording(host, this.reader.problems);
      this.recordings.set(host, recording);
    }
    return recording;
  }

  private runnerOf(event: TraceEvent, recording: Recording): Runner {
    const folder = new Folder((folded) => this.folded(folded, runner));
    const thread = new Thread(event, recording, (episode) => this.episode(episode, runner));
    const runner: Runner = { thread, folder, recording, injected: null };
    return runner;
  }

  private episode(episode: Episode, runner: Runner): void {
    this.summary.add(episode);
    const { recording, injected } = runner;
    const found: RuleName[] = [];
    for (const name of RULE_NAMES) {
      const conclusion = (ruleNamed(name).episode as Rule['episode'])?.(episode, { recording, injected });
      if (!conclusion) continue;
      found.push(name);
      this.find(name, episode.line, 1, conclusion);
    }
    if (found.length > 0) this.said.set(episode, found);
    if (episode.deeds.injected) runner.injected = { line: episode.line, vector: episode.deeds.injected.vector };
    runner.folder.take(episode);
  }

  private folded(folded: Folded, runner: Runner): void {
    const found = [...(this.said.get(folded.body[0].first) ?? [])];
    const conclusions = this.conclusionsOf(folded, runner);
    for (const [name, conclusion] of conclusions) {
      found.push(name);
      this.find(name, firstLine(folded), episodesIn(folded), conclusion);
    }
    if (isLoop(folded)) this.keepLoop({ folded, conclusions: conclusions.map(([, conclusion]) => conclusion) });
    this.list({ folded, rules: [...new Set(found)] });
  }

  /** Of a loop; where that is one of several runs, of each of them that is one itself. */
  private conclusionsOf(folded: Folded, { recording, injected }: Runner): (readonly [RuleName, Conclusion])[] {
    if (!isLoop(folded)) return [];
    const { body, times } = folded;
    const loops = times === 1 ? [folded] : body.map((run): Folded => ({ body: [run], times: 1, differs: null })).filter(isLoop);
    return loops.flatMap((loop) =>
      RULE_NAMES.flatMap((name) => {
        const conclusion = (ruleNamed(name).loop as Rule['loop'])?.(loop, { recording, injected });
        return conclusion ? [[name, conclusion] as const] : [];
      }),
    );
  }

  private find(rule: RuleName, line: number, episodes: number, conclusion: () => string): void {
    const before = this.findings.get(rule);
    if (!before) {
      this.findings.set(rule, { rule, sure: ruleNamed(rule).sure, count: 1, lines: [line], said: conclusion(), episodes });
      return;
    }
    before.count++;
    before.episodes += episodes;
    if (before.lines.length < MOST_LINES) before.lines.push(line);
  }

  /** The longest ones. */
  private keepLoop(loop: LoopFound): void {
    this.loops.push(loop);
    if (this.loops.length <= MOST_LOOPS) return;
    this.loops.sort((a, b) => episodesIn(b.folded) - episodesIn(a.folded));
    this.loops.length = MOST_LOOPS / 2;
  }

  private list(listed: Listed): void {
    const { most, lines } = this.options;
    const line = firstLine(listed.folded);
    if (lines && (line < lines.from || line > lines.to)) return;
    if (this.head.length < most / 2) this.head.push(listed);
    else {
      this.tail.push(listed);
      // Not one by one: that would be a copy for each.
      if (this.tail.length >= most) this.leftOut += this.tail.splice(0, this.tail.length - Math.floor(most / 2)).length;
    }
  }

  private factsOf(recording: Recording): RecordingFacts {
    const { host, forms, byPlugin, vendor, mmu, sinceKernel, untilKernel, nested, hasMmuEvents, ticks } = recording;
    const most = <K extends string>(counts: { readonly [key in K]?: number }): K | null =>
      (Object.entries<number | undefined>(counts).sort(([, a], [, b]) => (b ?? 0) - (a ?? 0))[0]?.[0] as K | undefined) ?? null;
    const vcpus = [...this.runners.values()].flatMap((each) => (each.recording === recording ? (each.thread.task.vcpu ?? []) : []));
    return {
      host,
      form: most<HeadForm>(forms) ?? 'ftrace',
      byPlugin,
      vendor,
      mmu,
      since: sinceKernel,
      until: untilKernel,
      nested,
      hasMmuEvents,
      vcpus: [...new Set(vcpus)].sort((a, b) => a - b),
      ticks,
    };
  }
}

const MOST_LOOPS = 64;

function firstLine({ body }: Folded): number {
  return body[0].first.line;
}
