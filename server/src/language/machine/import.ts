/** `import "file.mmu"`: its constants, blocks, and VMs. */
import { bindParts, declaresNothing, noAddress } from '../kind';
import type { FileItemKind } from '../kind';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Text } from '../syntax/tree';

export interface Import extends Base {
  readonly kind: 'import';
  readonly path: Text | null;
}

const IMPORTED = { ERR_MSG: 'the path of a file in quotes', PATH: 'import', LABEL: '"path"' } as const;

/** `import "common.mmu"` */
const rule: Rule<[], Import> = ($) => () => {
  const start = $.CONSUME($.t.word('import')).startOffset;
  const path = $.textOrNull($.CONSUME($.t.Str, IMPORTED));
  return { kind: 'import', path, range: $.since(start) };
};

export const importFile: FileItemKind<Import> = {
  rule,
  words: { declaration: { import: 'Takes constants, blocks and VMs from another file: `import "common.mmu"`.' } },
  numbered: 'never',
  line: 'plain',
  bind: bindParts,
  address: noAddress,
  outline: ({ path }, { text }) => ({ name: `import ${text(path)}`, symbol: 'file', at: path }),
  // What it brings is known when all files are (semantics/definitions.ts).
  declare: declaresNothing,
};
