/** INVLPG and INVPCID; INVEPT and INVVPID, which are for hypervisors. */
import type { Act } from '../../engine/program';
import { always, bindParts } from '../kind';
import type { Brings, StatementKind } from '../kind';
import { eptpOf } from '../lower/control-fields';
import { expectsGp } from '../lower/expected';
import { isHypervisor } from '../lower/hypervisors';
import { registerBit } from '../lower/registers';
import type { Frame, ScriptLowering } from '../lower/script';
import { whyNotLinear } from '../lower/tables/format';
import { value } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expect, Expression, Word } from '../syntax/tree';
import { actEntry } from './head';

/**
 * `invlpg a`; `invpcid a pcid p`, `invpcid pcid p`, `invpcid all`, `invpcid non_global`; `invept eptp`, `invept all`;
 * `invvpid a vpid v`, `invvpid vpid v`, `invvpid all`, `invvpid non_global vpid v`; the last two also of another `type n`.
 */
export interface Invalidate extends Base {
  readonly kind: 'invalidate';
  readonly instruction: 'invlpg' | 'invpcid' | 'invept' | 'invvpid';
  readonly scope: Word | null;
  /** Linear address; for invept the EPTP. */
  readonly address: Expression | null;
  /** PCID or VPID. */
  readonly tag: Expression | null;
  /** Of INVEPT or INVVPID, where it is not what the operands say. */
  readonly type: Expression | null;
  readonly expects: readonly Expect[];
}

const PCID = value('a PCID', 'pcid');

const VPID = value('a VPID', 'vpid');

export const pcid: Rule<[], Expression | null> = ($) => () => {
  const there = $.isThere($.CONSUME($.t.word('pcid')));
  return there ? $.SUBRULE($.expression, PCID) : null;
};

export const vpid: Rule<[], Expression | null> = ($) => () => {
  const there = $.isThere($.CONSUME($.t.word('vpid')));
  return there ? $.SUBRULE($.expression, VPID) : null;
};

const TYPE = value('a type of invalidation', 'argument');

export const invalidationType: Rule<[], Expression | null> = ($) => () => {
  const there = $.isThere($.CONSUME($.t.word('type')));
  return there ? $.SUBRULE($.expression, TYPE) : null;
};

const LINEAR = value('a linear address', 'linear');

/** After the name of an instruction. */
type Operands = Pick<Invalidate, 'scope' | 'address' | 'tag' | 'type'>;

const PCID_WHAT = value('an address, pcid, all or non_global', 'linear');

const VPID_WHAT = value('an address, vpid, all, non_global or type', 'linear');

const EPTP = value('an EPTP, all or type', 'eptp');

const NO_OPERANDS: Operands = { scope: null, address: null, tag: null, type: null };

/** `invlpg 0x1000` */
export const invlpg: Rule<[], Invalidate> = ($) => () => {
  const start = $.CONSUME($.t.word('invlpg')).startOffset;
  const address = $.SUBRULE($.expression, LINEAR);
  const after = $.expects();
  return { kind: 'invalidate', instruction: 'invlpg', ...NO_OPERANDS, address, expects: after, range: $.since(start) };
};

/** `invpcid a pcid p`, `invpcid pcid p`, `invpcid all`, `invpcid non_global` */
export const invpcid: Rule<[], Invalidate> = ($) => {
  const one = (): Operands => {
    const address = $.SUBRULE($.expression, PCID_WHAT);
    return { ...NO_OPERANDS, address, tag: $.SUBRULE2($.pcid) };
  };
  const choice = {
    DEF: [
      { GATE: () => !$.onNewLine(), ALT: (): Operands => ({ ...NO_OPERANDS, scope: $.wordOf($.CONSUME($.t.Scope), 'scope') }) },
      { GATE: () => $.clause(), ALT: (): Operands => ({ ...NO_OPERANDS, tag: $.SUBRULE1($.pcid) }) },
      { ALT: one },
    ],
    ELSE: one,
  };
  return () => {
    const start = $.CONSUME($.t.word('invpcid')).startOffset;
    const operands = $.OR(choice);
    const after = $.expects();
    return { kind: 'invalidate', instruction: 'invpcid', ...operands, expects: after, range: $.since(start) };
  };
};

