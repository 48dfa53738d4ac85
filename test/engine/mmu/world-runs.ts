/** Running random programs in worlds, with every check that can be made on the way. */
import assert from 'node:assert/strict';
import { Journal } from '../../../server/src/engine/journal/journal';
import { Machine } from '../../../server/src/engine/machine';
import type { Act, Program } from '../../../server/src/engine/program';
import type { Result } from '../../../server/src/engine/result';
import { programAsScenario } from '../../support/as-scenario';
import { seen } from './random-programs';
import { programOf, Steps, type Step } from './world-programs';
import { BUDGET, DATA_GPA, machineOf, type World } from './worlds';

/** What one step came to: result by result what the guest sees. */
export type Seen = readonly string[];

export interface Checks {
  /** Every invariant after each act. */
  readonly invariants?: boolean;
  /** Done to the machine before each step. */
  readonly before?: (machine: Machine, step: number) => void;
}

/** @returns what the guest and user space see, step by step */
export function runSteps(world: World, program: readonly Step[], { invariants = true, before }: Checks = {}): Seen[] {
  const machine = new Machine(machineOf(world), new Journal(), BUDGET);
  const steps = new Steps(world);
  const log = new WriteLog(world.kvm?.dirtyLogInitiallySet === true);
  return program.map((step, i) => {
    before?.(machine, i);
    return steps.acts(step).map((act) => {
      const { result } = machine.perform(act);
      log.note(act, result);
      if (invariants) assert.deepEqual(machine.brokenInvariants(), [], `after ${JSON.stringify(step)}`);
      if (endsInStep(act)) assert.deepEqual(unsyncBelowRoot(machine, act), [], `S13: unsync pages after ${JSON.stringify(step)}`);
      return `${act.do}: ${seen(result)}`;
    });
  });
}

/** M7: whatever the guest writes into a logging slot is in the next log. */
class WriteLog {
  private readonly written = new Set<number>();
  private logs = false;

  constructor(private readonly initiallySet: boolean) {}

  note(act: Act, result: Result): void {
    if (act.do === 'slot-flags' && result.kind === 'done') {
      if (act.logDirty !== this.logs) this.written.clear();
      this.logs = act.logDirty;
    }
    if (act.do === 'access' && act.access !== 'read' && act.access !== 'fetch' && result.kind === 'ok' && this.logs) this.add(result.gpa!);
    if (act.do === 'get-dirty-log' && result.kind === 'dirty-log') {
      const missing = [...this.written].filter((gpa) => !result.gpas.includes(gpa));
      assert.deepEqual(missing, [], 'M7: pages written and not reported');
      if (!this.initiallySet) this.written.clear();
    }
    if (act.do === 'clear-dirty-log' && result.kind === 'done') this.written.clear();
  }

  /** Pages of the slot that programs log: whatever layout it has, it holds these. */
  private add(gpa: number): void {
    if (gpa >= DATA_GPA + 0x3000 && gpa < DATA_GPA + 0x4_0000) this.written.add(gpa - (gpa % 4096));
  }
}

/** Acts after which nothing below the current root may be out of step: MOV CR3 that flushes, INVPCID of everything. */
function endsInStep(act: Act): act is Extract<Act, { do: 'register' | 'invpcid' }> {
  if (act.do === 'register') return act.register === 'cr3' && act.value >> 63n === 0n;
  return act.do === 'invpcid' && act.type >= 2;
}

/** S13, by what a machine shows of its pages. */
function unsyncBelowRoot(machine: Machine, { by }: Extract<Act, { by: unknown }>): string[] {
  const root = machine.rootOf(by);
  if (root === null || root.kind !== 'shadow') return [];
  const pages = machine.shadowPages(by.vm);
  const holding = (at: number): number => Math.floor(at / 4096);
  const { physical } = machine;
  // A root of four PAE entries is no shadow page itself.
  const tops = root.level > 3 ? [root.hpa] : [0, 8, 16, 24].map((i) => physical.low(root.hpa + i));
  const roots = new Set(tops.map(holding));
  const leadsTo = (frame: number): boolean => {
    if (roots.has(frame)) return true;
    const page = pages.find((each) => each.frame === frame);
    return page !== undefined && [...page.parents].some((at) => leadsTo(holding(at)));
  };
  return pages.filter((page) => page.unsync && leadsTo(page.frame)).map((page) => `gfn ${page.gfn.toString(16)}`);
}

/** A check of a program that fails tells the program as a scenario. */
export function told<T>(program: () => Program, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof Error) error.message += `\n\nAs a scenario:\n\n${programAsScenario(program())}`;
    throw error;
  }
}

/** Two worlds, or ways of running, in which the guest sees the same. */
export function assertSame(world: World, steps: readonly Step[], actual: readonly Seen[], expected: readonly Seen[], what: string): void {
  told(
    () => programOf(world, steps),
    () => assert.deepEqual(actual, expected, what),
  );
}
