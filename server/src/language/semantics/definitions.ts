/** First half of binding names: what files, their imports and their VMs define. */
import { fileItemKind, vmItemKind } from '../machine/kinds';
import type { Const, Definition, Node, Vm } from '../syntax/tree';
import type { Reporter } from './reporter';
import { BUILT_IN_TABLES, KIND_OF_NAME, Scope, spaceOf } from './scopes';
import type { Named } from './scopes';
import type { SourceFile } from './source';

export class Definitions {
  readonly byDefinition = new Map<Definition, Named>();
  /** All names in the order of their definitions. */
  readonly names: Named[] = [];
  readonly scopes: Scope[] = [];
  private readonly fileScopes = new Map<SourceFile, Scope>();
  private readonly vmScopes = new Map<Vm, Scope>();

  constructor(
    files: readonly SourceFile[],
    private readonly reporter: Reporter,
  ) {
    const imports = new Map(files.map((file) => [file, new Scope(file, null, [], null)]));
    for (const file of files) this.fileScopes.set(file, this.scope(file, file.parsed.tree, [imports.get(file)!], null));
    for (const file of files) this.declareFile(file);
    for (const file of files) this.addImports(file, imports.get(file)!, file === files[0]);
  }

  ofFile(file: SourceFile): Scope {
    return this.fileScopes.get(file)!;
  }

  /** The inside of a VM. */
  ofVm(vm: Vm): Scope {
    return this.vmScopes.get(vm)!;
  }

  scope(file: SourceFile, node: { readonly range: Node['range'] }, parents: readonly Scope[], vm: Named | null, local = false): Scope {
    const scope = new Scope(file, node.range, parents, vm, local);
    this.scopes.push(scope);
    return scope;
  }

  define(scope: Scope, definition: Definition | null, node: Named['node']): Named | null {
    if (!definition || definition.text === '') return null;
    const named: Named = { name: definition.text, of: definition.of, definition, file: scope.file, node, scope, uses: [] };
    this.names.push(named);
    this.byDefinition.set(definition, named);
    const other = scope.add(named);
    if (other) this.reportTwice(named, other);
    if (named.of === 'tables' && BUILT_IN_TABLES.includes(named.name)) {
      this.reporter.report(scope.file, definition, 'built-in-name', `${named.name} is built in; these tables need another name`);
    }
    return named;
  }

  /** Constants hold in the whole body that they stand in. */
  defineConstants(scope: Scope, items: readonly Node[]): void {
    for (const item of items) if (item.kind === 'const') this.define(scope, item.name, item satisfies Const);
  }

  private declareFile(file: SourceFile): void {
    for (const item of file.parsed.tree.items) if (item.kind !== 'error') fileItemKind(item).declare(item, this.ofFile(file), this);
  }

  /** VMs are known in the whole file, wherever they are nested. @param outer the scope around its inside */
  declareVm(vm: Vm, outer: Scope): void {
    const named = this.define(this.ofFile(outer.file), vm.name, vm);
    const scope = this.scope(outer.file, vm, [outer], named);
    this.vmScopes.set(vm, scope);
    const items = vm.body?.items ?? [];
    this.defineConstants(scope, items);
    for (const item of items) if (item.kind !== 'error' && item.kind !== 'const') vmItemKind(item).declare(item, scope, this);
  }

  private addImports(file: SourceFile, imports: Scope, report: boolean): void {
    const own = this.fileScopes.get(file)!;
    for (const other of reachableFrom(file)) {
      for (const named of this.fileScopes.get(other)!.ownNames()) {
        const same = own.own(spaceOf(named.of), named.name) ?? imports.add(named);
        if (!same || !report) continue;
        if (same.file === file) this.reportTwice(same, named);
        else this.reportTwice(named, same);
      }
    }
  }

  private reportTwice(named: Named, other: Named): void {
    const message = `${named.name} is defined twice; it is ${KIND_OF_NAME[other.of]} already`;
    const related = [{ file: other.file, node: other.definition, message: `${other.name} is defined here too` }];
    this.reporter.report(named.file, named.definition, 'defined-twice', message, { related });
  }
}

/** Files that a file imports, directly or not. */
function reachableFrom(file: SourceFile): Set<SourceFile> {
  const found = new Set<SourceFile>();
  const pending = [...file.imported];
  for (let next = pending.shift(); next; next = pending.shift()) {
    if (found.has(next) || next === file) continue;
    found.add(next);
    pending.push(...next.imported);
  }
  return found;
}