/** `invept eptp`, `invept all`, `invept eptp type n`, `invept type n` */
export const invept: Rule<[], Invalidate> = ($) => {
  const typed = { GATE: () => $.clause(), DEF: (): Expression | null => $.SUBRULE1($.invalidationType) };
  const one = (): Operands => {
    const address = $.SUBRULE($.expression, EPTP);
    return { ...NO_OPERANDS, address, type: $.OPTION(typed) ?? null };
  };
  const choice = {
    DEF: [
      { GATE: () => !$.onNewLine(), ALT: (): Operands => ({ ...NO_OPERANDS, scope: $.wordOf($.CONSUME($.t.word('all')), 'scope') }) },
      { GATE: () => $.clause(), ALT: (): Operands => ({ ...NO_OPERANDS, type: $.SUBRULE2($.invalidationType) }) },
      { ALT: one },
    ],
    ELSE: one,
  };
  return () => {
    const start = $.CONSUME($.t.word('invept')).startOffset;
    const operands = $.OR(choice);
    const after = $.expects();
    return { kind: 'invalidate', instruction: 'invept', ...operands, expects: after, range: $.since(start) };
  };
};

/** `invvpid a vpid v`, `invvpid vpid v`, `invvpid all`, `invvpid non_global vpid v`, each `type n`, and `invvpid type n` */
export const invvpid: Rule<[], Invalidate> = ($) => {
  const one = (): Operands => {
    const address = $.SUBRULE($.expression, VPID_WHAT);
    return { ...NO_OPERANDS, address, tag: $.SUBRULE2($.vpid) };
  };
  const typed = { GATE: () => $.clause(), DEF: (): Expression | null => $.SUBRULE1($.invalidationType) };
  const GATE = (): boolean => !$.onNewLine();
  const choice = {
    DEF: [
      { GATE, ALT: (): Operands => ({ ...NO_OPERANDS, scope: $.wordOf($.CONSUME($.t.word('all')), 'scope') }) },
      {
        GATE,
        ALT: (): Operands => {
          const scope = $.wordOf($.CONSUME($.t.word('non_global')), 'scope');
          return { ...NO_OPERANDS, scope, tag: $.SUBRULE3($.vpid) };
        },
      },
      { GATE: () => $.clause(), ALT: (): Operands => ({ ...NO_OPERANDS, tag: $.SUBRULE1($.vpid) }) },
      { GATE: () => $.clause(), ALT: (): Operands => ({ ...NO_OPERANDS, type: $.SUBRULE2($.invalidationType) }) },
      { ALT: one },
    ],
    ELSE: one,
  };
  return () => {
    const start = $.CONSUME($.t.word('invvpid')).startOffset;
    const operands = $.OR(choice);
    const type = operands.type ?? $.OPTION(typed) ?? null;
    const after = $.expects();
    return { kind: 'invalidate', instruction: 'invvpid', ...operands, type, expects: after, range: $.since(start) };
  };
};

const rule: Rule<[], Invalidate> = ($) => {
  const choice = [
    { ALT: (): Invalidate => $.SUBRULE($.invlpg) },
    { ALT: (): Invalidate => $.SUBRULE($.invpcid) },
    { ALT: (): Invalidate => $.SUBRULE($.invept) },
    { ALT: (): Invalidate => $.SUBRULE($.invvpid) },
  ];
  return () => $.OR(choice);
};

export const invalidate: StatementKind<Invalidate> & Brings<'scope'> = {
  rule,
  words: {
    statement: {
      invlpg: 'INVLPG: invalidates the page of an address for the current PCID, and global entries for it (SDM vol. 3A, §4.10.4.1).',
      invpcid: 'INVPCID: `a pcid p` (type 0), `pcid p` (1), `all` (2, with globals), `non_global` (3).',
      invept: 'INVEPT: mappings of an EPTP (type 1), or `all` (type 2).',
      invvpid: 'INVVPID: `a vpid v` (type 0), `vpid v` (1), `all` (2), `non_global vpid v` (3).',
    },
    clause: {
      pcid: 'The process-context identifier of INVPCID: `invpcid 0x1000 pcid 3`.',
      vpid: 'The virtual-processor identifier of INVVPID: `invvpid 0x1000 vpid 2`.',
      type: 'Another type of INVEPT or INVVPID than its operands say: `invept ept12 type 3`, which no processor has, fails.',
    },
    scope: {
      all: 'Everything, globals included.',
      non_global: 'All but global translations.',
    },
  },
  numbered: 'always',
  line: 'statement',
  ends: { called: 'an invalidation', outcomes: ['ok', '#GP', 'shutdown', 'exit', 'error'] },
  does: always,
  bind: bindParts,
  address: (node, part) => (node.address === part && node.instruction !== 'invept' ? 'gva' : null),
  outline: actEntry,
  lower,
};

