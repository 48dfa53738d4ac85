/** Second half of binding names: every reference, in all files of a scenario, to its definition. */
import { nearest } from '../syntax/problem';
import type { Definition, Node, Reference, Run, Vm } from '../syntax/tree';
import { children } from '../syntax/walk';
import { kindOf } from '../kinds';
import type { Binder } from './binder';
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

class Linker implements Links, Binder {
  readonly byReference = new Map<Reference, Named>();
  readonly definitions: Definitions;
  private readonly runVms = new Map<Run, Named>();
  /** Inside a handler of faults. */
  private handling = false;

  constructor(
    files: readonly SourceFile[],
    readonly reporter: Reporter,
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
    this.all(file.parsed.tree.items, this.definitions.ofFile(file));
  }

  /* ------------------------------------------------------------ what kinds bind with */

  bind(node: Node | null, scope: Scope): void {
    if (node) kindOf(node).bind(node, scope, this);
  }

  all(nodes: readonly Node[], scope: Scope): void {
    for (const node of nodes) this.bind(node, scope);
  }

  parts(node: Node, scope: Scope): void {
    this.all(children(node), scope);
  }

  meaning(reference: Reference): Named | null {
    return this.byReference.get(reference) ?? null;
  }

  runs(run: Run, vm: Named): void {
    this.runVms.set(run, vm);
  }

  inHandler(bind: () => void): void {
    const before = this.handling;
    this.handling = true;
    bind();
    this.handling = before;
  }

  /* ------------------------------------------------------------ references */

  qualified(vmReference: Reference | null, name: Reference, scope: Scope): void {
    if (!vmReference) return this.resolve(name, scope);
    this.resolve(vmReference, scope);
    const vm = this.byReference.get(vmReference);
    if (!vm) return;
    const found = this.definitions.ofVm(vm.node as Vm).own('value', name.text);
    if (found) return this.use(name, found, scope.file);
    if (name.to === 'table' && BUILT_IN_TABLES.includes(name.text)) return;
    this.unknown(name, this.definitions.ofVm(vm.node as Vm).ownNames(), scope, ` in ${vm.name}`);
  }

  resolve(reference: Reference, scope: Scope): void {
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
    if (this.handling && reference.to === 'value' && reference.text === FAULT_ADDRESS) return;
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
