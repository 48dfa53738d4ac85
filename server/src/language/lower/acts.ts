/** What guests do: accesses, edits of tables, stores, register loads, invalidations, entries. */
import type { Act, RegisterName } from '../../engine/program';
import type { Access, Edit, Enter, EntryReference, Expect, Handler, Invalidate, MemoryWord, Node, RegisterLoad } from '../syntax/tree';
import { nearest } from '../syntax/problem';
import { BUILT_IN_TABLES, FAULT_ADDRESS } from '../semantics/scopes';
import { LIMIT, show } from '../semantics/values';
import type { Env } from '../semantics/values';
import { fieldOf, wholeEntry } from './tables/flags';
import type { FormatName, Shape } from './tables/format';
import { whyNotLinear, whyNotTranslated } from './tables/format';
import { refusalReason } from './refusals';
import { isLoadable, registerBit, registerBits } from './registers';
import type { RunVm } from './run-state';
import type { Frame, ScriptLowering } from './script';
import { reportUnsupported } from './unsupported';
import { readWord } from './vm-planner';
import { checkFormat } from './vcpus';

export function lowerAct(
  script: ScriptLowering,
  node: Access | Edit | MemoryWord | RegisterLoad | Invalidate | Enter,
  frame: Frame,
  out: Act[],
): void {
  switch (node.kind) {
    case 'access':
      return access(script, node, frame, out);
    case 'edit':
      return edit(script, node, frame, out);
    case 'memory-word':
      return store(script, node, frame, out);
    case 'register-load':
      return registerLoad(script, node, frame, out);
    case 'invalidate':
      return invalidate(script, node, frame, out);
    case 'enter':
      return enter(script, node, frame, out);
  }
}

/** Whether an act is expected to end in #GP, so that it is no mistake. */
function expectsGp(script: ScriptLowering, expects: readonly Expect[]): boolean {
  return expects.some(
    (expect) => script.run.isUnder(expect.under) && expect.of.some((each) => each.kind === 'expect-fault' && each.fault === '#GP'),
  );
}

/* ---------------------------------------------------------------- accesses */

