import { strict as assert } from 'node:assert';
import { SymbolKind } from 'vscode-languageserver-types';
import type { DocumentSymbol } from 'vscode-languageserver-types';
import { documentSymbols } from '../../server/src/services/outline';
import { opened } from '../support/scripts';

function check(fixture: string, expected: string): void {
  const lines = (symbols: readonly DocumentSymbol[], indent: string): string[] =>
    symbols.flatMap(({ name, detail, kind, children }) => [
      `${indent}${name}${detail ? ` | ${detail}` : ''} (${kindName(kind)})`,
      ...lines(children ?? [], `${indent}  `),
    ]);
  assert.equal(lines(documentSymbols(opened(fixture).analysis), '').join('\n'), expected.trim());
}

function kindName(kind: SymbolKind): string {
  return Object.entries(SymbolKind).find(([, value]) => value === kind)?.[0] ?? String(kind);
}

describe('outline', () => {
  it('lists machines, blocks and runs with their parts', () =>
    check(
      `import "common.mmu"
const page = 4K
host { memory 64M }
vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 { 0x40_0000 +page -> 0x5000 rw }
  vcpu { cr3 kernel }
}
block touch(a, n) {
  read a x n step page
}
run guest "first" under soft, ept {
  user read 0x40_0000   expect ok   // why
  for i in 0 .. 3 { touch(0x40_0000, 1) }
  host delete slot 0
}
`,
      `
import "common.mmu" (File)
page | 4K (Constant)
host (Module)
guest | vm (Class)
  slot 0 | gpa 0 · size 16M (Field)
  kernel | tables (Struct)
  vcpu (Object)
touch | (a, n) (Function)
  read a x n step page (Method)
run guest "first" under soft, ept (Event)
  user read 0x40_0000 (Method)
  for i in 0 .. 3 (Namespace)
    touch(0x40_0000, 1) (Method)
  host delete slot 0 (Method)
`,
    ));

  it('has selections within ranges, whatever the text', () => {
    const { analysis } = opened('vm { tables \n run under {\n read\n vm x { slot');
    const inside = (symbols: readonly DocumentSymbol[]): void => {
      for (const { name, range, selectionRange, children } of symbols) {
        assert.notEqual(name, '');
        assert.ok(analysis.offsetAt(range.start) <= analysis.offsetAt(selectionRange.start));
        assert.ok(analysis.offsetAt(selectionRange.end) <= analysis.offsetAt(range.end));
        inside(children ?? []);
      }
    };
    inside(documentSymbols(analysis));
  });
});
