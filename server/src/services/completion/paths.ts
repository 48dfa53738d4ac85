/** Files after `import "` and `load "`: which folder is asked for, and what of it is offered. */
import { CompletionItemKind } from 'vscode-languageserver-types';
import type { CompletionItem, Range as LspRange } from 'vscode-languageserver-types';
import { resolveImport } from '../../language/analysis';
import type { Analysis } from '../../language/analysis';
import type { FolderEntry } from '../../protocol/messages';
import { pathAt } from '../../language/syntax/tree';
import { lspRange } from '../places';

/** A path that is being written. */
export interface PathPlace {
  /** URI of the folder whose files come next. */
  readonly folder: string;
  /** What is replaced: the last part of the path. */
  readonly range: LspRange;
  /** Scenarios alone; otherwise all other files. */
  readonly scenarios: boolean;
  /** What closes the path. */
  readonly quote: '"' | '';
  /** URI of the file that the path stands in. */
  readonly from: string;
}

const SCENARIO = /\.mmu$/;

/** The path around an offset; null when there is none, or it leads nowhere. */
export function pathPlace(analysis: Analysis, offset: number): PathPlace | null {
  const { text, tree } = analysis.parsed;
  const [node, text_] = pathAt(tree, offset).slice(-2);
  if (text_?.kind !== 'text' || (node.kind !== 'import' && node.kind !== 'load' && node.kind !== 'replay')) return null;
  const { start, end } = text_.range;
  const closed = end - start > 1 && text[end - 1] === '"';
  if (offset <= start || (closed && offset === end)) return null;
  const written = text.slice(start + 1, offset);
  const upTo = written.lastIndexOf('/') + 1;
  const folder = resolveImport(written.slice(0, upTo) || './', analysis.uri);
  if (folder === null) return null;
  const range = lspRange(analysis, { start: start + 1 + upTo, end: closed ? end - 1 : offset });
  return { folder: folder.replace(/\/$/, ''), range, scenarios: node.kind === 'import', quote: closed ? '' : '"', from: analysis.uri };
}

/** Folders first; nothing hidden, and not the file itself. */
export function pathItems({ range, scenarios, quote, folder, from }: PathPlace, entries: readonly FolderEntry[]): CompletionItem[] {
  return entries
    .filter(
      ({ name, folder: isFolder }) => !name.startsWith('.') && name !== 'node_modules' && (isFolder || SCENARIO.test(name) === scenarios),
    )
    .filter(({ name }) => `${folder}/${encodeURIComponent(name)}` !== from)
    .sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name))
    .map(({ name, folder: isFolder }, index) => ({
      label: isFolder ? `${name}/` : name,
      kind: isFolder ? CompletionItemKind.Folder : CompletionItemKind.File,
      sortText: String(index).padStart(5, '0'),
      textEdit: { range, newText: isFolder ? `${name}/` : `${name}${quote}` },
      // What is in the folder comes next.
      ...(isFolder && { command: { title: 'Suggest', command: 'editor.action.triggerSuggest' } }),
    }));
}
