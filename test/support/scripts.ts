/** Scenarios for tests of services: analysed in this thread. */
import { analyze } from '../../server/src/language/analysis';
import type { Analysis } from '../../server/src/language/analysis';
import { marked } from './markers';
import type { Marked } from './markers';

export const URI = 'file:///scenarios/test.mmu';

export interface Opened extends Marked {
  readonly analysis: Analysis;
}

/** Analyses a fixture with markers. `files` are the imports, by their name beside it. */
export function opened(fixture: string, files: { readonly [name: string]: string } = {}): Opened {
  const mark = marked(fixture);
  return Object.assign(Object.create(mark) as Marked, { text: mark.text, analysis: analyze(mark.text, URI, { read: reader(files) }) });
}

export function reader(files: { readonly [name: string]: string }): (uri: string) => string | null {
  return (uri) => files[uri.slice(uri.lastIndexOf('/') + 1)] ?? null;
}

/** A machine with 4-level tables that map 2M from 0x40_0000, and a page nobody but the supervisor may write. */
export const MACHINE = `vm guest {
  slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000 }
  tables kernel at 0x1000 {
    0x40_0000 +2M -> 0x20_0000  rw user
    0x7fff_f000 +4K -> 0x9000  rw user nx
  }
  vcpu { cr3 kernel }
}
`;
