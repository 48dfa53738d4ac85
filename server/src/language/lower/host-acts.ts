/** What acts of the host have in common: whose slots they are about, what KVM answers, areas of memory. */
import type { Act, HostAct as EngineAct } from '../../engine/program';
import { isFailure } from '../../engine/memory/slots';
import type { Failure, Region, Slot } from '../../engine/memory/slots';
import type { Expression, HostAct, HostArea, Node } from '../syntax/tree';
import { show } from '../semantics/values';
import type { RunVm } from './run-state';
import type { Frame, ScriptLowering } from './script';
import { expectsError } from './expected';
import { reportRefusal } from './slot-problems';
import type { RegionNodes } from './slot-problems';

const PAGE = 4096;

/** VM whose slots and memory host acts are about: the one that the script names, or else the one on the host itself. */
export function hostVm(script: ScriptLowering, frame: Frame): RunVm {
  return frame.named ? frame.vm : script.run.outermost;
}

type Without<T> = T extends unknown ? Omit<T, 'origin' | 'vm'> : never;

/** One act of the host as it is lowered: what its kind (statements/host/) works with. */
export class HostActLowering {
  readonly vm: RunVm;

  constructor(
    readonly script: ScriptLowering,
    private readonly node: HostAct,
    readonly frame: Frame,
    private readonly out: Act[],
  ) {
    this.vm = hostVm(script, frame);
  }

  get origin(): number {
    return this.script.statements.of(this.node);
  }

  emit(act: Without<EngineAct>): void {
    const { script, node, vm, frame, out } = this;
    const whole = { ...act, origin: this.origin, vm: vm.index } as EngineAct;
    script.emit(whole, out, node, frame.env);
  }

  /* ------------------------------------------------------------ slots */

  /**
   * The slot that an act is about; null when its id is unknown.
   *
   * @param absent what KVM answers when there is no such slot; null: it has more to say, by `SlotTracker`
   */
  slot(idNode: Expression, absent: 'EINVAL' | 'ENOENT' | null): { readonly id: number; readonly slot: Slot | null } | null {
    const id = this.script.context.between(idNode, this.frame.env, 'the id of a slot', 0n, 0xffff_ffffn);
    if (id === null) return null;
    const slot = this.vm.slots.byId(Number(id));
    if (!slot && absent) this.refused(idNode, { errno: absent, why: `there is no slot ${id}` });
    return { id: Number(id), slot };
  }

  /** Says what KVM would answer, unless the script expects an error or the ioctl is fine. */
  refused(at: Node, outcome: object | Failure): void {
    if (!isFailure(outcome) || expectsError(this.script, this.node.expects)) return;
    this.script.context.warn(this.frame.env, at, 'slot-refused', `KVM answers ${outcome.errno}: ${outcome.why}`);
  }

  /** As {@link refused}, of a region that is set, at what is to blame. */
  refusedSlot(region: Region, nodes: RegionNodes): void {
    const { script, vm, node, frame } = this;
    const others = vm.slots.all().filter(({ id, addressSpace }) => id !== region.slot && addressSpace === region.slot >>> 16);
    const taken = others.map((slot) => ({ gpa: slot.gfn * PAGE, size: slot.pages * PAGE }));
    const outcome = vm.slots.set(region);
    if (!isFailure(outcome) || expectsError(script, node.expects)) return;
    reportRefusal(script.context, outcome, region, nodes, taken, frame.env, { severity: 'warning' });
  }

  /* ------------------------------------------------------------ memory */

  /** An area by the VMM's addresses; one by guest-physical addresses is cut at slots. */
  areas(node: HostArea, act: (hva: number, size: number) => void): void {
    const area = this.area(node);
    if (!area) return;
    const { from, end } = area;
    if (node.space === 'hva') return act(from, end - from);
    for (let gpa = from; gpa < end;) {
      const slot = this.vm.slots.at(gpa);
      if (!slot) return this.noSlot(node, gpa);
      const slotEnd = (slot.gfn + slot.pages) * PAGE;
      const part = Math.min(end, slotEnd) - gpa;
      act(slot.hva + gpa - slot.gfn * PAGE, part);
      gpa += part;
    }
  }

  noSlot(node: Node, gpa: number): void {
    this.script.context.report(this.frame.env, node, 'not-in-slot', `gpa ${show(gpa)} is in no slot at this point`);
  }

  /** Whole pages. */
  private area(node: HostArea): { readonly from: number; readonly end: number } | null {
    const { context } = this.script;
    const range = context.evaluator.range(node.area, this.frame.env);
    if (!range) return null;
    const most = node.space === 'gpa' ? 1n << 52n : 1n << 47n;
    if (range.from < 0n || range.last >= most) {
      context.report(
        this.frame.env,
        node.area,
        'out-of-range',
        `${node.space === 'gpa' ? 'guest-physical addresses are below 2^52' : 'addresses of the VMM are below 2^47'}`,
      );
      return null;
    }
    const from = Math.floor(Number(range.from) / PAGE) * PAGE;
    return { from, end: Math.ceil((Number(range.last) + 1) / PAGE) * PAGE };
  }

  gpaOf(node: HostArea, hva: number): number | null {
    const slot = this.vm.slots.all().find((each) => each.hva <= hva && hva < each.hva + each.pages * PAGE);
    if (slot) return slot.gfn * PAGE + hva - slot.hva;
    this.script.context.report(this.frame.env, node, 'not-in-slot', `hva ${show(hva)} is in no slot at this point`);
    return null;
  }
}

export function regionOfSlot(slot: Slot): Region {
  return { slot: slot.id, flags: slot.flags, gpa: slot.gfn * PAGE, size: slot.pages * PAGE, hva: slot.hva };
}
