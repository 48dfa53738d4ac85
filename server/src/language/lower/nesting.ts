/** Whether kinds of MMU virtualization go together, and slots that KVM would refuse. */
import type { MmuKind } from '../../engine/program';
import { isFailure } from '../../engine/memory/slots';
import type { Range } from '../syntax/tree';
import type { SourceFile } from '../semantics/source';
import type { Context } from './context';
import { rootFormat } from './nested-control';
import type { RunState } from './run-state';
import { nodesOf, reportRefusal } from './slot-problems';
import { regionOf, SlotTracker } from './slots';
import type { VmPlan } from './vm-plan';

/** A VM's MMU must be possible on that of the VM around it (§7.2), by its root, and all on one vendor's processor. */
export function checkKinds(context: Context, run: RunState, file: { readonly file: SourceFile }, at: { readonly range: Range }): boolean {
  for (const { plan, mmu } of run.vms) {
    const parent = plan.parent && run.vmOf(plan.parent);
    if (!parent) continue;
    if (mmu !== 'soft' && parent.mmu === 'soft') {
      const outer = parent.plan.named.name;
      const why = `KVM offers ${outer} nested ${mmu.toUpperCase()} only when it uses ${mmu.toUpperCase()} itself, and ${outer} has a soft MMU`;
      context.report(file, at, 'impossible-nesting', `${plan.named.name} cannot be under ${mmu}: ${why}`);
      return false;
    }
  }
  for (const { plan, mmu } of run.vms) {
    const root = plan.control?.root;
    const wanted = rootFormat(mmu, plan.vcpus[0].config.paging);
    if (!root || root.format === wanted) continue;
    const related = [{ file: root.tables.file, node: root.tables.definition, message: `${root.tables.name} are defined here` }];
    const message = `${plan.named.name} under ${mmu} runs by ${wanted} tables, and its root ${root.tables.name} are ${root.format} tables`;
    context.report(file, at, 'format-mismatch', message, { related });
    return false;
  }
  const hard = [...new Set(run.vms.map(({ mmu }) => mmu).filter((mmu) => mmu !== 'soft'))];
  if (hard.length < 2) return true;
  context.report(file, at, 'mixed-vendors', "EPT is Intel's and NPT is AMD's: one machine has one of them");
  return false;
}

/** Every slot that KVM_SET_USER_MEMORY_REGION would refuse, with its errno (§4.1). */
export function checkSlots(context: Context, plan: VmPlan, mmu: MmuKind, maxPhyAddr: number): void {
  const tracker = new SlotTracker(mmu, maxPhyAddr);
  for (const slot of plan.slots) {
    const { config, node, env } = slot;
    const region = regionOf(config);
    const first = tracker.byId(region.slot);
    if (first) {
      const other = plan.slots.find((each) => regionOf(each.config).slot === region.slot);
      const related = other ? [{ file: other.env.file, node: other.node.id, message: 'the slot' }] : [];
      context.report(env, node.id, 'slot-twice', `there is a slot ${config.id} already`, { related });
      continue;
    }
    const outcome = tracker.set(region);
    if (!isFailure(outcome)) continue;
    const before = plan.slots.slice(0, plan.slots.indexOf(slot)).filter((each) => sameSpace(each.config, config));
    const other = outcome.errno === 'EEXIST' ? before.find((each) => overlaps(each.config, config)) : undefined;
    const related = other ? [{ file: other.env.file, node: other.node.id, message: 'it overlaps with this slot' }] : [];
    const taken = plan.slots.filter((each) => each !== slot && sameSpace(each.config, config)).map((each) => each.config);
    reportRefusal(context, outcome, region, nodesOf(node), taken, env, { related });
  }
}

function sameSpace(a: { readonly addressSpace?: number }, b: { readonly addressSpace?: number }): boolean {
  return (a.addressSpace ?? 0) === (b.addressSpace ?? 0);
}

function overlaps(a: { readonly gpa: number; readonly size: number }, b: { readonly gpa: number; readonly size: number }): boolean {
  return a.gpa < b.gpa + b.size && b.gpa < a.gpa + a.size;
}
