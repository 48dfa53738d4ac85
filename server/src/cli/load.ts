/**
 * The entry of the command as it is built: its bundle beside, with what V8 made of that when it was built (scripts/code-cache.mjs). Another Node than
 * that of the build does without; then the command takes half as long again to start.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

type Loaded = (exports: object, require: NodeJS.Require, module: object, filename: string, folder: string) => void;

const file = join(__dirname, 'mmu', 'command.js');
const cache = join(__dirname, 'mmu', 'command.cache');

const script = new Script(`(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`, {
  filename: file,
  cachedData: existsSync(cache) ? readFileSync(cache) : undefined,
});
const module = { exports: {} };
(script.runInThisContext() as Loaded)(module.exports, createRequire(file), module, file, dirname(file));
