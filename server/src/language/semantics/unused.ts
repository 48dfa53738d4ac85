/** Names that nothing uses. */
import type { Links } from './links';
import type { Reporter } from './reporter';
import { spaceOf } from './scopes';
import type { SourceFile } from './source';

/** Only of the main file; a file without runs is there to be imported, and what it offers may be used elsewhere. */
export function reportUnused(links: Links, main: SourceFile, reporter: Reporter): void {
  const library = main.parsed.tree.items.every((item) => item.kind !== 'run');
  for (const named of links.names) {
    if (named.file !== main || named.uses.length > 0 || named.name.startsWith('_')) continue;
    if (named.of !== 'const' && named.of !== 'block' && named.of !== 'parameter') continue;
    // The second of two definitions is wrong, not unused.
    if (named.scope.own(spaceOf(named.of), named.name) !== named) continue;
    if (library && named.of !== 'parameter' && !named.scope.local) continue;
    const what = { const: 'the constant', block: 'the block', parameter: 'the parameter' }[named.of];
    reporter.report(main, named.definition, 'unused-name', `${what} ${named.name} is not used`, { severity: 'hint', unnecessary: true });
  }
}
