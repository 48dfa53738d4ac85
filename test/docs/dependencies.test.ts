/** docs/dependencies.md names what is used: each package of the manifest, and no other; and nothing is imported beside these. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { importsOf } from '../../scripts/lint/imports.mjs';
import { ROOT } from '../cli/mmu';

interface Manifest {
  readonly name: string;
  readonly dependencies: { readonly [name: string]: string };
  readonly devDependencies: { readonly [name: string]: string };
}

const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
const DOCUMENT = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8');
const [BUNDLED, BUILDING] = DOCUMENT.split('## For building and testing');

/** Packages that rows of tables begin with. */
const namedIn = (text: string): string[] =>
  [...text.matchAll(/^\| (`.*?`.*?) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));

const sourceFiles = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:ts|mjs)$/.test(path))
    .map((path) => join(folder, path));

const packageOf = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

describe('docs/dependencies.md', () => {
  it('names what is bundled, and nothing else', () => {
    assert.deepEqual(namedIn(BUNDLED).sort(), Object.keys(MANIFEST.dependencies).sort());
  });

  it('names what building and testing need, and nothing else', () => {
    const types = (name: string): string => (name.startsWith('@types/') ? '@types/*' : name);
    assert.deepEqual(namedIn(BUILDING).sort(), [...new Set(Object.keys(MANIFEST.devDependencies).map(types))].sort());
  });
});

describe('what is imported', () => {
  for (const [folders, from] of [
    [['server', 'client'], MANIFEST.dependencies],
    [['server', 'client', 'test', 'scripts'], { ...MANIFEST.dependencies, ...MANIFEST.devDependencies }],
  ] as const) {
    it(`by ${folders.join(', ')} is in the manifest`, () => {
      // The editor brings `vscode`; the library is imported by its own name.
      const known = new Set([...Object.keys(from), 'vscode', MANIFEST.name]);
      const strange = folders
        .flatMap(sourceFiles)
        .flatMap((file) => importsOf(readFileSync(join(ROOT, file), 'utf8')).map(({ specifier }) => ({ file, specifier })))
        .filter(({ specifier }) => !specifier.startsWith('.') && !isBuiltin(specifier) && !known.has(packageOf(specifier)));
      assert.deepEqual(strange, []);
    });
  }
});
