/**
 * Random programs for the guests of worlds.ts: accesses by several vCPUs, edits of tables with the shootdown that the
 * architecture asks for, register loads, acts of the host. Each step makes sense under every kind of MMU.
 */
import fc from 'fast-check';
import type { Act, Performer, Program } from '../../../server/src/engine/program';
import {
  BUDGET,
  DATA_GPA,
  FLAGS,
  HVA,
  LARGE_GPA,
  MMIO_PAGE,
  NOWHERE,
  PAGES,
  addressOf,
  dataFrame,
  largeAddressOf,
  layoutOf,
  machineOf,
  type World,
} from './worlds';

interface Edit {
  readonly page: number;
  readonly frame: number;
  readonly flags: number;
}

/** Logging is done more often: it is what most depends on what was done before. */
const HOST_ACTS = [
  'log',
  'log',
  'log',
  'get',
  'get',
  'nolog',
  'get',
  'clear',
  'reclaim',
  'protect',
  'unprotect',
  'zap',
  'quota',
  'split',
  'collapse',
  'delete',
  'create',
  'create-readonly',
  'move',
  'write',
] as const;
export type HostStep = (typeof HOST_ACTS)[number];

export type Step =
  | {
      readonly step: 'access';
      readonly vcpu: number;
      readonly kind: 'read' | 'write' | 'fetch' | 'rmw';
      /** Data, windows, MMIO; above: in one of the large pages. */
      readonly page: number;
      readonly offset: number;
      readonly user: boolean;
      readonly value: number;
    }
  /** Edits of the shared table, then each vCPU drops what it has cached: address by address, or everything. */
  | { readonly step: 'edits'; readonly vcpu: number; readonly edits: readonly Edit[]; readonly flush: number }
  | { readonly step: 'directory'; readonly vcpu: number; readonly present: boolean; readonly flags: number }
  | { readonly step: 'large'; readonly vcpu: number; readonly flags: number }
  | { readonly step: 'flush'; readonly vcpu: number; readonly how: number }
  | { readonly step: 'root'; readonly vcpu: number; readonly which: number; readonly keep: boolean }
  | { readonly step: 'wp'; readonly vcpu: number; readonly on: boolean }
  | { readonly step: 'smep'; readonly vcpu: number; readonly on: boolean }
  | { readonly step: 'host'; readonly act: HostStep; readonly page: number };

const vcpu = fc.nat(2);
/** Half of all pages are the first two, so that different acts meet on one. */
const page = fc.oneof(fc.nat(1), fc.nat(PAGES - 1));
/** Frames of data, one in no slot, one in the slot that comes and goes. */
const edit = fc.record({ page, frame: fc.oneof(page, page, fc.nat(PAGES + 1)), flags: fc.nat(FLAGS.length - 1) });
const frameOf = (frame: number): number => (frame < PAGES ? dataFrame(frame) : frame === PAGES ? NOWHERE : LARGE_GPA);
const access: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('access' as const),
  vcpu,
  kind: fc.constantFrom('read' as const, 'write' as const, 'write' as const, 'fetch' as const, 'rmw' as const),
  page: fc.oneof(fc.nat(1), fc.nat(MMIO_PAGE + 6)),
  offset: fc.constantFrom(0, 8, 0x800),
  user: fc.boolean(),
  value: fc.nat(0xffff),
});
const editing: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('edits' as const),
  vcpu,
  edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  flush: fc.nat(3),
});
export const HOST_STEP: fc.Arbitrary<Step> = fc.record({ step: fc.constant('host' as const), act: fc.constantFrom(...HOST_ACTS), page });
export const GUEST_STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: access },
  { weight: 6, arbitrary: editing },
  {
    weight: 2,
    arbitrary: fc.record({ step: fc.constant('directory' as const), vcpu, present: fc.boolean(), flags: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('large' as const), vcpu, flags: fc.nat(FLAGS.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('flush' as const), vcpu, how: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('root' as const), vcpu, which: fc.nat(1), keep: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('wp' as const), vcpu, on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('smep' as const), vcpu, on: fc.boolean() }) },
);
export const worldPrograms = (maxLength: number, host = true): fc.Arbitrary<Step[]> =>
  fc.array(host ? fc.oneof({ weight: 4, arbitrary: GUEST_STEP }, { weight: 1, arbitrary: HOST_STEP }) : GUEST_STEP, {
    minLength: 1,
    maxLength,
    size: 'max',
  });

