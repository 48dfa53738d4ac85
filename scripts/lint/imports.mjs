/** Imports between the project's sources, and circles among them. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

/**
 * @typedef {object} Import
 * @property {string} specifier
 * @property {boolean} typeOnly  gone when types are
 */

/** @returns {Import[]} what a source names in imports, those on demand too, and re-exports */
export function importsOf(text) {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.ES2022, false);
  const named = source.statements
    .filter((statement) => (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) && statement.moduleSpecifier)
    .map((statement) => ({ specifier: statement.moduleSpecifier.text, typeOnly: isTypeOnly(statement) }));
  const onDemand = [...text.matchAll(/\bimport\('([^']+)'\)/g)].map(([, specifier]) => ({ specifier, typeOnly: false }));
  return [...named, ...onDemand];
}

function isTypeOnly(statement) {
  if (ts.isExportDeclaration(statement)) return statement.isTypeOnly;
  const clause = statement.importClause;
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings && ts.isNamedImports(clause.namedBindings) ? clause.namedBindings.elements : [];
  return !clause.name && named.length > 0 && named.every((each) => each.isTypeOnly);
}

/**
 * Which of the files import which, by value.
 * @param {string} root
 * @param {readonly string[]} files  paths from it
 * @returns {Map<string, string[]>}
 */
export function valueImports(root, files) {
  const known = new Set(files);
  return new Map(
    files.map((file) => {
      const targets = importsOf(readFileSync(join(root, file), 'utf8'))
        .filter(({ specifier, typeOnly }) => !typeOnly && specifier.startsWith('.'))
        .map(({ specifier }) => fileAt(root, resolve(root, dirname(file), specifier)).slice(root.length + 1));
      return [file, targets.filter((target) => known.has(target))];
    }),
  );
}

function fileAt(root, path) {
  return [path, `${path}.ts`, join(path, 'index.ts')].find((each) => each.endsWith('.ts') && existsSync(each)) ?? path;
}

/**
 * Files that reach themselves, as groups of those that reach one another (Tarjan's strongly connected components).
 * @param {Map<string, string[]>} graph
 * @returns {string[][]}
 */
export function circles(graph) {
  const found = [];
  const index = new Map();
  const low = new Map();
  const stack = [];
  const visit = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1 || (graph.get(node) ?? []).includes(node)) found.push(group.sort());
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}
