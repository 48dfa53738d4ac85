/** Expectations: what is written to what the engine's run is judged by, and what cannot be meant. */
import type { Act, Expectation as EngineExpectation, HypervisorTable, TableRef } from '../../engine/program';
import { PageFault } from '../../engine/x86/fault-codes';
import type {
  Expect,
  Expectation,
  ExpectCount,
  ExpectDirty,
  ExpectEntry,
  ExpectExit,
  ExpectFault,
  ExpectPage,
  ExpectRegister,
  Node,
  Reference,
} from '../syntax/tree';
import { show } from '../semantics/values';
import { lowerEvent, otherVendor } from './observed';
import { checkTogether } from './expected-outcomes';
import { bitValue, entryPlace, tablesOf } from './entries';
import { hostVm } from './host-acts';
import { registerValue } from './register-loads';
import { readControlField } from './hypervisor-acts';
import type { RunVm } from './run-state';
import type { Frame, ScriptLowering } from './script';
import { flagMeaning } from './tables/flags';
import type { FormatName, Shape } from './tables/format';
import { reportUnsupported } from './unsupported';

/** Pages that a dirty log can be expected to have. */
const MOST_PAGES = 1n << 16n;
const PHYSICAL = (1n << 52n) - 1n;

/**
 * Expectations of one act, all of which hold for the run's kinds of MMU.
 *
 * @param of the act; null: they stand alone
 * @param acted something was done before them
 */
export function lowerExpect(
  script: ScriptLowering,
  expects: readonly Expect[],
  of: Node | null,
  frame: Frame,
  out: Act[],
  acted: boolean,
): void {
  const all = expects.flatMap((expect) => expect.of);
  checkTogether(script, all, of, frame.env, acted);
  for (const node of all) {
    for (const what of new ExpectationLowering(script, frame).lower(node)) {
      script.emit({ do: 'expect', origin: script.statements.of(node), by: script.performer(frame), what }, out, node, frame.env);
    }
  }
}

/** Tables whose entries are judged. */
interface Judged {
  readonly table: TableRef | HypervisorTable;
  /** Null: levels and addresses are not known before the run. */
  readonly shape: Shape | null;
  readonly format: FormatName;
  readonly spte: boolean;
  readonly vm: number;
}

class ExpectationLowering {
  constructor(
    private readonly script: ScriptLowering,
    private readonly frame: Frame,
  ) {}

  /** None when something is wrong, which is reported. */
  lower(node: Expectation): readonly EngineExpectation[] {
    const { context } = this.script;
    const { env, vm } = this.frame;
    switch (node.kind) {
      case 'expect-ok':
        return [{ kind: 'ok' }];
      case 'expect-fault':
        return this.fault(node);
      case 'expect-mmio':
        return [{ kind: 'mmio', write: node.access === null ? null : node.access === 'write' }];
      case 'expect-error':
        return node.errno ? [{ kind: 'error', errno: node.errno.text }] : [];
      case 'expect-exit':
        return this.exit(node);
      case 'expect-value': {
        const value = context.evaluator.bits(node.value, env);
        return value === null ? [] : [{ kind: 'value', value }];
      }
      case 'expect-address': {
        const address = context.between(node.address, env, node.ofGpa ? 'a guest-physical address' : `a ${node.space}`, 0n, PHYSICAL);
        if (address === null) return [];
        return [
          node.ofGpa ? { kind: 'hpa-of-gpa', gpa: Number(address) } : { kind: 'address', space: node.space, address: Number(address) },
        ];
      }
      case 'expect-count':
        return this.count(node);
      case 'expect-entry':
        return this.entry(node);
      case 'expect-page':
        return this.page(node);
      case 'expect-dirty':
        return this.dirty(node);
      case 'expect-events':
        return [{ kind: 'events', events: node.events.flatMap((event) => lowerEvent(this.script, event, env) ?? []) }];
      case 'expect-word': {
        const gpa = context.between(node.gpa, env, 'a guest-physical address', 0n, PHYSICAL);
        const value = context.evaluator.bits(node.value, env);
        if (gpa === null || value === null) return [];
        if (gpa % 8n === 0n) return [{ kind: 'word', vm: vm.index, gpa: Number(gpa), value }];
        context.report(env, node.gpa, 'not-aligned', `a word lies at a multiple of 8, not at ${show(gpa)}`);
        return [];
      }
      case 'expect-register':
        return this.register(node);
      case 'error':
        return [];
    }
  }

  /* ------------------------------------------------------------ the act's outcome */

