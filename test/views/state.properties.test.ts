/**
 * The state shown at a point of a run is what the engine's own inspection says there, when the same program is run up to that point: every
 * entry of every table, registers, dirty pages, shadow pages, cached translations; nested kinds too.
 */
import assert from 'node:assert/strict';
import { Journal } from '../../server/src/engine/journal/journal';
import { Machine } from '../../server/src/engine/machine';
import type { HypervisorTable, Performer } from '../../server/src/engine/program';
import type { StateNode } from '../../server/src/protocol/state';
import { insideOf } from '../../server/src/views/state/sections';
import { rootedTables, rootTable } from '../../server/src/views/state/table-roots';
import { tableThings } from '../../server/src/views/state/table-entries';
import type { Table } from '../../server/src/views/state/table-entries';
import type { Thing } from '../../server/src/views/state/thing';
import { stateNodes } from '../../server/src/views/state/tree';
import type { RunView } from '../../server/src/views/view';
import { holdsForAllRuns } from './run-sources';

/** Entries of a table that are asked about. */
const MOST_ENTRIES = 12;
/** Points of a run at which the program is run up to there once more. */
const POINTS = 2;

const valueOf = (text: string | null | undefined): bigint => BigInt((text ?? '0').replaceAll('_', ''));

/** A machine that has performed the acts up to one of them. */
function machineAfter({ record: { program } }: RunView, last: number): Machine {
  const journal = new Journal(program.budget.events);
  const machine = new Machine(program.machine, journal, program.budget);
  for (const act of program.acts.slice(0, last + 1)) {
    if (act.do === 'expect') continue;
    if (act.do !== 'access') machine.perform(act);
    else for (let done = 0; done < Math.max(1, act.count);) done += machine.repeat(act, done, Math.max(1, act.count) - done).done;
  }
  return machine;
}

function holdRegisters(view: RunView, to: number, machine: Machine): void {
  const names = { cr0: 'cr0', cr2: 'cr2', cr3: 'cr3', cr4: 'cr4', efer: 'efer', rflags: 'eflags', pkru: 'pkru', pkrs: 'pkrs' } as const;
  view.record.program.machine.vms.forEach(({ vcpus }, vm) =>
    vcpus.forEach((_, vcpu) => {
      const { nodes } = stateNodes(view, { from: to, to }, `vcpus/${vm}.${vcpu}`)!;
      for (const [part, name] of Object.entries(names)) {
        const node = nodes.find(({ id }) => id.endsWith(`/${part}`));
        assert.equal(valueOf(node?.value), machine.register({ vm, vcpu }, name), `${name} of vCPU ${vm}.${vcpu}`);
      }
    }),
  );
}

/** Tables with the linear or guest-physical address of each of their entries, root first. */
function* listings(table: Table, most = 16): Generator<{ readonly table: Table; readonly things: readonly Thing[] }> {
  const waiting = [table];
  for (let next = waiting.pop(); next && most > 0; next = waiting.pop(), most--) {
    const things = tableThings(next);
    yield { table: next, things };
    for (const thing of things) {
      const inside = thing.inside?.();
      if (!inside) continue;
      waiting.push({ ...next, level: next.level - 1, address: addressIn(thing), base: baseOf(thing), pdptes: null });
    }
  }
}

const addressIn = (thing: Thing): number => Number(valueOf(thing.value) & 0xf_ffff_ffff_f000n);
const baseOf = (thing: Thing): bigint => valueOf(thing.range!.split(' ')[0]);

function holdTables(view: RunView, to: number, machine: Machine): number {
  let held = 0;
  for (const rooted of rootedTables(view.machine(to))) {
    const { which, vm, vcpu, walker } = rooted;
    const by: Performer = { vm, vcpu };
    const top = rootTable(view.machine(to), rooted);
    if (top.pdptes) continue;
    const kind: HypervisorTable = `${rooted.tables.from.endsWith('GVA') ? 'shadow' : 'tdp'}${which === 'l1' ? '12' : ''}`;
    const own = walker.format.name as '4-level';
    const of = which === 'own' ? { format: own, root: top.address } : kind;
    // KVM may have let go of its root since it stood in hardware; and an L1 that the script plays has no KVM's tables.
    const first = machine.entry(of, by, 0n, walker.format.levels);
    if (which !== 'own' && (first === null || Math.floor(first.at / 4096) * 4096 !== top.address)) continue;
    for (const { table, things } of listings(top)) {
      const step = Math.max(1, Math.floor(things.length / MOST_ENTRIES));
      for (let i = 0; i < things.length; i += step) {
        const { range, value, entry, name } = things[i];
        const found = machine.entry(of, by, baseOf(things[i]), entry!.level);
        assert.deepEqual([found?.value, found?.at], [valueOf(value), entry!.at], `${rooted.tables.table} ${name} ${range}`);
        held++;
      }
      holdAbsent(table, things, (address) => machine.entry(of, by, address, table.level)?.value ?? 0n);
    }
  }
  return held;
}

