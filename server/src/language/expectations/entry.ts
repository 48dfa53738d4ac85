/** `kernel[a] = 0x5067`, `shadow[a].writable = no`, `tdp[a] absent`, `kernel[a] rw user not dirty`, `tlb[a] present` */
import type { Expectation as Judged, HypervisorTable, TableRef } from '../../engine/program';
import { bindParts, noAddress, noOutcome } from '../kind';
import type { ExpectationKind } from '../kind';
import { bitValue, entryPlace, tablesOf } from '../lower/entry-edits';
import type { RunVm } from '../lower/run-state';
import type { Frame, ScriptLowering } from '../lower/script';
import { flagMeaning } from '../lower/tables/flags';
import type { FormatName, Shape } from '../lower/tables/format';
import { VALUE } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, EntryReference, Expression, Flag, Reference, Word } from '../syntax/tree';

export interface ExpectEntry extends Base {
  readonly kind: 'expect-entry';
  readonly entry: EntryReference;
  readonly bit: Word | null;
  /** Null when flags are listed. */
  readonly value: Expression | null;
  readonly flags: readonly Flag[];
}

const STATED: { ARGS: [string] } = { ARGS: ["'=', present, absent or flags as rw"] };

/** `kernel[a] = 0x5067`, `shadow[a].writable = no`, `tdp[a] absent`, `kernel[a] rw user` */
const rule: Rule<[], ExpectEntry> = ($) => {
  type Stated = Pick<ExpectEntry, 'bit' | 'value' | 'flags'>;
  const choice = {
    DEF: [
      {
        ALT: (): Stated => {
          const bit = $.SUBRULE($.entryBit);
          const there = $.isThere($.CONSUME1($.t.Assign));
          return { bit, value: there ? $.SUBRULE1($.expression, VALUE) : null, flags: [] };
        },
      },
      {
        ALT: (): Stated => {
          $.CONSUME2($.t.Assign);
          return { bit: null, value: $.SUBRULE2($.expression, VALUE), flags: [] };
        },
      },
      { ALT: (): Stated => ({ bit: null, value: null, flags: $.someFlags('entry', STATED) }) },
    ],
    ELSE: (): Stated => ({ bit: null, value: null, flags: $.someFlags('entry', STATED) }),
  };
  return () => {
    const start = $.here();
    const entry = $.SUBRULE($.entry);
    return { kind: 'expect-entry', entry, ...$.OR(choice), range: $.since(start) };
  };
};