/** Acts of programs in one world, step by step: what roots the vCPUs have is known from the steps before. */
export class Steps {
  private readonly roots: number[];
  private readonly all: number[];
  private origin = 0;

  constructor(private readonly world: World) {
    this.all = Array.from({ length: world.vcpus ?? 1 }, (_, i) => i);
    this.roots = this.all.map(() => 0);
  }

  acts(step: Step): Act[] {
    return this.unnumbered(step).map((act) => ({ ...act, origin: ++this.origin }));
  }

  private unnumbered(step: Step): Act[] {
    const { world } = this;
    if (step.step === 'host') return hostActs(step.act, step.page);
    const by = { vm: 0, vcpu: step.vcpu % this.all.length };
    const layout = layoutOf(world.paging);
    const paging = world.paging !== 'none';
    switch (step.step) {
      case 'access':
        return [accessOf(world, by, step)];
      case 'edits': {
        if (!paging) return [];
        const stores = step.edits.map((each) => this.store(by, layout.entry(each.page), entryOf(world, frameOf(each.frame), each.flags)));
        if (step.flush > 1) return [...stores, ...this.shootdown(step.flush)];
        return [...stores, ...step.edits.flatMap((each) => this.forget(addressOf(world, each.page)))];
      }
      case 'directory': {
        if (!paging) return [];
        const value = step.present ? entryOf(world, layout.table, step.flags) : 0n;
        return [this.store(by, layout.directory, value), ...this.shootdown(step.flags)];
      }
      case 'large': {
        if (!paging) return [];
        const value = entryOf(world, LARGE_GPA, step.flags);
        return [this.store(by, layout.largeEntry, value === 0n ? 0n : value | 0x80n), ...this.shootdown(2)];
      }
      case 'flush':
        return paging ? this.flush(by, step.how) : [];
      case 'root': {
        if (!paging) return [];
        this.roots[by.vcpu] = step.which;
        return [this.cr3(by, step.keep)];
      }
      case 'wp':
        return [{ do: 'register', by, register: 'cr0', value: step.on ? 0x1_0000n : 0n, mask: 0x1_0000n, origin: 0 }];
      case 'smep':
        return [{ do: 'register', by, register: 'cr4', value: step.on ? 0x10_0000n : 0n, mask: 0x10_0000n, origin: 0 }];
    }
  }

  private store(by: Performer, gpa: number, value: bigint): Act {
    return { do: 'store', by, gpa, value, size: layoutOf(this.world.paging).size, origin: 0 };
  }

  private cr3(by: Performer, keep: boolean): Act {
    const which = this.roots[by.vcpu];
    const root = BigInt(layoutOf(this.world.paging).roots[which]);
    const value = this.world.pcid === true ? root | BigInt(which) | (keep ? 1n << 63n : 0n) : root;
    return { do: 'register', by, register: 'cr3', value, origin: 0 };
  }

  /** An address, on every vCPU: with PCIDs in both of them. */
  private forget(address: number): Act[] {
    const at = BigInt(address);
    return this.all.flatMap((number): Act[] => {
      const by = { vm: 0, vcpu: number };
      if (this.world.pcid !== true) return [{ do: 'invlpg', by, address: at, origin: 0 }];
      return [0, 1].map((pcid): Act => ({ do: 'invpcid', by, type: 0, pcid, address: at, origin: 0 }));
    });
  }

