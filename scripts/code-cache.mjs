/**
 * Keeps what V8 makes of the command's bundle while a scenario is run, for server/src/cli/load.ts: the functions that a run needs are compiled already.
 * V8 takes it for the same text, version and flags only.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { ROOT } from './steps.mjs';

const file = join(ROOT, 'dist', 'mmu', 'command.js');

process.argv.splice(2, Infinity, 'run', join(ROOT, 'samples', 'first-touch.mmu'));
// As the loader has it: the text tells V8 whether it is the same.
const script = new Script(`(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`, {
  filename: file,
});
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
process.on('exit', () => writeFileSync(join(ROOT, 'dist', 'mmu', 'command.cache'), script.createCachedData()));
