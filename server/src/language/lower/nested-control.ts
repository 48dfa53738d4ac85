/** What an L1 puts into its VMCS or VMCB for a VM inside it, as the scenario says it (`root`, `vmcs`, `vpid`). */
import type { ControlConfig, MmuKind, PagingMode } from '../../engine/program';
import type { Expression, Setting } from '../syntax/tree';
import type { Named } from '../semantics/scopes';
import { show } from '../semantics/values';
import type { Env } from '../semantics/values';
import type { Context } from './context';
import type { Surroundings } from './nested-memory';
import type { Settings } from './read-settings';
import type { FormatName, Shape } from './tables/format';

const PAGE = 4096n;

/** The VM around, as far as its control structures go. */
export interface ControlSurroundings extends Surroundings {
  readonly hypervisor: 'kvm' | 'script';
  readonly tables: ReadonlyMap<Named, { readonly shape: Shape; readonly root: number | null }>;
  hasMemory(gpa: number): boolean;
}

export interface ControlPlan {
  readonly config: ControlConfig;
  /** Root that is the name of tables: they must fit the kind of MMU, which is the run's to say. */
  readonly root: { readonly node: Expression; readonly tables: Named; readonly format: FormatName } | null;
}

export const CONTROL_SETTINGS: readonly string[] = ['root', 'vmcs', 'vpid'];

export function planControl(context: Context, settings: Settings, env: Env, around: ControlSurroundings): ControlPlan {
  const address = readAddress(context, settings, env, around);
  const root = readRoot(context, settings, env, around);
  return {
    config: {
      ...(address === null ? {} : { address }),
      ...(settings.has('vpid') ? { vpid: settings.number('vpid') } : {}),
      ...(root === null ? {} : { root: root.address }),
    },
    root: root?.tables ? { node: root.node, tables: root.tables.named, format: root.tables.format } : null,
  };
}

function readAddress(context: Context, settings: Settings, env: Env, around: ControlSurroundings): number | null {
  const setting = settings.node('vmcs');
  const address = settings.has('vmcs') ? settings.big('vmcs') : null;
  if (!setting?.value || address === null || !isPlace(context, setting.value, address, PAGE, 'a VMCS or VMCB', env, around)) return null;
  const clash = around.tablesIn({ from: Number(address), end: Number(address) + 4096 });
  if (!clash) return Number(address);
  const related = [{ file: clash.tables.file, node: clash.tables.definition, message: `${clash.tables.name} are defined here` }];
  context.report(env, setting.value, 'tables-overlap', `there is a table of ${clash.tables.name} at ${show(address)}`, { related });
  return null;
}

interface Root {
  readonly node: Expression;
  readonly address: number;
  readonly tables: { readonly named: Named; readonly format: FormatName } | null;
}

function readRoot(context: Context, settings: Settings, env: Env, around: ControlSurroundings): Root | null {
  const setting: Setting | null = settings.node('root');
  if (!setting?.value) return null;
  const { value: node } = setting;
  if (around.hypervisor !== 'script') {
    const why = `${around.named.name} behaves as KVM and makes the tables of its guests by itself; say hypervisor script to play it`;
    context.report(env, setting, 'not-by-script', why);
    return null;
  }
  const value = context.evaluator.value(node, env);
  if (typeof value === 'object' && value !== null) {
    const tables = around.tables.get(value);
    if (tables) return tables.root === null ? null : { node, address: tables.root, tables: { named: value, format: tables.shape.name } };
    context.report(env, node, 'not-tables', `${value.name} are not tables of ${around.named.name}, in whose memory the root lies`);
    return null;
  }
  const address = settings.big('root');
  if (address === null || !isPlace(context, node, address, 32n, 'a root', env, around)) return null;
  return { node, address: Number(address), tables: null };
}

/** An aligned address in L1's memory; else that is reported. */
function isPlace(
  context: Context,
  node: Expression,
  address: bigint,
  alignment: bigint,
  what: string,
  env: Env,
  around: ControlSurroundings,
): boolean {
  if (address % alignment !== 0n) {
    context.report(env, node, 'not-aligned', `${what} lies at a multiple of ${alignment}, not at ${show(address)}`);
    return false;
  }
  if (around.hasMemory(Number(address))) return true;
  context.report(env, node, 'not-in-slot', `${show(address)} is in no slot of ${around.named.name}`);
  return false;
}

/** Format of the root's tables when a VM is under this kind of MMU: those that the processor walks for it. */
export function rootFormat(mmu: MmuKind, paging: PagingMode): FormatName {
  if (mmu !== 'soft') return mmu;
  // Shadow tables are never 32-bit ones (§5.1.2): PAE serves all guests below 64 bits.
  return paging === '4-level' || paging === '5-level' ? paging : 'pae';
}
