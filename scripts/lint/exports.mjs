/** Exports of the project's sources that no other source uses. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * @typedef {object} Names
 * @property {string[]} exported  names by which others can import what a source declares or passes on
 * @property {{ specifier: string, names: string[] | 'all' }[]} imported  what it takes from others, passed on or not
 */

const FROM = /^(import|export)\s+(?:type\s+)?(?:(\w+)(?:\s*,\s*)?)?(\*(?:\s+as\s+\w+)?|\{[^}]*\})?\s*from\s+'([^']+)'/gm;
const ON_DEMAND = /\bimport\('([^']+)'\)(?:\.(\w+))?/g;
const DECLARED =
  /^export\s+(?:(?:declare|default|abstract|async)\s+)*(?:function\*?|const\s+enum|const|let|class|enum|interface|type|namespace)\s+(\w+)/gm;
const TAKEN_APART = /^export\s+const\s*[{[]([^}\]]*)[}\]]\s*=/gm;
const LISTED = /^export\s+(?:type\s+)?\{([^}]*)\}/gm;

/** @returns {Names} of a source in the form that it has here: statements begin their lines */
export function namesOf(text) {
  const exported = [...text.matchAll(DECLARED)].map(([, name]) => name);
  for (const [, names] of [...text.matchAll(TAKEN_APART), ...text.matchAll(LISTED)]) exported.push(...inBraces(names).map(([, as]) => as));
  const imported = [...text.matchAll(FROM)].map(([, , whole, names, specifier]) => {
    if (names?.startsWith('*')) return { specifier, names: 'all' };
    const named = inBraces(names?.slice(1, -1) ?? '').map(([name]) => name);
    return { specifier, names: whole ? ['default', ...named] : named };
  });
  imported.push(...[...text.matchAll(ON_DEMAND)].map(([, specifier, name]) => ({ specifier, names: name ? [name] : 'all' })));
  return { exported, imported };
}

/** `a, type b as c` as names with what they are called afterwards. */
function inBraces(names) {
  const each = names.split(',').map((name) => name.replace(/^\s*type\s+/, '').trim()); // prettier-ignore
  return each.filter(Boolean).map((name) => { const [first, as = first] = name.split(/\s+as\s+|\s*:\s*/); return [first, as]; }); // prettier-ignore
}

/**
 * `file: name` of each export that none of the users imports.
 * @param {string} root
 * @param {readonly string[]} files  whose exports are asked about, as paths from the root
 * @param {readonly string[]} users
 */
export function deadExports(root, files, users) {
  const names = new Map([...new Set([...files, ...users])].map((file) => [file, namesOf(readFileSync(join(root, file), 'utf8'))]));
  const used = new Map();
  for (const user of users) {
    for (const { specifier, names: taken } of names.get(user).imported) {
      if (!specifier.startsWith('.')) continue;
      const target = fileAt(root, resolve(root, dirname(user), specifier));
      if (!used.has(target)) used.set(target, new Set());
      for (const name of taken === 'all' ? (names.get(target)?.exported ?? []) : taken) used.get(target).add(name);
    }
  }
  return files.flatMap((file) =>
    names
      .get(file)
      .exported.filter((name) => !used.get(file)?.has(name))
      .map((name) => `${file}: ${name}`),
  );
}

function fileAt(root, path) {
  const found = [path, `${path}.ts`, path.replace(/\.m?js$/, '.ts'), join(path, 'index.ts')].find((each) => /\.m?[tj]s$/.test(each) && existsSync(each)); // prettier-ignore
  return relative(root, found ?? path);
}