/** What the listing has not is 0. */
function holdAbsent(table: Table, things: readonly Thing[], value: (address: bigint) => bigint): void {
  const base = table.base!;
  const count = table.format.narrow ? 1024 : table.format.pae && table.level === 3 ? 4 : 512;
  const shift = table.format.narrow ? (table.level === 1 ? 12 : 22) : 3 + 9 * table.level;
  for (const index of [0, 1, 3, 7, 100, 255, 511, count - 1]) {
    if (index >= count || things.some(({ part }) => part === String(index))) continue;
    const address = BigInt.asUintN(64, BigInt.asIntN(table.format.levels === 5 ? 57 : 48, base + (BigInt(index) << BigInt(shift))));
    assert.equal(value(table.own ? address : base + (BigInt(index) << BigInt(shift))), 0n, `${index} of ${table.level}`);
  }
}

function holdSlots(view: RunView, to: number, machine: Machine): void {
  const { nodes } = stateNodes(view, { from: to, to }, 'slots')!;
  for (const { id } of nodes) {
    const [vm, slot] = id.slice('slots/'.length).split('.').map(Number);
    const dirty: number[] = [];
    for (const { name, range } of stateNodes(view, { from: to, to }, id)!.nodes) {
      if (name !== 'dirty') continue;
      const [first, size] = range!.split(' +');
      for (let page = 0; page < bytesOf(size); page += 4096) dirty.push(Number(valueOf(first)) + page);
    }
    if (slot < 0x1_0000) assert.deepEqual(dirty, machine.dirtyPages(vm, slot) ?? [], id);
  }
}

function bytesOf(text: string): number {
  return parseInt(text) * 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(text.replace(/\d+/, ''));
}

/** Frames that are shadowed, out of sync, tracked. */
function holdShadowPages(view: RunView, to: number, machine: Machine): void {
  const { vms } = view.record.program.machine;
  const nodes = allNodes(view, to, 'shadow').filter(({ id, decoded }) => id.startsWith('shadow/0.') && !decoded!.includes('direct'));
  const single = vms.filter(({ parent }) => parent === null).length === 1;
  if (!single) return;
  for (const { range, decoded } of nodes) {
    const gpa = Number(valueOf(range!.replace('gfn ', ''))) * 4096;
    if (decoded!.includes('guest mode') || decoded!.includes('invalid')) continue;
    assert.ok(machine.pageState(0, gpa, 'shadowed'), `${range} is shadowed`);
    if (decoded!.includes('unsync')) assert.ok(machine.pageState(0, gpa, 'unsync'), `${range} is unsync`);
  }
  for (const { range, name } of allNodes(view, to, 'track'))
    if (range === null || range === vms[0].name)
      assert.ok(machine.pageState(0, Number(valueOf(name.replace('gfn ', ''))) * 4096, 'tracked'), `${name} is tracked`);
}

function allNodes(view: RunView, to: number, id: string): StateNode[] {
  const nodes: StateNode[] = [];
  for (;;) {
    const found = stateNodes(view, { from: to, to }, id, nodes.length);
    nodes.push(...(found?.nodes ?? []));
    if (!found || nodes.length >= found.total) return nodes;
  }
}

describe('the state at a point', function () {
  this.timeout(0);

  holdsForAllRuns('is what the engine says', (view) => {
    const { outcomes } = view.record;
    const acts = outcomes.filter(
      ({ act, result }) => act >= 0 && result.kind !== 'expectation' && view.record.program.acts[act].do !== 'expect',
    );
    let held = 0;
    for (let point = 1; point <= Math.min(POINTS, acts.length); point++) {
      const { act, to } = acts[Math.ceil((acts.length * point) / Math.min(POINTS, acts.length)) - 1];
      const machine = machineAfter(view, act);
      try {
        holdRegisters(view, to, machine);
        held += holdTables(view, to, machine) + 1;
        holdSlots(view, to, machine);
        holdShadowPages(view, to, machine);
        assert.ok(insideOf(view.machine(to), '')!.length > 3);
      } catch (error) {
        if (error instanceof Error) error.message = `after act ${act} of ${view.record.program.name}: ${error.message}`;
        throw error;
      }
    }
    return held;
  });
});
