/** What the host does: the VMM with its slots, and host memory management. */
import type { Act, HostAct as EngineAct, SlotConfig } from '../../engine/program';
import { isFailure } from '../../engine/memory/slots';
import type { Failure, Region, Slot } from '../../engine/memory/slots';
import type { Expect, Expression, Flag, HostAct, HostArea, Node } from '../syntax/tree';
import { show } from '../semantics/values';
import type { RunVm } from './run-state';
import type { Frame, ScriptLowering } from './script';
import { checkGuestMemory, GuestPlacer } from './nested-memory';
import { nodesOf, reportRefusal } from './slot-problems';
import type { RegionNodes } from './slot-problems';
import { draftSlot, HvaAllocator, placeSlots, regionOf } from './slots';

const PAGE = 4096;
/** Pages for which KVM_CLEAR_DIRTY_LOG clears at least. */
const WORD_PAGES = 64n;

/** VM whose slots and memory host acts are about: the one that the script names, or else the one on the host itself. */
export function hostVm(script: ScriptLowering, frame: Frame): RunVm {
  return frame.named ? frame.vm : script.run.outermost;
}

export function lowerHostAct(script: ScriptLowering, node: HostAct, frame: Frame, out: Act[]): void {
  const vm = hostVm(script, frame);
  new HostActLowering(script, node, frame, vm, out).lower();
}

type Without<T> = T extends unknown ? Omit<T, 'origin' | 'vm'> : never;

class HostActLowering {
  constructor(
    private readonly script: ScriptLowering,
    private readonly node: HostAct,
    private readonly frame: Frame,
    private readonly vm: RunVm,
    private readonly out: Act[],
  ) {}

  lower(): void {
    const { node } = this;
    switch (node.act) {
      case 'create':
        return this.create(node);
      case 'delete':
        return this.change(node.id, (id) => {
          this.refused(node.id, this.vm.slots.set({ slot: id, flags: 0, gpa: 0, size: 0, hva: 0 }));
          this.emit({ do: 'delete-slot', id });
        });
      case 'move':
        return this.change(node.id, (id, slot) => {
          const gpa = this.script.context.unsigned(node.to, this.frame.env, 'a guest-physical address');
          if (gpa === null) return;
          if (slot) this.refusedSlot({ ...regionOfSlot(slot), gpa: Number(gpa) }, { whole: node.to, gpa: node.to });
          this.emit({ do: 'move-slot', id, gpa: Number(gpa) });
        });
      case 'resize':
        return this.change(node.id, (id, slot) => this.resize(id, slot));
      case 'flags':
        return this.change(node.id, (id, slot) => this.flags(id, slot, node.flags));
      case 'get-dirty-log':
        return this.change(node.id, (id) => {
          this.refused(node.id, this.vm.slots.logging(id));
          this.emit({ do: 'get-dirty-log', id });
        });
      case 'clear-dirty-log':
        return this.change(node.id, (id, slot) => this.clearLog(id, slot));
      case 'reclaim':
      case 'split':
      case 'collapse': {
        const act = node.act;
        return this.areas(node.area, (hva, size) => this.emit({ do: act, hva, size }));
      }
      case 'protect': {
        const writable = this.writable(node.flags);
        if (writable !== null) this.areas(node.area, (hva, size) => this.emit({ do: 'protect', hva, size, writable }));
        return;
      }
      case 'write':
        return this.write(node.area, node.value);
      case 'zap-all':
        return this.emit({ do: 'zap-all' });
      case 'nr-mmu-pages': {
        const pages = this.script.context.between(node.pages, this.frame.env, 'a number of shadow pages', 0n, 1n << 31n);
        if (pages !== null) this.emit({ do: 'set-nr-mmu-pages', pages: Number(pages) });
      }
    }
  }

  private emit(act: Without<EngineAct>): void {
    const { script, node, vm, frame, out } = this;
    const whole = { ...act, origin: script.statements.of(node), vm: vm.index } as EngineAct;
    script.emit(whole, out, node, frame.env);
  }

