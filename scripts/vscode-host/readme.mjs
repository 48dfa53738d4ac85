/**
 * The README as the extension's page shows it. VS Code follows https links alone there, and shows pictures that come by https or with the text: so
 * links lead to the repository that the manifest names, and pictures are put in.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../steps.mjs';

const LINK = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g;

/** @param {string} text Markdown whose links are relative to the project's root */
export function packagedReadme(text) {
  const { repository } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const host = repository.url.replace(/\.git$/, '');
  return text.replace(LINK, (all, image, title, target) => {
    if (/^\w+:|^#/.test(target)) return all;
    if (image) return `![${title}](data:image/png;base64,${readFileSync(join(ROOT, target)).toString('base64')})`;
    return `[${title}](${host}/${target.endsWith('/') ? 'tree' : 'blob'}/HEAD/${target})`;
  });
}