  private fault(node: ExpectFault): readonly EngineExpectation[] {
    if (node.fault === '#GP') return [{ kind: 'general-protection' }];
    const { context } = this.script;
    const { env } = this.frame;
    let error: number | null = null;
    if (node.flags) error = node.flags.reduce((code, { text }) => code | (FAULT_BITS[text] ?? 0), 0);
    else if (node.code) {
      const code = context.between(node.code, env, 'a #PF error code', 0n, 0xffffn);
      if (code === null) return [];
      error = Number(code);
    }
    const why = error === null ? null : impossible(error);
    if (why) context.report(env, node, 'impossible-error-code', `there is no such #PF: ${why}`);
    return [{ kind: 'page-fault', error }];
  }

  private exit(node: ExpectExit): readonly EngineExpectation[] {
    const { context } = this.script;
    const { env, vm } = this.frame;
    const reason = node.reason?.text ?? null;
    const other = reason === null ? null : otherVendor(reason, this.script.run.host.vendor);
    if (other) context.warn(env, node.reason ?? node, 'other-vendor', other);
    const l1 = vm.plan.parent;
    if (l1?.hypervisor !== 'script') {
      const why = l1 ? `${l1.named.name} behaves as KVM and handles exits of its guests by itself` : `${vm.plan.named.name} is in no VM`;
      context.report(env, node, 'not-by-script', `no exit is left to the script: ${why}; expect exits, or the event kvm_exit`);
      return [];
    }
    return [{ kind: 'vm-exit', reason }];
  }

  private count(node: ExpectCount): readonly EngineExpectation[] {
    const { context, run } = this.script;
    const { env } = this.frame;
    const count = context.between(node.count, env, `a number of ${node.what}`, 0n, 1_000_000_000n);
    if (count === null) return [];
    if (node.what === 'references') return [{ kind: 'references', count: Number(count), compare: node.compare }];
    const reason = node.reason?.text ?? null;
    if (reason !== null && count > 0n && node.compare !== '<=') {
      const other = otherVendor(reason, run.host.vendor);
      if (other) context.warn(env, node.reason ?? node, 'other-vendor', other);
    }
    const from = node.from && this.exiting(node.from);
    if (node.from && !from) return [];
    return [{ kind: 'exits', count: Number(count), reason, compare: node.compare, ...(from ? { from: from.index } : {}) }];
  }

  /** The VM that is left. */
  private exiting(reference: Reference): RunVm | null {
    const { context, run } = this.script;
    const named = context.links.byReference.get(reference);
    const vm = named ? run.vmNamed(named) : null;
    if (named && !vm) context.report(this.frame.env, reference, 'not-in-run', `${named.name} is not part of this run`);
    // The journal tells exits of guests from those of their hypervisor, and not guests from each other.
    if (vm?.plan.parent && vm.plan.parent.children.length > 1) {
      reportUnsupported(context, this.frame.env, reference, 'exits-of-one-guest');
      return null;
    }
    return vm;
  }

  /* ------------------------------------------------------------ state */

