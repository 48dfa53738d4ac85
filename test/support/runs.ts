/** Scenarios for tests of services: analysed and run in this thread. */
import { openScript } from '../../server/src/api/language';
import { runScript } from '../../server/src/api/engine';
import type { Problem } from '../../server/src/language/analysis';
import type { RunView } from '../../server/src/views/view';
import { marked } from './markers';
import type { Marked } from './markers';
import { reader, URI } from './scripts';
import type { Opened } from './scripts';

export interface Ran extends Opened {
  readonly problems: readonly Problem[];
  /** Those of machines and scripts. */
  readonly found: readonly Problem[];
  readonly views: readonly RunView[];
}

/** Analyses and runs a fixture with markers. */
export function ran(fixture: string, files: { readonly [name: string]: string } = {}): Ran {
  const mark = marked(fixture);
  const script = openScript(mark.text, URI, { read: reader(files) });
  return Object.assign(Object.create(mark) as Marked, {
    ...{ text: mark.text, analysis: script.analysis, problems: script.problems, found: script.found },
    views: runScript(script, {}),
  });
}