  /* ------------------------------------------------------------ slots */

  private create(node: HostAct & { act: 'create' }): void {
    if (!node.slot) return;
    const { script, vm, frame } = this;
    const draft = draftSlot(script.context, node.slot, frame.env, script.run.host.pageSize);
    if (!draft) return;
    const around = vm.plan.parent;
    const guests = script.run.vms.filter(({ plan }) => plan.parent === around).flatMap(({ slots }) => slots.all());
    const placer = around ? new GuestPlacer(around.surroundings) : new HvaAllocator();
    for (const slot of around ? guests : vm.slots.all()) placer.claim(slot.hva, slot.pages * PAGE);
    const [plan] = placeSlots(script.context, [draft], placer);
    if (!plan) return;
    if (around) checkGuestMemory(script.context, [plan], around.surroundings);
    this.refusedSlot(regionOf(plan.config), nodesOf(node.slot));
    const slot: SlotConfig = { ...plan.config, origin: script.statements.of(node) };
    this.emit({ do: 'set-slot', slot });
  }

  private change(idNode: Expression, act: (id: number, slot: Slot | null) => void): void {
    const id = this.script.context.between(idNode, this.frame.env, 'the id of a slot', 0n, 0xffff_ffffn);
    if (id === null) return;
    const slot = this.vm.slots.byId(Number(id));
    const { act: name } = this.node;
    if (!slot && name !== 'get-dirty-log' && name !== 'delete')
      this.refused(idNode, { errno: name === 'clear-dirty-log' ? 'ENOENT' : 'EINVAL', why: `there is no slot ${id}` });
    act(Number(id), slot);
  }

  private resize(id: number, slot: Slot | null): void {
    const { node, frame, script } = this;
    if (node.act !== 'resize') return;
    const size = script.context.between(node.to, frame.env, 'the size of a slot', 1n, (1n << 63n) - 1n);
    if (size === null || !slot) return;
    const region = { ...regionOfSlot(slot), size: Number(size) };
    this.refused(node.to, this.vm.slots.set(region));
    const { gpa, hva } = region;
    const backing = { pageSize: script.run.host.pageSize, populated: true };
    const config = { id, gpa, hva, size: region.size, readonly: slot.readonly, logDirty: slot.dirtyLog !== null, backing };
    this.emit({ do: 'set-slot', slot: { ...config, origin: script.statements.of(node) } });
  }

  private flags(id: number, slot: Slot | null, flags: readonly Flag[]): void {
    const words = flags.map((flag) => flag.name.text);
    const { context } = this.script;
    for (const flag of flags) {
      if (flag.not)
        context.report(this.frame.env, flag, 'flags-clash', 'list the flags that the slot is to have, and no others; none is none of them');
      if (flag.name.text === 'none' && flags.length > 1) context.report(this.frame.env, flag, 'flags-clash', 'none stands alone');
    }
    const logDirty = words.includes('log_dirty');
    const readonly = words.includes('readonly');
    if (slot)
      this.refused(flags[0] ?? this.node, this.vm.slots.set({ ...regionOfSlot(slot), flags: (logDirty ? 1 : 0) | (readonly ? 2 : 0) }));
    this.emit({ do: 'slot-flags', id, logDirty, readonly });
  }

  private clearLog(id: number, slot: Slot | null): void {
    const { node, frame, script } = this;
    if (node.act !== 'clear-dirty-log') return;
    if (slot) this.refused(node.id, this.vm.slots.logging(id));
    const pages = node.pages ? script.context.evaluator.range(node.pages, frame.env) : { from: 0n, last: BigInt(slot?.pages ?? 1) - 1n };
    if (!pages) return;
    const count = pages.last - pages.from + 1n;
    const toEnd = slot !== null && pages.last + 1n === BigInt(slot.pages);
    const wrong =
      pages.from % WORD_PAGES !== 0n
        ? `the first page is a multiple of 64, not ${pages.from}`
        : count % WORD_PAGES !== 0n && !toEnd
          ? `the number of pages is a multiple of 64 or goes to the end of the slot, not ${count}`
          : slot && pages.last >= BigInt(slot.pages)
            ? `the slot has ${slot.pages} pages`
            : null;
    if (wrong) this.refused(node.pages ?? node, { errno: 'EINVAL', why: wrong });
    if (pages.from < 0n || pages.last >= 1n << 40n) return;
    this.emit({ do: 'clear-dirty-log', id, first: Number(pages.from), pages: Number(count) });
  }

