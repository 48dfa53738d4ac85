/** The tables of rooms in docs/architecture.md, from the rooms themselves. */
import { resolve } from 'node:path';
import { ROOMS } from './rooms.mjs';
import type { Room } from './rooms.mjs';

export const ARCHITECTURE = resolve(import.meta.dirname, '../../docs/architecture.md');

const isOfKvm = ({ kernel }: Room): boolean => kernel !== undefined;

/** Tables by the marker that they stand behind: `<!-- rooms -->`, up to `<!-- end -->`. */
const TABLES: { readonly [marker: string]: () => string } = {
  rooms: () => table(['room', 'holds', 'uses', 'packages'], ROOMS.filter((room) => !isOfKvm(room)).map(rowOf)),
  'rooms of KVM': () =>
    table(
      ['room', 'holds', 'in the kernel'],
      ROOMS.filter(isOfKvm).map(({ paths, holds, kernel }) => [paths.map(code).join(', '), holds, kernel ?? '']),
    ),
};

/** The document with its tables as they must be. */
export function withTables(document: string): string {
  return document.replace(/<!-- (rooms[\w ]*) -->\n[^]*?<!-- end -->/g, (whole, marker: string) => {
    const made = TABLES[marker];
    return made === undefined ? whole : `<!-- ${marker} -->\n\n${made()}\n\n<!-- end -->`;
  });
}

function rowOf({ name, paths, holds, uses, packages }: Room): string[] {
  const places = paths.map(code).join(', ');
  const isNamedSo = paths.some((path) => path.endsWith(`/${name}`));
  const used = shortened(uses, FACTS, "the engine's facts");
  const needed = packages.map((each) => (each === 'node:' ? 'Node' : code(each)));
  return [isNamedSo ? places : `${name}: ${places}`, holds, used.join(', ') || '–', needed.join(', ') || '–'];
}

const FACTS = ['values', 'journal', 'memory', 'x86', 'vcpu'];

/** Names, those of a group that is there as a whole by its own. */
function shortened(names: readonly string[], group: readonly string[], own: string): readonly string[] {
  return group.every((name) => names.includes(name)) ? [own, ...names.filter((name) => !group.includes(name))] : names;
}

const code = (text: string): string => `\`${text.replace(/^server\/src\//, '')}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
