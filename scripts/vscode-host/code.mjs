#!/usr/bin/env node
/**
 * Stands in for the desktop program of VS Code where there is none: takes the arguments that @vscode/test-electron gives to it, and runs
 * the tests in the extension host of VS Code's own server. MMU_VSCODE says which one, `stable` or `newest`.
 */
import { runExtensionTests } from './extension-tests.mjs';
import { layVscode } from './lay.mjs';

const args = process.argv.slice(2);

function option(name) {
  const given = args.find((arg) => arg.startsWith(`--${name}=`));
  if (given === undefined) throw new Error(`no --${name}`);
  return given.slice(name.length + 3);
}

const counts = await runExtensionTests({
  vscode: layVscode(process.env.MMU_VSCODE ?? 'stable'),
  extension: option('extensionDevelopmentPath'),
  tests: option('extensionTestsPath'),
  folder: args.find((arg) => !arg.startsWith('-')),
});
process.exit(counts.failed > 0 ? 1 : 0);
