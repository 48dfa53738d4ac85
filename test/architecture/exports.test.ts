/** What a source exports is used by another one, or it is a door. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { deadExports, namesOf } from '../../scripts/lint/exports.mjs';
import { ROOT } from '../cli/mmu';

function filesIn(folder: string, name: RegExp): string[] {
  const paths = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => name.test(path) && !path.includes('node_modules')).map((path) => `${folder}/${path}`);
}

/** What others than the project's sources take: who embeds them, VS Code. */
const DOORS = [
  'server/src/api/engine.ts',
  'server/src/api/language.ts',
  'server/src/api/traces.ts',
  'client/src/extension.ts',
  'client/src/browser.ts',
];

/** What tests alone take, or nobody yet, and why it stands there. */
const ALLOWED: Readonly<Record<string, string>> = {
  'server/src/engine/journal/attribution.ts: misplaced': 'the judge of attribution, whom tests ask (docs/architecture.md)',
  'server/src/engine/mmu/kernel-rules.ts: holds': 'bounds that no rule of these kernels has together',
  'server/src/events/kernel-text/kernel-text.ts: readKernelText': 'recordings of one kernel are held to its texts alone',
  'server/src/events/kernel-text/kernel-text.ts: printKernelText': 'what was read prints as the same line',
  'server/src/node/trace-source.ts: gunzipped': 'its test lets less be unpacked',
  'server/src/language/semantics/codes.ts: PROBLEM_CODES': 'docs/language.md lists it',
  'server/src/language/syntax/grammar/recording.ts: validatedProductions':
    "Chevrotain's checks of the grammar, which take long: tests make them",
  'server/src/language/syntax/scan.ts: MAX_DEPTH': 'how deep brackets may be nested, of which its test has more',
  'server/src/run/holes.ts: HOLES': 'docs/model.md has them all',
  'server/src/views/way/verdicts.ts: SECTIONS': 'docs/outcomes.md has them all',
  'server/src/views/state/table-roots.ts: rootTable': 'one of them, to be read',
  'client/webview/list/row-cache.ts: CHUNK': 'rows that are asked for at once, in which its test counts',
};

describe('exports', () => {
  const sources = ['server', 'client'].flatMap((folder) => filesIn(folder, /\.ts$/));
  const dead = deadExports(ROOT, sources, [...sources, ...filesIn('scripts', /\.m?[jt]s$/)]).filter(
    (each) => !DOORS.some((door) => each.startsWith(`${door}: `)),
  );

  it('are used by another source or script', () => {
    assert.deepEqual(
      dead.filter((each) => !(each in ALLOWED)),
      [],
    );
  });

  it('that are allowed without are not used', () => {
    assert.deepEqual(
      Object.keys(ALLOWED).filter((each) => !dead.includes(each)),
      [],
    );
  });
});

describe('names of a source', () => {
  it('are those that it exports, by whatever statement', () => {
    const { exported } = namesOf(
      [
        'export const a = 1;',
        'export async function b() {}',
        'export function* c() {}',
        'export abstract class D {}',
        'export type E<T> = T;',
        'export interface F {}',
        'export enum G {}',
        "export { h, i as j } from './other';",
        "export type { K } from './other';",
        'export const { l, m: n } = both;',
        'const o = 1;',
        '  export const p = 1;',
      ].join('\n'),
    );
    assert.deepEqual([...exported].sort(), ['D', 'E', 'F', 'G', 'K', 'a', 'b', 'c', 'h', 'j', 'l', 'n']);
  });

  it('are those that it takes: by name, all of a file, on demand, and passed on', () => {
    const { imported } = namesOf(
      [
        "import { a, type B, c as d } from './one';",
        "import type {\n  E,\n  F,\n} from './two';",
        "import * as g from './three';",
        "import h, { i } from './four';",
        "export { j as k } from './five';",
        "export * from './six';",
        "const l = await import('./seven');",
        "type M = import('./eight').M;",
        "import './nine';",
      ].join('\n'),
    );
    assert.deepEqual(Object.fromEntries(imported.map(({ specifier, names }) => [specifier, names])), {
      './one': ['a', 'B', 'c'],
      './two': ['E', 'F'],
      './three': 'all',
      './four': ['default', 'i'],
      './five': ['j'],
      './six': 'all',
      './seven': 'all',
      './eight': ['M'],
    });
  });
});
