/** `user read 0x40_0123 x 16 step 4K on fault { … } expect ok`: an access to a linear address, with its handler. */
import type { Act } from '../../engine/program';
import { always, bindParts } from '../kind';
import type { StatementKind } from '../kind';
import { expectsGp } from '../lower/expected';
import type { Frame, ScriptLowering } from '../lower/script';
import { whyNotLinear } from '../lower/tables/format';
import { FAULT_ADDRESS } from '../semantics/scopes';
import { LIMIT, show } from '../semantics/values';
import { value, VALUE } from '../syntax/grammar/rule';
import type { Grammar, Rule } from '../syntax/grammar/rule';
import type { Base, Expect, Expression, Handler, Range } from '../syntax/tree';
import { walk } from '../syntax/walk';
import { actEntry } from './head';

export interface Access extends Base {
  readonly kind: 'access';
  /** null: at the vCPU's privilege level. */
  readonly privilege: 'user' | 'supervisor' | 'implicit' | null;
  readonly access: 'read' | 'write' | 'fetch' | 'rmw';
  /** Where `read` stands: the words of privilege and access. */
  readonly head: Range;
  readonly address: Expression;
  /** After `=` (write) or `+=` (rmw). */
  readonly value: Expression | null;
  /** 1, 2, 4 or 8 bytes; null: 8. */
  readonly size: Expression | null;
  /** EFLAGS.AC for this access; null: the vCPU's. */
  readonly ac: Expression | null;
  /** After `x`. */
  readonly count: Expression | null;
  /** After `step`. */
  readonly step: Expression | null;
  readonly handler: Handler | null;
  readonly expects: readonly Expect[];
}

const LINEAR = value('a linear address', 'linear');

const KIND = { ERR_MSG: 'read, write, fetch or rmw' };

function checkSign($: Grammar, access: Access['access'], sign: string, range: Range): void {
  const right = access === 'write' ? '=' : access === 'rmw' ? '+=' : null;
  if (sign === right || $.panic) return;
  if (right === null) $.report('unexpected', `a ${access} stores nothing; what it must find is \`expect value …\``, range);
  else {
    const fix = { title: `Change to ${right}`, range, text: right };
    $.report('unexpected', `write stores with =, rmw adds with +=`, range, { fix });
  }
}

type Clauses = Pick<Access, 'size' | 'ac' | 'count' | 'step'>;

const CLAUSES = [
  { text: 'size', field: 'size', of: 'access-size' },
  { text: 'ac', field: 'ac', of: 'switch' },
  { text: 'x', field: 'count', of: 'repetitions' },
  { text: 'step', field: 'step', of: 'step' },
] as const;

/** Clauses in any order, each once: a part of the access's rule. */
function clausesOf($: Grammar): () => Clauses {
  let found: { -readonly [field in keyof Clauses]: Clauses[field] };
  const choice = CLAUSES.map(({ text, field, of }, index) => {
    const type = $.t.word(text);
    const after = value(`a value after ${text}`, of);
    return {
      GATE: () => $.once(found[field] !== null),
      ALT: (): void => {
        const token = $.CONSUME(type);
        if (!$.RECORDING_PHASE && found[field] !== null && !$.panic)
          $.report('unexpected', `${text} stands here twice`, $.t.rangeOf(token));
        found[field] = $.subrule(10 + index, $.expression, after);
      },
    };
  });
  const more = { GATE: () => $.clause(), DEF: () => $.OR(choice) };
  return () => {
    found = { size: null, ac: null, count: null, step: null };
    if ($.RECORDING_PHASE || $.may($.t.Clause, 1)) $.MANY(more);
    return found;
  };
}

/** `user read 0x40_0123 x 16 step 4K on fault { … } expect ok` */
const rule: Rule<[], Access | null> = ($) => {
  const who = (): Access['privilege'] => $.CONSUME($.t.Privilege).image as Access['privilege'];
  let kind: Access['access'] = 'read';
  /** `= value` of a write, `+= value` of an rmw. */
  const stored = {
    GATE: () => $.once(kind === 'read' || kind === 'fetch'),
    DEF: (): Expression => {
      const sign = $.CONSUME($.t.Stores);
      if (!$.RECORDING_PHASE) checkSign($, kind, sign.image, $.t.rangeOf(sign));
      return $.SUBRULE2($.expression, VALUE);
    },
  };
  const clauses = clausesOf($);
  const handled = (): Handler => $.SUBRULE($.handler);
  return () => {
    const start = $.here();
    const privilege = $.OPTION1(who) ?? null;
    const token = $.CONSUME($.t.AccessKind, KIND);
    if (!$.isThere(token)) return null;
    const access = (kind = token.image as Access['access']);
    const head = $.since(start);
    const address = $.SUBRULE1($.expression, LINEAR);
    kind = access;
    const of = $.OPTION2(stored) ?? null;
    const { size, ac, count, step } = clauses();
    const handler = $.OPTION3(handled) ?? null;
    const after = $.expects();
    const range = $.since(start);
    return { kind: 'access', privilege, access, head, address, value: of, size, ac, count, step, handler, expects: after, range };
  };
};

