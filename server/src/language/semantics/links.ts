/** Second half of binding names: every reference, in all files of a scenario, to its definition. */
import { nearest } from '../syntax/problem';
import { ACTORS, EVENT_VALUES } from '../syntax/words/observed';
import type {
  Block,
  Body,
  Definition,
  EventField,
  EventPattern,
  Expression,
  For,
  Handler,
  Node,
  Performed,
  Reference,
  Run,
  Tables,
  Vm,
} from '../syntax/tree';
import { Definitions } from './definitions';
import type { Reporter } from './reporter';
import { BUILT_IN_TABLES, FAULT_ADDRESS, KIND_OF_NAME } from './scopes';
import type { Named, Scope, Space } from './scopes';
import type { SourceFile } from './source';

export interface Links {
  readonly byReference: ReadonlyMap<Reference, Named>;
  readonly byDefinition: ReadonlyMap<Definition, Named>;
  /** All names in the order of their definitions, file by file. */
  readonly names: readonly Named[];
  readonly scopes: readonly Scope[];
  /** The inside of a VM. */
  scopeOfVm(vm: Vm): Scope;
  /** Whose script a run is; null when that cannot be said. */
  vmOfRun(run: Run): Named | null;
}

export function link(files: readonly SourceFile[], reporter: Reporter): Links {
  const linker = new Linker(files, reporter);
  for (const file of files) linker.bindFile(file);
  return linker;
}

class Linker implements Links {
  readonly byReference = new Map<Reference, Named>();
  private readonly definitions: Definitions;
  private readonly runVms = new Map<Run, Named>();
  private inHandler = false;

  constructor(
    files: readonly SourceFile[],
    private readonly reporter: Reporter,
  ) {
    this.definitions = new Definitions(files, reporter);
  }

  get byDefinition(): ReadonlyMap<Definition, Named> {
    return this.definitions.byDefinition;
  }

  get names(): readonly Named[] {
    return this.definitions.names;
  }

  get scopes(): readonly Scope[] {
    return this.definitions.scopes;
  }

  scopeOfVm(vm: Vm): Scope {
    return this.definitions.ofVm(vm);
  }

  vmOfRun(run: Run): Named | null {
    return this.runVms.get(run) ?? null;
  }

  bindFile(file: SourceFile): void {
    const scope = this.definitions.ofFile(file);
    for (const item of file.parsed.tree.items) this.bind(item, scope);
  }

  /* ------------------------------------------------------------ nodes that open scopes */

  private bind(node: Node, scope: Scope): void {
    switch (node.kind) {
      case 'reference':
        return this.resolve(node, scope);
      case 'name':
        return this.bindQualified(node.vm, node.name, scope);
      case 'entry':
        this.bind(node.address, scope);
        if (node.level) this.bind(node.level, scope);
        return this.bindQualified(node.vm, node.table, scope);
      case 'vm':
        return this.bindItems(node.body?.items ?? [], this.definitions.ofVm(node));
      case 'tables':
        return this.bindTables(node, scope);
      case 'for':
        return this.bindFor(node, scope);
      case 'block':
        return this.bindBlock(node, scope);
      case 'run':
        return this.bindRun(node, scope);
      case 'performed':
        return this.bindPerformed(node, scope);
      case 'handler':
        return this.bindHandler(node, scope);
      case 'event':
        return this.bindEvent(node, scope);
      case 'body':
        return this.bindBody(node, scope);
      default:
        return this.bindChildren(node, scope);
    }
  }

  private bindChildren(node: Node, scope: Scope): void {
    for (const key in node) {
      const value: unknown = node[key as keyof typeof node];
      if (isNode(value)) this.bind(value, scope);
      else if (Array.isArray(value)) for (const each of value) if (isNode(each)) this.bind(each, scope);
    }
  }

  private bindItems(items: readonly Node[], scope: Scope): void {
    for (const item of items) this.bind(item, scope);
  }

