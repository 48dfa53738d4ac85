/**
 * `npm run fuzz`: random documents, sessions with the language server, programs and paths, for so long; what goes wrong is printed with its
 * seed, as small as it could be made, and a document is kept in .cache/fuzz. Exit status 1 when something was found, 2 for wrong usage.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FUZZERS } from './fuzz/fuzzers';
import type { Fuzzer } from './fuzz/fuzzers';

const KEPT = resolve(import.meta.dirname, '..', '.cache', 'fuzz');

const USAGE = `usage: npm run fuzz -- [--minutes N] [--seed S] [KIND...]
  KIND       ${Object.entries(FUZZERS)
    .map(([name, { about }]) => `${name}: ${about}`)
    .join('\n             ')}
             default all, each with its part of the time
  --minutes  default 5
  --seed     of the first round; default by the clock`;

async function main(): Promise<number> {
  let parsed;
  try {
    const options = { minutes: { type: 'string', default: '5' }, seed: { type: 'string', default: String(Date.now() % 2 ** 31) } } as const;
    parsed = parseArgs({ allowPositionals: true, options });
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  const kinds = positionals.length > 0 ? positionals : Object.keys(FUZZERS);
  const unknown = kinds.find((kind) => !Object.hasOwn(FUZZERS, kind));
  if (unknown !== undefined || !(minutes > 0) || !Number.isInteger(seed)) {
    console.error(USAGE);
    return 2;
  }
  let failures = 0;
  for (const kind of kinds) failures += await fuzz(kind, FUZZERS[kind], seed, (minutes * 60_000) / kinds.length);
  return failures > 0 ? 1 : 0;
}

/** Rounds of one kind until its time is up. @returns how many rounds found something */
async function fuzz(kind: string, fuzzer: Fuzzer, seed: number, milliseconds: number): Promise<number> {
  const end = Date.now() + milliseconds;
  let failures = 0;
  let done = 0;
  for (let round = 0; Date.now() < end; round++) {
    const { tried, found } = await fuzzer.round(seed + round);
    done += tried;
    if (!found) continue;
    failures++;
    console.log(`✗ ${kind}, --seed ${seed + round}: ${found.message}`);
    if (found.input === null) continue;
    mkdirSync(KEPT, { recursive: true });
    const path = join(KEPT, `${kind}-${seed + round}.mmu`);
    writeFileSync(path, found.input);
    console.log(`  kept in ${path}`);
  }
  console.log(`${failures === 0 ? '✓' : '✗'} ${done} ${kind} from --seed ${seed} on, ${failures} failed`);
  return failures;
}

process.exit(await main());