export const entry: ExpectationKind<ExpectEntry> = {
  rule,
  begins: ($) => $.isEntry(),
  words: {
    expectation: {
      shadow:
        'The shadow tables that L0 keeps: `shadow[a]` is the spte for a linear address. `l1.shadow[a]`: those that L1 as KVM keeps for its guest.',
      tdp: 'The EPT or NPT that L0 keeps: `tdp[a]` is the entry for a guest-physical address. `l1.tdp[a]`: those that L1 as KVM keeps for its guest.',
      tlb: '`tlb[a] present`: the translation of a linear address is cached. In `host`: the TLB.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: noOutcome,
  ofLastAct: false,
  lower,
};

/** Tables whose entries are judged. */
interface Table {
  readonly table: TableRef | HypervisorTable;
  /** Null: levels and addresses are not known before the run. */
  readonly shape: Shape | null;
  readonly format: FormatName;
  readonly spte: boolean;
  readonly vm: number;
}

function lower(script: ScriptLowering, node: ExpectEntry, frame: Frame): readonly Judged[] {
  const { context } = script;
  const { env } = frame;
  const builtIn = context.links.byReference.has(node.entry.table) ? null : node.entry.table.text;
  if (builtIn === 'tlb') return tlb(script, node, frame);
  const found = builtIn === null ? guestTables(script, node, frame) : hypervisorTables(script, node, builtIn, frame);
  const place = entryPlace(script, node.entry, found?.shape ?? null, env);
  if (!found || !place) return [];
  const { table, format, spte } = found;
  const base = { table, vm: found.vm, ...place };
  if (node.value) {
    const bits = bitValue(script, node, format, spte, env);
    return bits ? [{ kind: 'entry', ...base, mask: bits.mask, value: bits.value }] : [];
  }
  let mask = 0n;
  let value = 0n;
  const expectations: Judged[] = [];
  for (const flag of node.flags) {
    const { text } = flag.name;
    if (text === 'absent' || text === 'present') {
      const absent = (text === 'absent') !== flag.not;
      expectations.push({ kind: 'absent', ...base, ...(absent ? {} : { not: true }) });
      continue;
    }
    const meaning = flagMeaning(format, text, flag.not);
    if (!meaning) {
      context.report(env, flag, 'flag-not-here', `entries of ${format} tables have no flag ${text}`);
      continue;
    }
    if ((mask & (meaning.set | meaning.clear) & (value ^ meaning.set)) !== 0n) {
      context.report(env, flag, 'contradiction', `${flag.not ? 'not ' : ''}${text} contradicts the flags before it`);
    }
    mask |= meaning.clear | meaning.set;
    value |= meaning.set;
  }
  if (mask !== 0n) expectations.push({ kind: 'entry', ...base, mask, value });
  return expectations;
}

function guestTables(script: ScriptLowering, node: ExpectEntry, frame: Frame): Table | null {
  const found = tablesOf(script, node.entry, frame);
  if (!found || found.root === null) return null;
  const { shape, root, vm } = found;
  return { table: { format: shape.name, root }, shape, format: shape.name, spte: false, vm: vm.index };
}

/** The tables that a hypervisor keeps for the performer: L0's, or with `l1.` those of that KVM. */
function hypervisorTables(script: ScriptLowering, node: ExpectEntry, name: string, frame: Frame): Table | null {
  const { run, context } = script;
  const owner = node.entry.vm;
  const guest = owner ? guestOf(script, owner, frame) : frame.vm;
  if (!guest) return null;
  const { mmu } = owner ? guest : run.outermost;
  const table = name === 'tdp' ? 'tdp' : 'shadow';
  if ((table === 'tdp') !== (mmu !== 'soft')) {
    const why =
      table === 'tdp'
        ? 'under soft MMU there is no EPT or NPT: write `expect … under ept, npt`'
        : `under ${mmu} there are no shadow tables: write \`expect … under soft\``;
    context.report(
      frame.env,
      node.entry.table,
      'no-such-tables',
      guest.plan.parent ? `${why.split(':')[0]} for ${guest.plan.named.name}` : why,
    );
    return null;
  }
  const format = table === 'tdp' && mmu === 'ept' ? 'ept' : '4-level';
  return { table: owner ? `${table}12` : table, shape: null, format, spte: true, vm: guest.index };
}

/** For which of its guests a VM keeps tables: the performer, or its only one. */
function guestOf({ run, context }: ScriptLowering, owner: Reference, { env, vm }: Frame): RunVm | null {
  const named = context.links.byReference.get(owner);
  const hypervisor = named ? run.vmNamed(named) : null;
  if (!hypervisor) {
    if (named) context.report(env, owner, 'not-in-run', `${named.name} is not part of this run`);
    return null;
  }
  const { plan } = hypervisor;
  const guests = run.vms.filter((each) => each.plan.parent === plan);
  const guest = vm.plan.parent === plan ? vm : guests.length === 1 ? guests[0] : null;
  if (guests.length === 0) {
    context.report(env, owner, 'not-a-hypervisor', `${plan.named.name} has no VM inside, and keeps no tables for one`);
  } else if (plan.hypervisor === 'script') {
    context.report(env, owner, 'no-such-tables', `${plan.named.name} is played by the script: the tables of its guests have names`);
  } else if (!guest) {
    const names = guests.map((each) => each.plan.named.name).join(', ');
    context.report(
      env,
      owner,
      'which-vm',
      `${plan.named.name} has several guests: say for which of ${names}, as \`${guests[0].plan.named.name}: expect …\``,
    );
  } else return guest;
  return null;
}

function tlb(script: ScriptLowering, node: ExpectEntry, { env }: Frame): readonly Judged[] {
  const place = entryPlace(script, node.entry, null, env);
  const [flag] = node.flags;
  if (node.value || node.flags.length !== 1 || (flag.name.text !== 'present' && flag.name.text !== 'absent')) {
    script.context.report(env, node, 'not-of-tlb', 'a translation in the TLB is present or absent');
    return [];
  }
  return place ? [{ kind: 'tlb', address: place.address, present: (flag.name.text === 'present') !== flag.not }] : [];
}
