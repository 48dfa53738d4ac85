/**
 * Random programs for a small guest: accesses, edits of its tables with the invalidation that the architecture asks for,
 * register loads, host acts. Each step makes sense under every kind of MMU.
 */
import fc from 'fast-check';
import { asScenario } from '../../support/as-scenario';
import { Bench, access, BY, host, slot, type Words } from './machines';
import type { Act, MmuKind, KvmOptions } from '../../../server/src/engine/program';
import type { Result } from '../../../server/src/engine/result';

/** Linear addresses of the program: eight data pages, four windows on tables, one MMIO page. */
const DATA = 0x40_0000;
const PAGES = 8;
const PT = 0x4000;
const PD = 0x3000;
const FIRST_FRAME = 0x10;
const FLAGS = [0x67n, 0x65n, 0x27n, 0x25n, 0x07n, 0x63n, 0x61n, 0x8000_0000_0000_0067n, 0n];

const words: Record<number, bigint> = { 0x1000: 0x2067n, 0x2000: 0x3067n, 0x3010: 0x4067n, 0x3018: 0x5067n, 0x9000: 0x2067n };
for (let i = 0; i < PAGES; i++) words[PT + i * 8] = BigInt((FIRST_FRAME + i) << 12) | FLAGS[i % 3];
/** Windows at 0x600000: PT, PD, root, second root; then a page in no slot. */
[PT, PD, 0x1000, 0x9000].forEach((table, i) => (words[0x5000 + i * 8] = BigInt(table) | 0x63n));
words[0x5020] = 0xd000_0063n;
export const RANDOM_WORDS: Words = words;

export type Step =
  | {
      readonly step: 'access';
      readonly kind: 'read' | 'write' | 'fetch' | 'rmw';
      readonly page: number;
      readonly offset: number;
      readonly user: boolean;
      readonly value: number;
    }
  | { readonly step: 'edit'; readonly page: number; readonly frame: number; readonly flags: number }
  /** Edits without INVLPG, then a flush of everything: what synchronization at MOV CR3 must find. */
  | { readonly step: 'edits'; readonly edits: readonly { readonly page: number; readonly frame: number; readonly flags: number }[] }
  | { readonly step: 'directory'; readonly flags: number; readonly table: number }
  | { readonly step: 'flush' }
  | { readonly step: 'root'; readonly which: number }
  | { readonly step: 'wp'; readonly on: boolean }
  | { readonly step: 'smep'; readonly on: boolean }
  | {
      readonly step: 'host';
      readonly act: 'log' | 'nolog' | 'get' | 'reclaim' | 'protect' | 'unprotect' | 'zap' | 'quota';
      readonly page: number;
    };

/** Half of all pages are the first two, so that different acts meet on one. */
const page = fc.oneof(fc.nat(1), fc.nat(PAGES - 1));
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      step: fc.constant('access' as const),
      kind: fc.constantFrom('read' as const, 'write' as const, 'fetch' as const, 'rmw' as const),
      page: fc.oneof(fc.nat(1), fc.nat(PAGES + 4)),
      offset: fc.constantFrom(0, 8, 0x800),
      user: fc.boolean(),
      value: fc.nat(0xffff),
    }),
  },
  { weight: 5, arbitrary: fc.record({ step: fc.constant('edit' as const), page, frame: page, flags: fc.nat(FLAGS.length - 1) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      step: fc.constant('edits' as const),
      edits: fc.array(fc.record({ page, frame: page, flags: fc.nat(FLAGS.length - 1) }), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('directory' as const), flags: fc.nat(5), table: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.constant({ step: 'flush' as const }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('root' as const), which: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('wp' as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('smep' as const), on: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constant('host' as const),
      act: fc.constantFrom(
        'log' as const,
        'nolog' as const,
        'get' as const,
        'reclaim' as const,
        'reclaim' as const,
        'protect' as const,
        'unprotect' as const,
        'zap' as const,
        'quota' as const,
      ),
      page,
    }),
  },
);
export const programs = (maxLength: number): fc.Arbitrary<Step[]> => fc.array(stepArbitrary, { minLength: 1, maxLength });

/** Rights alone, on two pages: accesses by both privileges, edits of flags, WP and SMEP, long enough for their combinations to meet. */
const onePage = fc.nat(1);
const rightsStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      step: fc.constant('access' as const),
      kind: fc.constantFrom('read' as const, 'write' as const, 'write' as const, 'fetch' as const),
      page: onePage,
      offset: fc.constant(0),
      user: fc.boolean(),
      value: fc.nat(0xffff),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ step: fc.constant('edit' as const), page: onePage, frame: onePage, flags: fc.nat(FLAGS.length - 1) }),
  },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('wp' as const), on: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('smep' as const), on: fc.boolean() }) },
);
export const rightsPrograms = fc.array(rightsStep, { minLength: 40, maxLength: 60, size: 'max' });

const SLOTS = [slot(0, 0, 0x10000), slot(1, 0x1_0000, 0x8000)];
const LOGGED = SLOTS[1];

export function machineFor(mmu: MmuKind, kvm: Partial<KvmOptions> = {}): Bench {
  return new Bench({ mmu, words: RANDOM_WORDS, slots: SLOTS, host: host(mmu === 'npt' ? 'amd' : 'intel', kvm) });
}

