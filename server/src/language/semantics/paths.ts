/** Paths that stand in files. */

/** URI of a path that stands in a file; null when it leads nowhere, as from an untitled document. */
export function resolveImport(path: string, from: string): string | null {
  if (path === '') return null;
  try {
    return new URL(path.split('/').map(encodeURIComponent).join('/'), from).href;
  } catch {
    return null;
  }
}
