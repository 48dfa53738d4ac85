/** Scenarios for tests of services: analysed and run in this thread. */
import { openScript, runScript } from '../../server/src/run/session';
import type { RunView } from '../../server/src/views/view';
import { marked } from './markers';
import type { Marked } from './markers';
import { reader, URI } from './scripts';
import type { Opened } from './scripts';

/** Analyses and runs a fixture with markers. */
export function ran(fixture: string, files: { readonly [name: string]: string } = {}): Opened & { readonly views: readonly RunView[] } {
  const mark = marked(fixture);
  const script = openScript(mark.text, URI, { read: reader(files) });
  return Object.assign(Object.create(mark) as Marked, { text: mark.text, analysis: script.analysis, views: runScript(script, {}) });
}