export const access: StatementKind<Access> = {
  rule,
  words: {
    statement: {
      read: 'A data read at a linear address.',
      write: 'A data write at a linear address, `= value` if it matters.',
      fetch: 'An instruction fetch at a linear address.',
      rmw: 'A read-modify-write: `rmw a += 1`. For access rights it counts as a write.',
      user: 'The access is made at CPL 3. As a flag or bit of an entry: U/S = 1.',
      supervisor: 'The access is made at CPL 0 to 2. As a flag of an entry: U/S = 0.',
      implicit:
        'A supervisor access that the processor makes by itself, to descriptor tables or the TSS, at any CPL. EFLAGS.AC does not suspend SMAP for it.',
    },
    clause: {
      x: 'Number of repetitions: `read 0x1000 x 16 step 4K`. As a flag: fetches allowed.',
      ac: 'EFLAGS.AC for this access: `ac on`.',
    },
  },
  numbered: 'always',
  line: 'statement',
  ends: { called: 'an access', outcomes: ['ok', '#PF', '#GP', 'mmio', 'shutdown', 'exit', 'error', 'value', 'address'] },
  does: always,
  bind: bindParts,
  address: (node, part) => (node.address === part ? 'gva' : null),
  outline: actEntry,
  lower,
};

function lower(script: ScriptLowering, node: Access, frame: Frame, out: Act[]): void {
  const { context } = script;
  const { env } = frame;
  const address = context.unsigned(node.address, env, 'a linear address');
  const size = node.size ? context.evaluator.number(node.size, env) : 8n;
  const count = node.count ? context.between(node.count, env, 'the number of repetitions', 1n, 1_000_000_000n) : 1n;
  const stride = node.step ? context.evaluator.number(node.step, env) : 0n;
  const ac = node.ac ? context.switch(node.ac, env, 'ac') : null;
  const value = node.value ? context.evaluator.bits(node.value, env) : null;
  if (node.size && size !== null && ![1n, 2n, 4n, 8n].includes(size)) {
    context.report(env, node.size, 'out-of-range', `an access has 1, 2, 4 or 8 bytes, not ${size}`);
    return;
  }
  if (node.value && value !== null && size !== null && size < 8n && value >> (size * 8n) !== 0n) {
    context.report(env, node.value, 'value-too-large', `${show(value)} does not fit in ${size === 1n ? 'one byte' : `${size} bytes`}`);
    return;
  }
  if (node.step && !node.count) context.warn(env, node.step, 'no-effect', 'a step without repetitions (x n) does nothing');
  if (address === null || size === null || count === null || stride === null || (node.ac && ac === null)) return;
  checkLinear(script, node, address, address + (count - 1n) * stride, frame);
  const user = node.privilege === null ? frame.vm.plan.vcpus[frame.vcpu].config.cpl === 3 : node.privilege === 'user';
  const handlerNode = node.handler ?? vcpuHandler(frame);
  const handler = handlerNode && lowerHandler(script, handlerNode, node, address, count, frame);
  const act: Act = {
    do: 'access',
    origin: script.statements.of(node),
    by: script.performer(frame),
    access: node.access,
    user,
    implicit: node.privilege === 'implicit',
    ac,
    address: BigInt.asUintN(64, address),
    size: Number(size) as 1 | 2 | 4 | 8,
    value,
    count: Number(count),
    stride,
    handler,
  };
  script.emit(act, out, node, env);
}

function vcpuHandler(frame: Frame): Handler | null {
  if (frame.inHandler) return null;
  const items = frame.vm.plan.vcpus[frame.vcpu].node?.body?.items ?? [];
  return items.find((item): item is Handler => item.kind === 'handler') ?? null;
}

function lowerHandler(script: ScriptLowering, handler: Handler, node: Access, address: bigint, count: bigint, frame: Frame): Act[] | null {
  if (frame.inHandler) {
    script.context.report(frame.env, handler, 'handler-in-handler', 'a handler cannot have a handler: a second #PF is the result');
    return null;
  }
  if (count > 1n && mentionsFaultAddress(handler)) {
    script.context.report(
      frame.env,
      node.count ?? node,
      'cr2-in-repetition',
      'cr2 differs in each repetition: write the accesses as a loop',
    );
    return null;
  }
  return script.handler(handler, frame, address);
}

function mentionsFaultAddress(handler: Handler): boolean {
  for (const node of walk(handler)) if (node.kind === 'name' && node.name.text === FAULT_ADDRESS) return true;
  return false;
}

function checkLinear(script: ScriptLowering, node: Access, first: bigint, last: bigint, frame: Frame): void {
  const registers = frame.vm.registers[frame.vcpu];
  if (!registers.known || frame.inHandler) return;
  const why = whyNotLinear(registers.paging, first);
  const wrong = why !== null ? first : last < 0n || last >= LIMIT || whyNotLinear(registers.paging, last) !== null ? last : null;
  if (wrong === null) return;
  const reason = why ?? (last >= 0n && last < LIMIT ? whyNotLinear(registers.paging, last) : 'it is not in 64 bits');
  const { context } = script;
  const where = why === null ? `the last repetition is at ${show(wrong)}` : `${show(wrong)} is no linear address here`;
  const long = registers.paging === '4-level' || registers.paging === '5-level';
  if (!long) context.report(frame.env, node.address, 'non-canonical', `${where}: ${reason}`);
  else if (!expectsGp(script, node.expects))
    context.warn(frame.env, node.address, 'non-canonical', `${where}: ${reason}, the access ends in #GP`);
}