function access(script: ScriptLowering, node: Access, frame: Frame, out: Act[]): void {
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

function mentionsFaultAddress(node: Node): boolean {
  if (node.kind === 'name' && node.name.text === FAULT_ADDRESS) return true;
  return Object.values(node).some((value: unknown) => {
    const each = Array.isArray(value) ? (value as unknown[]) : [value];
    return each.some((child) => typeof child === 'object' && child !== null && 'kind' in child && mentionsFaultAddress(child as Node));
  });
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

/* ---------------------------------------------------------------- tables and memory */

/** Tables that a name means in a script. */
export function tablesOf(
  script: ScriptLowering,
  entry: EntryReference,
  frame: Frame,
): { readonly vm: RunVm; readonly shape: Shape; readonly root: number | null } | null {
  const { context } = script;
  const named = context.links.byReference.get(entry.table);
  if (!named) return null;
  let tables = named;
  if (named.of === 'parameter') {
    const value = frame.env.locals.get(named) ?? null;
    if (typeof value === 'bigint') context.report(frame.env, entry.table, 'not-tables', `${named.name} is ${show(value)} here, not tables`);
    if (typeof value !== 'object' || value === null) return null;
    tables = value;
  } else if (!entry.vm && named.of === 'tables') tables = context.evaluator.performers(named, frame.env);
  const found = script.run.tablesOf(tables);
  if (!found) {
    if (tables.of === 'tables')
      context.report(frame.env, entry.table, 'not-in-run', `${tables.name} are tables of a VM that is not part of this run`);
    return null;
  }
  return { vm: found.vm, shape: found.tables.shape, root: found.tables.root };
}

/** Address and level (0: the leaf) of an entry; null when something is wrong. */
export function entryPlace(
  script: ScriptLowering,
  entry: EntryReference,
  shape: Shape | null,
  env: Env,
): { readonly address: bigint; readonly level: number } | null {
  const { context } = script;
  const address = context.unsigned(entry.address, env, 'an address');
  const level = entry.level
    ? context.between(entry.level, env, `a level${shape ? ` of ${shape.name} tables` : ''}`, 1n, BigInt(shape?.levels ?? 5))
    : 0n;
  if (address === null || level === null) return null;
  const why = shape && whyNotTranslated(shape, address);
  if (why) {
    context.report(env, entry.address, 'non-canonical', `${show(address)} cannot be translated: ${why}`);
    return null;
  }
  return { address, level: Number(level) };
}

/** Bits of a named bit of an entry with a value; null when it has no such bit or the value does not fit. */
export function bitValue(
  script: ScriptLowering,
  node: { readonly bit: Edit['bit']; readonly value: Edit['value'] | null },
  format: FormatName,
  spte: boolean,
  env: Env,
): { readonly mask: bigint; readonly value: bigint } | null {
  const { context } = script;
  const { bit, value: expression } = node;
  if (!expression) return null;
  if (!bit) {
    const value = context.evaluator.bits(expression, env);
    if (value === null) return null;
    const mask = wholeEntry(format);
    if (value <= mask) return { mask, value };
    context.report(env, expression, 'entry-too-wide', `${show(value)} does not fit: entries of ${format} tables have 4 bytes`);
    return null;
  }
  const field = fieldOf(format, bit.text, spte);
  if (!field) {
    const words = [
      'present',
      'readable',
      'writable',
      'user',
      'executable',
      'nx',
      'accessed',
      'dirty',
      'large',
      'global',
      'key',
      'memtype',
      'frame',
    ];
    const known = words.filter((word) => fieldOf(format, word, spte));
    const near = nearest(bit.text, known);
    const fixes = near ? [{ file: env.file, node: bit, title: `Change to ${near}`, text: near }] : [];
    context.report(env, bit, 'unknown-bit', `entries of ${format} tables have no bit ${bit.text}; they have ${known.join(', ')}`, {
      fixes,
    });
    return null;
  }
  if (bit.text === 'frame') {
    const frame = context.unsigned(expression, env, 'the address of a page or table');
    if (frame === null) return null;
    if ((frame & ~field.mask) === 0n) return { mask: field.mask, value: frame };
    context.report(env, expression, 'not-aligned', `${show(frame)} is not the address of a page below 2^52`);
    return null;
  }
  const most = field.mask >> field.shift;
  const value = context.between(expression, env, bit.text, 0n, most);
  if (value === null) return null;
  return { mask: field.mask, value: (field.inverted ? most - value : value) << field.shift };
}

function edit(script: ScriptLowering, node: Edit, frame: Frame, out: Act[]): void {
  const { context } = script;
  const { env } = frame;
  if (BUILT_IN_TABLES.includes(node.entry.table.text) && !context.links.byReference.has(node.entry.table)) {
    const what = node.entry.table.text === 'tlb' ? "the TLB is the processor's" : `${node.entry.table.text} is the hypervisor's own`;
    context.report(env, node.entry, 'not-editable', `${what}: it cannot be edited, only expected`);
    return;
  }
  const tables = tablesOf(script, node.entry, frame);
  const place = entryPlace(script, node.entry, tables?.shape ?? null, env);
  const bits = tables && bitValue(script, node, tables.shape.name, false, env);
  if (!tables || tables.root === null || !place || !bits) return;
  const by = tables.vm === frame.vm ? script.performer(frame) : { vm: tables.vm.index, vcpu: 0 };
  const act: Act = {
    do: 'edit',
    origin: script.statements.of(node),
    by,
    table: { format: tables.shape.name, root: tables.root },
    ...place,
    clear: bits.mask,
    set: bits.value,
  };
  script.emit(act, out, node, env);
}

function store(script: ScriptLowering, node: MemoryWord, frame: Frame, out: Act[]): void {
  const word = readWord(script.context, node, frame.env);
  if (word) script.emit({ do: 'store', origin: script.statements.of(node), by: script.performer(frame), ...word }, out, node, frame.env);
}

/* ---------------------------------------------------------------- registers */

/** Register, mask and value of `cr0.wp = 0` or `cr3 = kernel`; null when there is no such bit or no value. */
export function registerValue(
  script: ScriptLowering,
  node: Pick<RegisterLoad, 'register' | 'bit' | 'value'>,
  env: Env,
): { readonly mask: bigint; readonly value: bigint } | null {
  const { context } = script;
  const name = node.register.text;
  if (!node.bit) {
    const value = context.evaluator.bits(node.value, env);
    return value === null ? null : { mask: LIMIT - 1n, value };
  }
  const mask = registerBit(name, node.bit.text);
  if (mask === null) {
    const known = registerBits(name);
    const near = nearest(node.bit.text, known);
    const fixes = near ? [{ file: env.file, node: node.bit, title: `Change to ${near}`, text: near }] : [];
    const has = known.length > 0 ? `; it has ${known.join(', ')}` : '';
    context.report(env, node.bit, 'unknown-bit', `${name} has no bit ${node.bit.text} here${has}`, { fixes });
    return null;
  }
  const value = context.switch(node.value, env, `${name}.${node.bit.text}`);
  return value === null ? null : { mask, value: value ? mask : 0n };
}

function registerLoad(script: ScriptLowering, node: RegisterLoad, frame: Frame, out: Act[]): void {
  const { context } = script;
  const { env, vm, vcpu } = frame;
  const name = node.register.text;
  if (name === 'vmcs' || name === 'vmcb') return reportUnsupported(context, env, node.register, 'vmcs');
  if (!isLoadable(name)) {
    context.report(env, node.register, 'not-loadable', `${name} cannot be loaded by a script`);
    return;
  }
  const load = registerValue(script, node, env);
  if (!load) return;
  checkLoad(script, node, name, load, frame);
  const whole = load.mask === LIMIT - 1n;
  const by = { vm: vm.index, vcpu };
  script.emit(
    { do: 'register', origin: script.statements.of(node), by, register: name, value: load.value, ...(whole ? {} : { mask: load.mask }) },
    out,
    node,
    env,
  );
}

function checkLoad(
  script: ScriptLowering,
  node: RegisterLoad,
  name: RegisterName,
  { mask, value }: { readonly mask: bigint; readonly value: bigint },
  frame: Frame,
): void {
  const { context } = script;
  const { env, vm, vcpu } = frame;
  const registers = vm.registers[vcpu];
  if (frame.inHandler) registers.known = false;
  if (!registers.known) return;
  const named = name === 'cr3' ? context.evaluator.value(node.value, env) : null;
  if (typeof named === 'object' && named !== null) {
    const tables = (tables: typeof named) => {
      const found = script.run.tablesOf(tables);
      return found && { root: found.tables.root, format: found.tables.shape.name };
    };
    checkFormat(context, node.value, named, registers.paging, env, { tables });
  }
  const whole = registers.merged(name, value, mask);
  const reason = refusalReason(name, whole, registers, script.run.host);
  if (registers.load(name, whole) || expectsGp(script, node.expects)) return;
  context.warn(env, node, 'register-refused', `#GP(0): ${reason}`);
}

/* ---------------------------------------------------------------- invalidations and entries */

function invalidate(script: ScriptLowering, node: Invalidate, frame: Frame, out: Act[]): void {
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
      return invept(script, node, base, frame, out);
    case 'invvpid': {
      if (!isHypervisor(script, node, frame)) return;
      reportUnsupported(context, env, node, 'invvpid');
      const vpid = node.tag ? context.between(node.tag, env, 'a VPID', 0n, 0xffffn) : 0n;
      if (vpid === null) return;
      const type = scope === 'all' ? 2 : scope === 'non_global' ? 3 : address !== null ? 0 : 1;
      if (type !== 2 && vpid === 0n) context.warn(env, node.tag ?? node, 'out-of-range', 'VPID 0 is the hypervisor itself: INVVPID fails');
      return script.emit({ ...base, do: 'invvpid', type, vpid: Number(vpid), address: address ?? 0n }, out, node, env);
    }
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

function invept(
  script: ScriptLowering,
  node: Invalidate,
  base: { readonly origin: number; readonly by: { readonly vm: number; readonly vcpu: number } },
  frame: Frame,
  out: Act[],
): void {
  const { context } = script;
  if (!isHypervisor(script, node, frame)) return;
  reportUnsupported(context, frame.env, node, 'invept');
  const value = node.address ? context.evaluator.value(node.address, frame.env) : 0n;
  const eptp = node.address ? context.unsigned(node.address, frame.env, 'an EPTP') : 0n;
  if (eptp === null) return;
  // The name of tables stands for the EPTP with them: write-back, walk length 4, accessed and dirty flags as the processor has.
  const attributes = typeof value === 'object' ? (script.run.host.features.eptAd ? 0x5en : 0x1en) : 0n;
  script.emit({ ...base, do: 'invept', type: node.address ? 1 : 2, eptp: eptp | attributes }, out, node, frame.env);
}

function isHypervisor(script: ScriptLowering, node: Invalidate | Enter, frame: Frame): boolean {
  if (frame.vm.plan.children.length > 0) return true;
  script.context.report(
    frame.env,
    node,
    'not-a-hypervisor',
    `${node.instruction} is for hypervisors: ${frame.vm.plan.named.name} has no VM inside`,
  );
  return false;
}

function enter(script: ScriptLowering, node: Enter, frame: Frame, out: Act[]): void {
  const { context, run } = script;
  const { env, vm } = frame;
  if (!isHypervisor(script, node, frame)) return;
  reportUnsupported(context, env, node, 'enter');
  if (vm.plan.hypervisor !== 'script') {
    context.report(
      env,
      node,
      'not-by-script',
      `${vm.plan.named.name} behaves as KVM and enters its guests by itself; say hypervisor script to play it`,
    );
  }
  const svm = run.host.vendor === 'amd';
  if ((node.instruction === 'vmrun') !== svm) {
    context.report(
      env,
      node,
      'other-vendor',
      svm ? `${node.instruction} is Intel's; an AMD processor has vmrun` : "vmrun is AMD's; an Intel processor has vmlaunch and vmresume",
    );
  }
  const target = node.vm ? context.links.byReference.get(node.vm) : null;
  const children = run.vms.filter((each) => each.plan.parent === vm.plan);
  const guest = node.vm ? children.find((each) => each.plan.named === target) : children[0];
  if (!guest || (!node.vm && children.length > 1)) {
    context.report(env, node.vm ?? node, 'which-vm', `name the VM to enter: ${children.map((each) => each.plan.named.name).join(', ')}`);
    return;
  }
  script.emit(
    { do: 'vmenter', origin: script.statements.of(node), by: script.performer(frame), instruction: node.instruction, guest: guest.index },
    out,
    node,
    env,
  );
}