/** Acts of a step; edits end with the flush that the architecture asks for. */
export function actsOf(step: Step, root: number): Act[] {
  const flush: Act = { do: 'register', by: BY, register: 'cr3', value: root === 0 ? 0x1000n : 0x9000n, origin: 0 };
  switch (step.step) {
    case 'access': {
      // Windows are read only by accesses; the tables change by edits alone. Index PAGES + 4 is MMIO.
      const table = step.page >= PAGES && step.page < PAGES + 4;
      const address = step.page < PAGES ? DATA + step.page * 0x1000 : 0x60_0000 + (step.page - PAGES) * 0x1000;
      return [
        access(
          table ? 'read' : step.kind,
          BigInt(address + step.offset),
          step.user && !table,
          table || step.kind === 'read' || step.kind === 'fetch' ? null : BigInt(step.value),
        ),
      ];
    }
    case 'edits':
      return [...step.edits.map(edit), flush];
    case 'edit': {
      return [edit(step), { do: 'invlpg', by: BY, address: BigInt(DATA + step.page * 0x1000), origin: 0 }];
    }
    case 'directory':
      return [
        { do: 'store', by: BY, gpa: PD + 16, size: 8, value: step.table === 1 ? 0n : BigInt(PT) | FLAGS[step.flags], origin: 0 },
        flush,
      ];
    case 'flush':
      return [flush];
    case 'root':
      return [{ do: 'register', by: BY, register: 'cr3', value: step.which === 0 ? 0x1000n : 0x9000n, origin: 0 }];
    case 'wp':
      return [{ do: 'register', by: BY, register: 'cr0', value: step.on ? 0x1_0000n : 0n, mask: 0x1_0000n, origin: 0 }];
    case 'smep':
      return [{ do: 'register', by: BY, register: 'cr4', value: step.on ? 0x10_0000n : 0n, mask: 0x10_0000n, origin: 0 }];
    case 'host':
      return [hostAct(step.act, step.page)];
  }
}

/** The acts of a program, with the root that CR3 has when a step flushes. */
export function* actsOfAll(steps: readonly Step[]): Generator<{ readonly step: Step; readonly act: Act }> {
  let root = 0;
  for (const step of steps) {
    if (step.step === 'root') root = step.which;
    for (const act of actsOf(step, root)) yield { step, act };
  }
}

/** A program as a scenario, for the machine that {@link machineFor} makes. */
export function scenarioOf(steps: readonly Step[], mmu: MmuKind, kvm: Partial<KvmOptions>, kinds: readonly MmuKind[]): string {
  const acts = [...actsOfAll(steps)].map(({ act }) => act);
  return asScenario(machineFor(mmu, kvm).config, acts, kinds);
}

/**
 * Programs for which `holds` does not throw. One that fails is made as short as it can be and shown as a scenario, to be opened in
 * the editor.
 */
export function assertFor(
  steps: fc.Arbitrary<Step[]>,
  numRuns: number,
  holds: (steps: readonly Step[]) => void,
  scenario: (steps: readonly Step[]) => string,
): void {
  const fails = (program: readonly Step[]): boolean => {
    try {
      holds(program);
      return false;
    } catch {
      return true;
    }
  };
  fc.assert(fc.property(steps, holds), {
    numRuns,
    reporter: (details) => {
      if (details.failed)
        throw new Error(`${scenario(shortest(details.counterexample?.[0] ?? [], fails))}\n${fc.defaultReportMessage(details)}`);
    },
  });
}

/** Without each step that it fails without, too: the arbitrary shrinks steps and drops them at the front, but not in the middle. */
function shortest(program: readonly Step[], fails: (program: readonly Step[]) => boolean): readonly Step[] {
  for (let i = program.length - 1; i >= 0; i--) {
    const without = program.filter((_, at) => at !== i);
    if (without.length > 0 && fails(without)) program = without;
  }
  return program;
}

/** A store to one entry of the page table. */
function edit({ page, frame, flags }: { readonly page: number; readonly frame: number; readonly flags: number }): Act {
  const value = FLAGS[flags] === 0n ? 0n : BigInt((FIRST_FRAME + frame) << 12) | FLAGS[flags];
  return { do: 'store', by: BY, gpa: PT + page * 8, size: 8, value, origin: 0 };
}

function hostAct(act: Extract<Step, { step: 'host' }>['act'], index: number): Act {
  const base = { vm: 0, origin: 0 };
  switch (act) {
    case 'log':
    case 'nolog':
      return { ...base, do: 'slot-flags', id: 1, logDirty: act === 'log', readonly: false };
    case 'get':
      return { ...base, do: 'get-dirty-log', id: 1 };
    case 'reclaim':
      return { ...base, do: 'reclaim', hva: LOGGED.hva + index * 0x1000, size: 0x1000 };
    case 'protect':
    case 'unprotect':
      return { ...base, do: 'protect', hva: LOGGED.hva + index * 0x1000, size: 0x1000, writable: act === 'unprotect' };
    case 'zap':
      return { ...base, do: 'zap-all' };
    case 'quota':
      return { ...base, do: 'set-nr-mmu-pages', pages: 64 };
  }
}

/** What the guest sees of a result; addresses of the host are its own matter. */
export function seen(result: Result): string {
  switch (result.kind) {
    case 'ok':
      return `ok ${result.gpa?.toString(16) ?? '-'} ${result.value ?? '-'}`;
    case 'page-fault':
      return `#PF ${result.error.toString(16)} ${result.address.toString(16)}`;
    case 'mmio':
      return `mmio ${result.write ? 'w' : 'r'} ${result.gpa.toString(16)}`;
    case 'dirty-log':
      return 'dirty-log';
    case 'error':
      return `error ${result.errno}`;
    default:
      return result.kind;
  }
}
