/** Files after `import "` and `load "`: which folder is asked for, and what of it is offered. */
import { CompletionItemKind } from 'vscode-languageserver-types';
import type { CompletionItem, Range as LspRange } from 'vscode-languageserver-types';
import { resolveImport } from '../../language/analysis';
import type { Analysis } from '../../language/analysis';
import type { FolderEntry } from '../../protocol/messages';
import type { Expected } from '../../language/syntax/expected';
import { lspRange } from '../places';

/** A path that is being written. */
interface PathPlace {
  /** URI of the folder whose files come next. */
  readonly folder: string;
  /** What is replaced: the last part of the path. */
  readonly range: LspRange;
  /** Scenarios alone; otherwise all other files. */
  readonly scenarios: boolean;
  /** What opens and what closes the path, where that is not there. */
  readonly open: '"' | '';
  readonly close: '"' | '';
  /** URI of the file that the path stands in. */
  readonly from: string;
}

const SCENARIO = /\.mmu$/;

/** The path around an offset; null when none can stand there, or it leads nowhere. */
export function pathPlace(analysis: Analysis, offset: number, { start, items, quoted }: Expected): PathPlace | null {
  const path = items.flatMap((item) => (item.kind === 'string' && item.path !== null ? [item.path] : []))[0];
  if (path === undefined) return null;
  const { text } = analysis.parsed;
  const written = quoted ? text.slice(start, offset) : '';
  const upTo = written.lastIndexOf('/') + 1;
  const folder = resolveImport(written.slice(0, upTo) || './', analysis.uri);
  if (folder === null) return null;
  const rest = quoted ? /^([^"\r\n]*)"/.exec(text.slice(offset, offset + 1000)) : null;
  const range = lspRange(analysis, { start: start + upTo, end: offset + (rest?.[1].length ?? 0) });
  const quotes = { open: quoted ? ('' as const) : ('"' as const), close: rest ? ('' as const) : ('"' as const) };
  return { folder: folder.replace(/\/$/, ''), range, scenarios: path === 'import', ...quotes, from: analysis.uri };
}

/** Folders first; nothing hidden, and not the file itself. */
export function pathItems({ range, scenarios, open, close, folder, from }: PathPlace, entries: readonly FolderEntry[]): CompletionItem[] {
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
      textEdit: { range, newText: `${open}${name}${isFolder ? '/' : close}` },
      // What is in the folder comes next.
      ...(isFolder && { command: { title: 'Suggest', command: 'editor.action.triggerSuggest' } }),
    }));
}
