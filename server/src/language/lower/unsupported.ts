/** What the language says and the engine cannot run yet: one table, from which constructs are taken as the engine learns them. */
import type { Range } from '../syntax/tree';
import type { SourceFile } from '../semantics/source';
import type { Context } from './context';

type Construct = 'deeper-vm' | 'exits-of-one-guest' | 'load';

const UNSUPPORTED: { readonly [construct in Construct]?: string } = {
  'deeper-vm': 'a VM inside a VM that is inside a VM itself',
  'exits-of-one-guest': 'telling the exits of several guests of one VM from each other',
  load: 'loading memory from a file where files cannot be read',
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
