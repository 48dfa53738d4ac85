/** What the package carries to be opened from the editor: templates and samples, each with its title, as `dist/contents.json` lists them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './steps.mjs';

/** In the order in which they are offered. */
const TEMPLATES = ['soft-mmu', 'ept', 'npt', 'nested', 'mmio', 'dirty-log'];

/** @returns {import('../client/src/contents').Contents} */
export function contents() {
  const templates = filesIn('templates', /\.mmu$/);
  const unlisted = templates.filter((path) => !TEMPLATES.includes(path.slice('templates/'.length, -'.mmu'.length)));
  if (unlisted.length > 0) throw new Error(`without a place among the templates: ${unlisted.join(', ')}`);
  return {
    templates: TEMPLATES.map((name) => entry(`templates/${name}.mmu`)),
    samples: filesIn('samples', /\.mmu$/).map(entry),
    others: filesIn('samples', /\.(md|trace|txt)$/),
  };
}

function filesIn(folder, ending) {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => ending.test(name)).map((name) => `${folder}/${name.replaceAll('\\', '/')}`).sort(); // prettier-ignore
}

/** The first line of a scenario says what it is about. */
function entry(path) {
  const [, title] = /^\/\/ (.*?)\.?$/m.exec(readFileSync(join(ROOT, path), 'utf8')) ?? [];
  if (title === undefined) throw new Error(`${path} does not begin with what it is about`);
  return { path, title };
}
