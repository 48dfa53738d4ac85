/** ESLint: a file imports only what its room may use (rooms.mjs), types included. */
import { dirname, relative, resolve, sep } from 'node:path';
import { ROOMS, roomOf } from './rooms.mjs';

const ROOT = resolve(import.meta.dirname, '../..');

/** A path from the project's root, with `/`. */
const inProject = (path) => relative(ROOT, path).split(sep).join('/');

/** Why a file of a room may not import something; null: it may. */
export function refusal(file, specifier) {
  const room = roomOf(file);
  if (room === null) return null;
  if (!specifier.startsWith('.')) {
    const name = specifier.startsWith('node:') ? 'node:' : specifier;
    return room.packages.includes(name) ? null : `${room.name} uses no package ${specifier}`;
  }
  const target = roomOf(inProject(resolve(ROOT, dirname(file), specifier)));
  if (target === null) return `${specifier} is in no room`;
  if (target === room || room.uses.includes(target.name)) return null;
  const [from, to] = [room, target].map(({ name }) => ROOMS.findIndex((each) => each.name === name));
  return `${room.name} does not use ${target.name}${to > from ? ', which stands above it' : ''}`;
}

export const roomsRule = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const file = inProject(context.filename);
    const check = ({ source }) => {
      if (typeof source?.value !== 'string') return;
      const message = refusal(file, source.value);
      if (message !== null) context.report({ node: source, message: `${message} (scripts/lint/rooms.mjs)` });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: ({ argument }) => check({ source: argument?.literal ?? argument }),
    };
  },
};