  private shootdown(how: number): Act[] {
    return this.all.flatMap((number) => this.flush({ vm: 0, vcpu: number }, how));
  }

  /** Everything that a vCPU has cached. */
  private flush(by: Performer, how: number): Act[] {
    const invpcid = (type: 1 | 2 | 3, pcid = 0): Act => ({ do: 'invpcid', by, type, pcid, address: 0n, origin: 0 });
    if (how % 2 === 1) return [invpcid(how % 4 === 1 ? 2 : 3)];
    if (this.world.pcid === true) return [invpcid(1, 0), invpcid(1, 1)];
    return [this.cr3(by, false)];
  }
}

function entryOf(world: World, frame: number, flags: number): bigint {
  const bits = FLAGS[flags];
  return bits === 0n ? 0n : BigInt(frame) | (world.paging === '32-bit' ? bits & 0xffff_ffffn : bits);
}

function accessOf(world: World, by: Performer, step: Extract<Step, { step: 'access' }>): Act {
  const { page: at, offset, kind, value } = step;
  const window = at >= PAGES && at < MMIO_PAGE;
  const beyond = at - MMIO_PAGE - 1;
  const address = beyond < 0 ? addressOf(world, at) : largeAddressOf(world, beyond & 1, beyond >> 1);
  const what = window ? 'read' : kind;
  return {
    do: 'access',
    by,
    access: what,
    user: step.user && !window,
    implicit: false,
    ac: null,
    address: BigInt(address + offset),
    size: 8,
    value: what === 'read' || what === 'fetch' ? null : BigInt(value),
    count: 1,
    stride: 0n,
    handler: null,
    origin: 0,
  };
}

function hostActs(act: HostStep, index: number): Act[] {
  const base = { vm: 0, origin: 0 };
  const hva = HVA + dataFrame(index);
  const large = { id: 2, gpa: LARGE_GPA, size: 0x40_0000, hva: HVA + LARGE_GPA, readonly: false, logDirty: false };
  const backing = { pageSize: 0x1000, populated: true };
  switch (act) {
    case 'log':
    case 'nolog':
      return [{ ...base, do: 'slot-flags', id: 1, logDirty: act === 'log', readonly: false }];
    case 'get':
      return [{ ...base, do: 'get-dirty-log', id: 1 }];
    case 'clear':
      return [{ ...base, do: 'clear-dirty-log', id: 1, first: 0, pages: 64 }];
    case 'reclaim':
      return [{ ...base, do: 'reclaim', hva, size: 0x1000 }];
    case 'protect':
    case 'unprotect':
      return [{ ...base, do: 'protect', hva, size: 0x1000, writable: act === 'unprotect' }];
    case 'zap':
      return [{ ...base, do: 'zap-all' }];
    case 'quota':
      return [{ ...base, do: 'set-nr-mmu-pages', pages: 64 }];
    case 'split':
    case 'collapse': {
      const at = index % 2 === 0 ? DATA_GPA : LARGE_GPA;
      return [{ ...base, do: act, hva: HVA + at, size: 0x20_0000 }];
    }
    case 'delete':
      return [{ ...base, do: 'delete-slot', id: 2 }];
    case 'create':
    case 'create-readonly':
      return [{ ...base, do: 'set-slot', slot: { ...large, readonly: act !== 'create', backing, origin: 0 } }];
    case 'move':
      return [{ ...base, do: 'move-slot', id: 2, gpa: index % 2 === 0 ? LARGE_GPA : LARGE_GPA + 0x60_0000 }];
    case 'write':
      return [{ ...base, do: 'host-write', gpa: dataFrame(index) + 8, value: BigInt(index) + 0x100n }];
  }
}

/** A whole program, as a run of the language is one. */
export function programOf(world: World, steps: readonly Step[], name = `guest under ${world.mmu}`): Program {
  const of = new Steps(world);
  return { name, machine: machineOf(world), acts: steps.flatMap((step) => of.acts(step)), budget: BUDGET };
}
