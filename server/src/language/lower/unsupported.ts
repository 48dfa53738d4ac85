/** What the language says and the engine cannot run yet: one table, from which constructs are taken as the engine learns them. */
import type { Range } from '../syntax/tree';
import type { SourceFile } from '../semantics/source';
import type { Context } from './context';

export type Construct = 'deeper-vm' | 'expect-vmcs' | 'replay' | 'load';

const UNSUPPORTED: { readonly [construct in Construct]?: string } = {
  'deeper-vm': 'a VM inside a VM that is inside a VM itself',
  'expect-vmcs': "expecting a field of L1's VMCS or VMCB",
  replay: 'replaying a memory trace',
  load: 'loading memory from a file',
};

/** Reports the construct when the engine cannot run it. */
export function reportUnsupported(
  context: Context,
  at: { readonly file: SourceFile },
  node: { readonly range: Range },
  construct: Construct,
): void {
  const what = UNSUPPORTED[construct];
  if (what) context.report(at, node, 'not-supported-yet', `${what} is not supported yet`);
}
