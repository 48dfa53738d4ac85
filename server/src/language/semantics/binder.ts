/** What kinds of node bind names with: links.ts binds, each kind says in which scopes. */
import type { Node, Reference, Run } from '../syntax/tree';
import type { Definitions } from './definitions';
import type { Reporter } from './reporter';
import type { Named, Scope } from './scopes';

export interface Binder {
  readonly definitions: Definitions;
  readonly reporter: Reporter;
  bind(node: Node | null, scope: Scope): void;
  all(nodes: readonly Node[], scope: Scope): void;
  /** All parts of a node in one scope. */
  parts(node: Node, scope: Scope): void;
  /** A name to its definition; when it has none, that is reported. */
  resolve(reference: Reference, scope: Scope): void;
  /** A name, or one of a VM's: `l1.kernel`. */
  qualified(vm: Reference | null, name: Reference, scope: Scope): void;
  /** What a reference was bound to. */
  meaning(reference: Reference): Named | null;
  /** Whose script a run is. */
  runs(run: Run, vm: Named): void;
  /** In a handler of faults, the address of the fault has a name. */
  inHandler(bind: () => void): void;
}
