/** Shows a folder in VS Code's own server with the extension in it, until Ctrl+C: what `npm start` does without a desktop VS Code. */
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { ROOT } from '../steps.mjs';
import { EditorServer } from './editor-server.mjs';
import { layVscode } from './lay.mjs';
import { packageExtension } from './package.mjs';
import { installExtension, Profile } from './profile.mjs';

/**
 * @param {{ folder: string, file?: string, port?: number }} options
 * @returns when it has been stopped
 */
export async function serveEditor({ folder, file, port = 0 }) {
  const vscode = layVscode('stable');
  const profile = Profile.kept(join(ROOT, '.cache', 'vscode', 'profile'));
  console.log('Installing the extension');
  await installExtension(vscode, profile, packageExtension());
  const server = await EditorServer.start(vscode, profile, { port, token: randomBytes(12).toString('hex') });
  console.log(
    `\nVS Code ${vscode.version} with MMU Scenarios is at\n\n  ${server.url({ folder, file })}\n\nOpen it in a browser on this machine. Ctrl+C stops it.`,
  );
  const stopped = new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, done);
  });
  await Promise.race([stopped, server.ended]);
  await server.stop();
  console.log('Stopped.');
}

if (process.argv[1] === import.meta.filename) {
  const [folder = 'samples', file] = process.argv.slice(2).map((path) => resolve(path));
  await serveEditor({ folder: resolve(folder), file });
}