  /** Says what KVM would answer, unless the script expects an error or the ioctl is fine. */
  private refused(at: Node, outcome: object | Failure): void {
    if (!isFailure(outcome) || expectsError(this.node.expects, this.script)) return;
    this.script.context.warn(this.frame.env, at, 'slot-refused', `KVM answers ${outcome.errno}: ${outcome.why}`);
  }

  /** As {@link refused}, of a region that is set, at what is to blame. */
  private refusedSlot(region: Region, nodes: RegionNodes): void {
    const { script, vm, node, frame } = this;
    const others = vm.slots.all().filter(({ id, addressSpace }) => id !== region.slot && addressSpace === region.slot >>> 16);
    const taken = others.map((slot) => ({ gpa: slot.gfn * PAGE, size: slot.pages * PAGE }));
    const outcome = vm.slots.set(region);
    if (!isFailure(outcome) || expectsError(node.expects, script)) return;
    reportRefusal(script.context, outcome, region, nodes, taken, frame.env, { severity: 'warning' });
  }

  /* ------------------------------------------------------------ memory */

  /** An area by the VMM's addresses; one by guest-physical addresses is cut at slots. */
  private areas(node: HostArea, act: (hva: number, size: number) => void): void {
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

  private noSlot(node: Node, gpa: number): void {
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

  private write(node: HostArea, valueNode: Extract<HostAct, { act: 'write' }>['value']): void {
    const { context } = this.script;
    const { env } = this.frame;
    const address = context.evaluator.number(node.area.from, env);
    const value = context.evaluator.bits(valueNode, env);
    if (node.area.to || node.area.size)
      context.report(env, node.area, 'no-range', 'the VMM writes one word of 8 bytes: give its address alone');
    if (address === null || value === null) return;
    const gpa = node.space === 'gpa' ? Number(address) : this.gpaOf(node, Number(address));
    if (gpa === null) return;
    if (!this.vm.slots.at(gpa)) return this.noSlot(node, gpa);
    if (gpa % 8 !== 0) {
      context.report(env, node.area, 'not-aligned', `a word lies at a multiple of 8, not at ${show(address)}`);
      return;
    }
    this.emit({ do: 'host-write', gpa, value });
  }

  private gpaOf(node: HostArea, hva: number): number | null {
    const slot = this.vm.slots.all().find((each) => each.hva <= hva && hva < each.hva + each.pages * PAGE);
    if (slot) return slot.gfn * PAGE + hva - slot.hva;
    this.script.context.report(this.frame.env, node, 'not-in-slot', `hva ${show(hva)} is in no slot at this point`);
    return null;
  }

  private writable(flags: readonly Flag[]): boolean | null {
    const rights = flags.map((flag) => (flag.name.text === 'rw') !== flag.not);
    if (rights.length === 1) return rights[0];
    this.script.context.report(this.frame.env, flags[1] ?? this.node, 'flags-clash', 'protect takes ro or rw');
    return null;
  }
}

function regionOfSlot(slot: Slot): { slot: number; flags: number; gpa: number; size: number; hva: number } {
  return { slot: slot.id, flags: slot.flags, gpa: slot.gfn * PAGE, size: slot.pages * PAGE, hva: slot.hva };
}

function expectsError(expects: readonly Expect[], script: ScriptLowering): boolean {
  return expects.some((expect) => script.run.isUnder(expect.under) && expect.of.some((each) => each.kind === 'expect-error'));
}
