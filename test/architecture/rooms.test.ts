/** The rooms of the sources: a whole and ordered table, which the linter holds imports to, and no circles. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { circles, importsOf, valueImports } from '../../scripts/lint/imports.mjs';
import { ROOMS, roomOf } from '../../scripts/lint/rooms.mjs';
import { refusal } from '../../scripts/lint/rooms-rule.mjs';
import { ARCHITECTURE, withTables } from '../../scripts/lint/rooms-table';
import { ROOT } from '../cli/mmu';

const SOURCES = ['server', 'client'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path}`),
);

describe('rooms', () => {
  it('hold every source, and each room holds some', () => {
    assert.deepEqual(
      SOURCES.filter((file) => roomOf(file) === null),
      [],
    );
    for (const room of ROOMS) assert.ok(SOURCES.some((file) => roomOf(file) === room), room.name); // prettier-ignore
  });

  it('use rooms below them alone, so that no circle of imports goes through two of them, types included', () => {
    const below = new Set<string>();
    for (const { name, uses } of ROOMS) {
      for (const used of uses) assert.ok(below.has(used), `${name} uses ${used}, which does not stand below it`);
      below.add(name);
    }
  });

  it('name those alone that they do use', () => {
    const used = new Map(ROOMS.map(({ name }) => [name, new Set<string>()]));
    for (const file of SOURCES) {
      for (const { specifier } of importsOf(readFileSync(join(ROOT, file), 'utf8'))) {
        const target = specifier.startsWith('.') ? roomOf(join(dirname(file), specifier))?.name : specifier.startsWith('node:') ? 'node:' : specifier; // prettier-ignore
        if (target !== undefined) used.get(roomOf(file)!.name)!.add(target);
      }
    }
    // KVM's rooms stand in an order, and each may use all before it.
    const idle = ROOMS.filter(({ kernel }) => kernel === undefined).map(({ name, uses, packages }) => ({
      name,
      idle: [...uses, ...packages].filter((each) => !used.get(name)!.has(each)),
    }));
    assert.deepEqual(
      idle.filter((each) => each.idle.length > 0),
      [],
    );
  });

  it('are told in docs/architecture.md as they are', () => {
    const document = readFileSync(ARCHITECTURE, 'utf8');
    assert.equal(withTables(document), document, 'npm run generate is due');
    assert.equal(document.match(/^<!-- rooms/gm)?.length, 2);
  });

  it('have no circle of imports by value', () => assert.deepEqual(circles(valueImports(ROOT, SOURCES)), []));
});

describe('the rule of rooms', () => {
  const engine = 'server/src/engine/x86/walker.ts';

  it('lets a room use itself and what stands below it', () => {
    assert.equal(refusal(engine, './formats'), null);
    assert.equal(refusal(engine, '../journal/events'), null);
    assert.equal(refusal('client/webview/main.ts', '../../server/src/protocol/messages'), null);
    assert.equal(refusal('server/src/cli/io.ts', 'node:fs'), null);
  });

  it('refuses what stands above, beside, or in no room', () => {
    assert.match(refusal(engine, '../mmu/pages/spte') ?? '', /x86 does not use mmu\/pages, which stands above it/);
    assert.match(refusal('server/src/services/hover.ts', '../workspace/runs') ?? '', /services does not use workspace/);
    assert.match(refusal('client/webview/main.ts', '../src/extension') ?? '', /webview does not use client/);
    assert.match(refusal(engine, '../../../../test/support/runs') ?? '', /in no room/);
  });

  it('refuses packages that a room has no business with', () => {
    assert.match(refusal(engine, 'node:fs') ?? '', /x86 uses no package node:fs/);
    assert.match(refusal('server/src/services/hover.ts', 'vscode-languageserver/node') ?? '', /services uses no package/);
    assert.equal(refusal('server/src/node/main.ts', 'vscode-languageserver/node'), null);
    assert.match(refusal('server/src/routes/guard.ts', 'vscode-languageserver/node') ?? '', /routes uses no package/);
  });
});

describe('imports of a source', () => {
  it('are told with what remains of them without types', () => {
    const text = `import { a } from './a';\nimport type { B } from './b';\nimport { type C } from './c';\nexport { d } from './d';\nexport type { E } from './e';`;
    assert.deepEqual(
      importsOf(text).map(({ specifier, typeOnly }) => `${specifier} ${typeOnly}`),
      ['./a false', './b true', './c true', './d false', './e true'],
    );
  });

  it('make circles where one leads back', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', ['a']],
      ['d', []],
    ]);
    assert.deepEqual(circles(graph), [['a', 'b', 'c']]);
    assert.deepEqual(circles(new Map([['a', ['b']], ['b', []]])), []); // prettier-ignore
  });
});