  /** A body of a script, whose constants hold in it alone. */
  private bindBody(node: Body, scope: Scope): void {
    if (!node.items.some((item) => item.kind === 'const')) return this.bindItems(node.items, scope);
    const inner = this.definitions.scope(scope.file, node, [scope], scope.vm, true);
    this.definitions.defineConstants(inner, node.items);
    this.bindItems(node.items, inner);
  }

  private bindTables(node: Tables, scope: Scope): void {
    if (node.at) this.bind(node.at, scope);
    if (!node.body) return;
    const inner = this.definitions.scope(scope.file, node.body, [scope], scope.vm);
    this.definitions.defineConstants(inner, node.body.items);
    this.bindItems(node.body.items, inner);
  }

  private bindFor(node: For, scope: Scope): void {
    if (node.over) this.bind(node.over, scope);
    if (node.step) this.bind(node.step, scope);
    if (!node.body) return;
    const inner = this.definitions.scope(scope.file, node.body, [scope], scope.vm, true);
    this.definitions.define(inner, node.name, node);
    this.definitions.defineConstants(inner, node.body.items);
    this.bindItems(node.body.items, inner);
  }

  private bindBlock(node: Block, scope: Scope): void {
    const inner = this.definitions.scope(scope.file, node, [scope], null, true);
    for (const parameter of node.parameters) this.definitions.define(inner, parameter, node);
    if (node.body) this.bind(node.body, inner);
  }

  private bindRun(node: Run, scope: Scope): void {
    if (node.vm) this.resolve(node.vm, scope);
    const vm = node.vm ? (this.byReference.get(node.vm) ?? null) : this.onlyVm(node, scope);
    if (vm) this.runVms.set(node, vm);
    if (!node.body) return;
    const parents = vm ? [this.definitions.ofVm(vm.node as Vm), scope] : [scope];
    this.bind(node.body, this.definitions.scope(scope.file, node.body, parents, vm, true));
  }

  private onlyVm(node: Run, scope: Scope): Named | null {
    const vms = scope.visible().filter((named) => named.of === 'vm');
    const outer = vms.filter((named) => !isNested(named));
    if (outer.length === 1) return outer[0];
    const head = { range: { start: node.range.start, end: node.range.start + 'run'.length } };
    if (outer.length === 0) this.reporter.report(scope.file, head, 'no-vm', 'there is no VM to run: declare one as `vm guest { … }`');
    else {
      const fixes = outer.map(({ name }) => ({ file: scope.file, node: head, title: `Run ${name}`, text: `run ${name}` }));
      this.reporter.report(
        scope.file,
        head,
        'which-vm',
        `there are several VMs; name the one to run: ${outer.map((each) => each.name).join(', ')}`,
        { fixes },
      );
    }
    return null;
  }

  private bindPerformed(node: Performed, scope: Scope): void {
    let inner = scope;
    if (node.vm) {
      this.resolve(node.vm, scope);
      const vm = this.byReference.get(node.vm);
      if (vm) inner = this.definitions.scope(scope.file, node, [this.definitions.ofVm(vm.node as Vm), scope], vm, true);
    }
    if (node.vcpu) this.resolve(node.vcpu, inner);
    if (node.statement) this.bind(node.statement, inner);
    if (node.body) this.bind(node.body, inner);
  }

  private bindHandler(node: Handler, scope: Scope): void {
    const before = this.inHandler;
    this.inHandler = true;
    if (node.body) this.bind(node.body, scope);
    this.inHandler = before;
  }

  /** Fields may be told by names that events have, as `kvm_mmu_get_page(new)`. */
  private bindEvent(node: EventPattern, scope: Scope): void {
    for (const field of node.fields) {
      if (!isEventValue(node, field) || scope.find('value', textOf(field.value))) this.bind(field.value, scope);
    }
  }

  /* ------------------------------------------------------------ references */

  private bindQualified(vmReference: Reference | null, name: Reference, scope: Scope): void {
    if (!vmReference) return this.resolve(name, scope);
    this.resolve(vmReference, scope);
    const vm = this.byReference.get(vmReference);
    if (!vm) return;
    const found = this.definitions.ofVm(vm.node as Vm).own('value', name.text);
    if (found) return this.use(name, found, scope.file);
    if (name.to === 'table' && BUILT_IN_TABLES.includes(name.text)) return;
    this.unknown(name, this.definitions.ofVm(vm.node as Vm).ownNames(), scope, ` in ${vm.name}`);
  }