  private entry(node: ExpectEntry): readonly EngineExpectation[] {
    const { context } = this.script;
    const { env } = this.frame;
    const builtIn = context.links.byReference.has(node.entry.table) ? null : node.entry.table.text;
    if (builtIn === 'tlb') return this.tlb(node);
    const found = builtIn === null ? this.guestTables(node) : this.hypervisorTables(node, builtIn);
    const place = entryPlace(this.script, node.entry, found?.shape ?? null, env);
    if (!found || !place) return [];
    const { table, format, spte } = found;
    const base = { table, vm: found.vm, ...place };
    if (node.value) {
      const bits = bitValue(this.script, node, format, spte, env);
      return bits ? [{ kind: 'entry', ...base, mask: bits.mask, value: bits.value }] : [];
    }
    let mask = 0n;
    let value = 0n;
    const expectations: EngineExpectation[] = [];
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

  private guestTables(node: ExpectEntry): Judged | null {
    const found = tablesOf(this.script, node.entry, this.frame);
    if (!found || found.root === null) return null;
    const { shape, root, vm } = found;
    return { table: { format: shape.name, root }, shape, format: shape.name, spte: false, vm: vm.index };
  }

  /** The tables that a hypervisor keeps for the performer: L0's, or with `l1.` those of that KVM. */
  private hypervisorTables(node: ExpectEntry, name: string): Judged | null {
    const { run, context } = this.script;
    const owner = node.entry.vm;
    const guest = owner ? this.guestOf(owner) : this.frame.vm;
    if (!guest) return null;
    const { mmu } = owner ? guest : run.outermost;
    const table = name === 'tdp' ? 'tdp' : 'shadow';
    if ((table === 'tdp') !== (mmu !== 'soft')) {
      const why =
        table === 'tdp'
          ? 'under soft MMU there is no EPT or NPT: write `expect … under ept, npt`'
          : `under ${mmu} there are no shadow tables: write \`expect … under soft\``;
      context.report(
        this.frame.env,
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
  private guestOf(owner: Reference): RunVm | null {
    const { run, context } = this.script;
    const { env, vm } = this.frame;
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

  private tlb(node: ExpectEntry): readonly EngineExpectation[] {
    const { context } = this.script;
    const { env } = this.frame;
    const place = entryPlace(this.script, node.entry, null, env);
    const [flag] = node.flags;
    if (node.value || node.flags.length !== 1 || (flag.name.text !== 'present' && flag.name.text !== 'absent')) {
      context.report(env, node, 'not-of-tlb', 'a translation in the TLB is present or absent');
      return [];
    }
    return place ? [{ kind: 'tlb', address: place.address, present: (flag.name.text === 'present') !== flag.not }] : [];
  }

  private page(node: ExpectPage): readonly EngineExpectation[] {
    const { context } = this.script;
    const gpa = context.between(node.gpa, this.frame.env, 'a guest-physical address', 0n, PHYSICAL);
    if (gpa === null || !node.state) return [];
    const state = node.state.text.replace('_', '-') as 'write-protected' | 'tracked' | 'unsync' | 'synced' | 'shadowed';
    return [{ kind: 'page-state', vm: this.frame.vm.index, gpa: Number(gpa - (gpa % 4096n)), state, not: node.not }];
  }

  private dirty(node: ExpectDirty): readonly EngineExpectation[] {
    const { context } = this.script;
    const { env } = this.frame;
    const vm = hostVm(this.script, this.frame);
    const id = context.between(node.slot, env, 'the id of a slot', 0n, 0xffff_ffffn);
    if (id === null) return [];
    const slot = vm.slots.byId(Number(id));
    if (!slot) context.report(env, node.slot, 'no-such-slot', `there is no slot ${id} at this point`);
    else if (!slot.dirtyLog) context.report(env, node.slot, 'no-dirty-log', `slot ${id} does not log dirty pages at this point`);
    const gpas = new Set<number>();
    for (const part of node.gpas) {
      const range = context.evaluator.range(part, env);
      if (!range) return [];
      if (range.from < 0n || range.last > PHYSICAL || (range.last - range.from) / 4096n >= MOST_PAGES) {
        context.report(env, part, 'out-of-range', 'these are more pages than can be listed');
        return [];
      }
      for (let gpa = range.from - (range.from % 4096n); gpa <= range.last; gpa += 4096n) {
        gpas.add(Number(gpa));
        if (slot && !slot.contains(Number(gpa / 4096n))) {
          context.report(env, part, 'not-in-slot', `gpa ${show(gpa)} is not in slot ${id}`);
          return [];
        }
      }
    }
    return [{ kind: 'dirty', vm: vm.index, slot: Number(id), gpas: [...gpas].sort((a, b) => a - b) }];
  }

  private register(node: ExpectRegister): readonly EngineExpectation[] {
    const name = node.register.text;
    if (name === 'vmcs' || name === 'vmcb') return this.control(node);
    const wanted = registerValue(this.script, node, this.frame.env);
    if (!wanted) return [];
    const register = name as Extract<EngineExpectation, { kind: 'register' }>['register'];
    return [{ kind: 'register', register, mask: wanted.mask, value: wanted.value }];
  }

  /** Of the performer, when it is a VM inside another; else of the guest that the performer works on. */
  private control(node: ExpectRegister): readonly EngineExpectation[] {
    const { run, context } = this.script;
    const { env, vm } = this.frame;
    const guest = vm.plan.parent ? vm : run.currentGuest(vm);
    if (!guest) {
      context.report(
        env,
        node.register,
        'not-a-hypervisor',
        `${vm.plan.named.name} has no VM inside, and no ${node.register.text.toUpperCase()} for one`,
      );
      return [];
    }
    const written = readControlField(this.script, node, env);
    return written ? [{ kind: 'control', vm: guest.index, ...written }] : [];
  }
}

const FAULT_BITS: { readonly [flag: string]: number } = {
  P: PageFault.present,
  W: PageFault.write,
  U: PageFault.user,
  RSVD: PageFault.reserved,
  I: PageFault.fetch,
  PK: PageFault.key,
  SS: 1 << 6,
  SGX: 1 << 15,
};

/** Why no #PF has this error code (§2.7); null: some have. */
function impossible(error: number): string | null {
  const has = (bit: number): boolean => (error & bit) !== 0;
  if (has(PageFault.reserved) && !has(PageFault.present)) return 'RSVD comes with P';
  if (has(PageFault.key) && !has(PageFault.present)) return 'PK comes with P';
  if (has(PageFault.write) && has(PageFault.fetch)) return 'an access is a write (W) or a fetch (I), not both';
  if (has(PageFault.key) && has(PageFault.fetch)) return 'protection keys do not concern fetches: PK and I exclude each other';
  if (has(PageFault.key) && has(PageFault.reserved)) return 'a reserved bit (RSVD) ends the walk before keys (PK) are looked at';
  return null;
}