function lower(script: ScriptLowering, node: Invalidate, frame: Frame, out: Act[]): void {
  const { context } = script;
  const { env } = frame;
  const base = { origin: script.statements.of(node), by: script.performer(frame) };
  const address = node.address && node.instruction !== 'invept' ? context.unsigned(node.address, env, 'a linear address') : null;
  if (node.address && node.instruction !== 'invept' && address === null) return;
  const scope = node.scope?.text;
  switch (node.instruction) {
    case 'invlpg':
      if (address !== null) script.emit({ ...base, do: 'invlpg', address }, out, node, env);
      return;
    case 'invpcid': {
      const pcid = node.tag ? context.between(node.tag, env, 'a PCID', 0n, 0xfffn) : 0n;
      if (pcid === null) return;
      const type = scope === 'all' ? 2 : scope === 'non_global' ? 3 : address !== null ? 0 : 1;
      if (type < 2 && !node.tag) return;
      checkPcid(script, node, type, pcid, address ?? 0n, frame);
      return script.emit({ ...base, do: 'invpcid', type, pcid: Number(pcid), address: address ?? 0n }, out, node, env);
    }
    case 'invept':
    case 'invvpid':
      return lowerHypervisors(script, node, address, frame, out);
  }
}

function checkPcid(script: ScriptLowering, node: Invalidate, type: number, pcid: bigint, address: bigint, frame: Frame): void {
  const registers = frame.vm.registers[frame.vcpu];
  if (!registers.known || type > 1 || expectsGp(script, node.expects)) return;
  const pcide = (registers.value('cr4') & (registerBit('cr4', 'pcide') ?? 0n)) !== 0n;
  if (pcid !== 0n && !pcide)
    script.context.warn(frame.env, node.tag ?? node, 'register-refused', '#GP(0): a PCID other than 0 needs CR4.PCIDE');
  const why = type === 0 ? whyNotLinear(registers.paging, address) : null;
  if (why) script.context.warn(frame.env, node.address ?? node, 'non-canonical', `#GP(0): ${why}`);
}

/** INVEPT and INVVPID, which hypervisors alone have. */
function lowerHypervisors(script: ScriptLowering, node: Invalidate, address: bigint | null, frame: Frame, out: Act[]): void {
  const { context, run } = script;
  const { env } = frame;
  if (!isHypervisor(script, node, node.instruction, frame)) return;
  if (run.host.vendor === 'amd') {
    const instead = 'an AMD processor has TLB_CONTROL and INVLPGA';
    context.report(env, node, 'other-vendor', `${node.instruction} is Intel's; ${instead}: write vmcb.tlb_control`);
    return;
  }
  const base = { origin: script.statements.of(node), by: script.performer(frame) };
  const other = node.type ? context.between(node.type, env, 'a type of invalidation', 0n, 0xffff_ffffn) : null;
  if (node.type && other === null) return;
  if (node.instruction === 'invept') {
    const value = node.address ? context.unsigned(node.address, env, 'an EPTP') : 0n;
    if (value === null) return;
    const named = node.address ? context.evaluator.value(node.address, env) : null;
    script.emit(
      { ...base, do: 'invept', type: Number(other ?? (node.address ? 1n : 2n)), eptp: eptpOf(named, value, run.host) },
      out,
      node,
      env,
    );
    return;
  }
  const vpid = node.tag ? context.between(node.tag, env, 'a VPID', 0n, 0xffffn) : 0n;
  if (vpid === null) return;
  const scope = node.scope?.text;
  const type = Number(other ?? (scope === 'all' ? 2n : scope === 'non_global' ? 3n : address !== null ? 0n : 1n));
  if (type !== 2 && vpid === 0n && other === null)
    context.warn(env, node.tag ?? node, 'out-of-range', 'VPID 0 is the hypervisor itself: INVVPID fails');
  script.emit({ ...base, do: 'invvpid', type, vpid: Number(vpid), address: address ?? 0n }, out, node, env);
}
