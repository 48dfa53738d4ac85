/** Names and where they hold. */
import type { Block, Const, Definition, DefinitionOf, For, Range, Reference, Tables, Vcpu, Vm } from '../syntax/tree';
import type { SourceFile } from './source';

/** Names of different spaces do not meet: a block and a constant may have the same one. */
export type Space = 'value' | 'block' | 'vm' | 'vcpu';

const SPACES: { readonly [of in DefinitionOf]: Space } = {
  const: 'value',
  loop: 'value',
  parameter: 'value',
  tables: 'value',
  block: 'block',
  vm: 'vm',
  vcpu: 'vcpu',
};

export function spaceOf(of: DefinitionOf): Space {
  return SPACES[of];
}

/** Names that stand for something in the engine, where tables are used. */
export const BUILT_IN_TABLES: readonly string[] = ['shadow', 'tdp', 'tlb'];
/** In a handler: the address of the fault. */
export const FAULT_ADDRESS = 'cr2';

/** How people call a kind of name. */
export const KIND_OF_NAME: { readonly [of in DefinitionOf]: string } = {
  const: 'a constant',
  loop: "a loop's variable",
  parameter: 'a parameter',
  block: 'a block',
  vm: 'a VM',
  vcpu: 'a vCPU',
  tables: 'tables',
};

/** A name with its definition, where it holds, and where it is used. */
export interface Named {
  readonly name: string;
  readonly of: DefinitionOf;
  readonly definition: Definition;
  readonly file: SourceFile;
  /** What defines it. A parameter's is its block. */
  readonly node: Const | For | Block | Vm | Vcpu | Tables;
  readonly scope: Scope;
  readonly uses: { readonly file: SourceFile; readonly reference: Reference }[];
}

export class Scope {
  private readonly names = new Map<string, Named>();

  /**
   * @param parents asked in order for what this one does not know
   * @param range part of the file in which it holds; null: nowhere by itself
   * @param vm the VM whose names these are, or that performs here; null: a file's or a block's
   * @param local in a script, a block or a loop: constants may depend on loops and parameters
   */
  constructor(
    readonly file: SourceFile,
    readonly range: Range | null,
    readonly parents: readonly Scope[],
    readonly vm: Named | null,
    readonly local = false,
  ) {}

  /** @returns the definition that has the name already, if there is one; the new one is not added then */
  add(named: Named): Named | null {
    const key = keyOf(spaceOf(named.of), named.name);
    const other = this.names.get(key);
    if (other) return other;
    this.names.set(key, named);
    return null;
  }

  /** A name of this very scope. */
  own(space: Space, name: string): Named | null {
    return this.names.get(keyOf(space, name)) ?? null;
  }

  find(space: Space, name: string): Named | null {
    const own = this.own(space, name);
    if (own) return own;
    for (const parent of this.parents) {
      const found = parent.find(space, name);
      if (found) return found;
    }
    return null;
  }

  /** All names that {@link find} would find, innermost first, hidden ones left out. */
  visible(): Named[] {
    const seen = new Map<string, Named>();
    this.collect(seen);
    return [...seen.values()];
  }

  ownNames(): Iterable<Named> {
    return this.names.values();
  }

  private collect(seen: Map<string, Named>): void {
    for (const [key, named] of this.names) if (!seen.has(key)) seen.set(key, named);
    for (const parent of this.parents) parent.collect(seen);
  }
}

function keyOf(space: Space, name: string): string {
  return `${space} ${name}`;
}