  private resolve(reference: Reference, scope: Scope): void {
    if (reference.text === '') return;
    if (reference.to === 'table' && BUILT_IN_TABLES.includes(reference.text)) return;
    const space: Space = reference.to === 'table' ? 'value' : reference.to;
    const found = scope.find(space, reference.text) ?? this.insideSomeVm(space, reference, scope);
    if (found) {
      this.use(reference, found, scope.file);
      if (reference.to === 'table' && found.of !== 'tables' && found.of !== 'parameter') {
        this.reporter.report(scope.file, reference, 'not-tables', `${found.name} is ${KIND_OF_NAME[found.of]}, not tables`, {
          related: [{ file: found.file, node: found.definition, message: `${found.name} is defined here` }],
        });
      }
      return;
    }
    if (this.inHandler && reference.to === 'value' && reference.text === FAULT_ADDRESS) return;
    if (reference.to === 'vcpu' && /^[0-9]+$/.test(reference.text)) return;
    this.unknown(reference, scope.visible(), scope, '');
  }

  /** A block has no VM of its own: tables and vCPUs that it names are those of the VM that it is called for. */
  private insideSomeVm(space: Space, reference: Reference, scope: Scope): Named | null {
    if (scope.vm !== null || (space !== 'value' && space !== 'vcpu')) return null;
    for (const vm of scope.visible()) {
      if (vm.of !== 'vm') continue;
      const found = this.definitions.ofVm(vm.node as Vm).own(space, reference.text);
      if (found && found.of !== 'const') return found;
    }
    return null;
  }

  private use(reference: Reference, named: Named, file: SourceFile): void {
    this.byReference.set(reference, named);
    named.uses.push({ file, reference });
  }

  private unknown(reference: Reference, candidates: Iterable<Named>, scope: Scope, where: string): void {
    const { text, to } = reference;
    const all = [...candidates];
    const other = all.find((named) => named.name === text);
    const fitting = all.filter((named) => fits(named, to)).map((named) => named.name);
    const near = nearest(text, to === 'table' ? [...fitting, ...BUILT_IN_TABLES] : fitting);
    const what = WHAT[to];
    const none = to === 'table' ? 'there are no tables' : `there is no ${what.replace(/^an? /, '')}`;
    const message = other
      ? `${text} is ${KIND_OF_NAME[other.of]}, and ${what} is needed here`
      : `${none} ${text}${where}${near ? `; is ${near} meant?` : ''}`;
    const fixes = near && !other ? [{ file: scope.file, node: reference, title: `Change to ${near}`, text: near }] : [];
    this.reporter.report(scope.file, reference, 'unknown-name', message, { fixes });
  }
}

/** A name that an event's field has: in its first field, or as its actor. */
export function isEventValue(event: EventPattern, { name, value }: EventField): boolean {
  const names = name?.text === 'actor' ? ACTORS : (EVENT_VALUES[event.name.text] ?? {});
  return value.kind === 'name' && value.vm === null && Object.hasOwn(names, value.name.text);
}

function textOf(value: Expression): string {
  return value.kind === 'name' ? value.name.text : '';
}

const WHAT: { readonly [to in Reference['to']]: string } = {
  value: 'a value',
  table: 'tables',
  vm: 'a VM',
  vcpu: 'a vCPU',
  block: 'a block',
};

function fits(named: Named, to: Reference['to']): boolean {
  switch (to) {
    case 'value':
      return named.of === 'const' || named.of === 'loop' || named.of === 'parameter' || named.of === 'tables';
    case 'table':
      return named.of === 'tables' || named.of === 'parameter';
    default:
      return named.of === to;
  }
}

/** A VM inside another: its scope's parent is that of a VM. */
function isNested(vm: Named): boolean {
  return vm.file.parsed.tree.items.every((item) => item !== vm.node);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
