export interface Names {
  readonly exported: string[];
  readonly imported: { readonly specifier: string; readonly names: string[] | 'all' }[];
}

export function namesOf(text: string): Names;

export function deadExports(root: string, files: readonly string[], users: readonly string[]): string[];
