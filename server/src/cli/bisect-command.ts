/** `mmu bisect`: the kernel with which an expectation changes, and the rule that changes it. */
import { endedText, KERNEL_RULES, KERNELS, palette, rulesOf } from '../api/engine';
import type { Kernel, KernelRuleName, Palette, RunView } from '../api/engine';
import type { OpenScript } from '../api/language';
import { plural } from '../events/wording';
import type { Arguments } from './commands';
import { INTERRUPTED, runInterruptibly } from './interruptible';
import type { Io } from './io';
import { nameOf } from './problems';
import { exitStatus, TIME_LIMIT } from './run-command';
import { milliseconds, openingOf, openRunnableText, openText, scenarioText } from './script';
import { changesOf, verdictsOf } from './verdicts';
import type { Change, Verdicts } from './verdicts';

/** A command that ends before its end. */
class Ended extends Error {
  constructor(readonly status: number) {
    super();
  }
}

export async function bisect(args: Arguments, io: Io): Promise<number> {
  const [path] = args.positionals;
  const text = scenarioText(path, io);
  const opening = openingOf(args);
  if (!openRunnableText(path, text, io, opening)) return 2;
  const runner = new Runner(io, milliseconds(args.options['time-limit'], TIME_LIMIT));
  const kernels = Object.keys(KERNELS) as Kernel[];
  try {
    let changes = 0;
    let before: Verdicts | null = null;
    let compared = 0;
    for (const [at, kernel] of kernels.entries()) {
      const script = openText(path, text, { ...opening, kernel });
      const views = await runner.run(script);
      const verdicts = verdictsOf(views);
      if (before) {
        const found = changesOf(before, verdicts);
        const causes = await causesOf(found, script, kernels[at - 1]!, kernel, runner);
        found.forEach((change, index) => print(change, causes[index]!, views, [kernels[at - 1]!, kernel], io));
        changes += found.length;
        compared += [...verdicts.keys()].filter((key) => before!.has(key)).length;
      }
      before = verdicts;
    }
    const paint = palette(io.colors);
    const verdict = `${plural(changes, 'change')} in ${plural(compared, 'expectation')} with kernels ${kernels.join(', ')}`;
    io.out(`${changes === 0 ? paint.good(verdict) : paint.bad(verdict)}\n`);
    return changes === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof Ended) return error.status;
    throw error;
  }
}

/** Runs under one time limit. */
class Runner {
  private readonly end: number;

  constructor(
    private readonly io: Io,
    timeLimit: number,
  ) {
    this.end = performance.now() + timeLimit;
  }

  /** @throws Ended when they were interrupted or did not come to their end */
  async run(script: OpenScript): Promise<readonly RunView[]> {
    const { views, interrupted } = await runInterruptibly(script, Math.max(1, this.end - performance.now()), this.io);
    if (interrupted) throw new Ended(INTERRUPTED);
    for (const { record } of views) {
      if (record.ended.how === 'done') continue;
      this.io.err(`mmu bisect: ${record.program.name}: ${endedText(record.ended)}\n`);
      throw new Ended(exitStatus(views));
    }
    return views;
  }
}

/** For each change the rules of the newer kernel without which, each alone, it is as with the older. */
async function causesOf(
  changes: readonly Change[],
  script: OpenScript,
  older: Kernel,
  newer: Kernel,
  runner: Runner,
): Promise<readonly (readonly KernelRuleName[])[]> {
  const causes = changes.map((): KernelRuleName[] => []);
  if (changes.length === 0) return causes;
  const old = rulesOf(older);
  const now = rulesOf(newer);
  for (const rule of Object.keys(KERNEL_RULES) as KernelRuleName[]) {
    if (old[rule] === now[rule]) continue;
    const verdicts = verdictsOf(await runner.run(withRule(script, rule, old[rule])));
    changes.forEach(({ key, before }, index) => {
      if (verdicts.get(key)?.holds === before.holds) causes[index]!.push(rule);
    });
  }
  return causes;
}

function withRule(script: OpenScript, rule: KernelRuleName, holds: boolean): OpenScript {
  const programs = script.programs.map((program) => {
    const { machine } = program;
    const kvm = { ...machine.host.kvm, rules: { [rule]: holds } };
    return { ...program, machine: { ...machine, host: { ...machine.host, kvm } } };
  });
  return { ...script, programs };
}

function print(
  { before, after, changed, executed }: Change,
  causes: readonly KernelRuleName[],
  views: readonly RunView[],
  kernels: readonly [Kernel, Kernel],
  io: Io,
): void {
  const paint = palette(io.colors);
  const view = views[after.program]!;
  const name = view.record.program.name.replace(/ with kernel [\d.]+$/, '');
  const place = view.statement(after.origin);
  const where = place ? `${nameOf(place.uri)}:${place.range.start.line + 1} ` : '';
  const times = executed > 1 ? `, ${changed} of ${plural(executed, 'time')}` : '';
  io.out(`${paint.faint(`${where}${name}:`)} ${after.text} changes with kernel ${kernels[1]}${times}\n`);
  [before, after].forEach((verdict, index) => io.out(`  ${line(verdict, kernels[index]!, paint)}\n`));
  for (const cause of causes) io.out(`  ${ruleText(cause)}\n`);
  if (causes.length === 0) io.out('  by several rules together, none of which does it alone\n');
}

function line({ holds, got }: Change['before'], kernel: Kernel, paint: Palette): string {
  const verdict = holds ? paint.good('✓') : `${paint.bad('✗')} got ${got}`;
  return `${kernel.padEnd(WIDEST)}  ${verdict}`;
}

const WIDEST = Math.max(...Object.keys(KERNELS).map((kernel) => kernel.length));

function ruleText(rule: KernelRuleName): string {
  const { about, function: place } = KERNEL_RULES[rule];
  return `${rule} (${place}): ${about}`;
}
