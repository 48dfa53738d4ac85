/** The published schemas of `mmu run`, `mmu compare`, `mmu translate` and `mmu state` with `--format json`, compiled. */
import Ajv from 'ajv';
import { readFileSync } from 'node:fs';

const compiled = (name: string) =>
  new Ajv({ allErrors: true }).compile(
    JSON.parse(readFileSync(new URL(`../../schema/${name}.schema.json`, import.meta.url), 'utf8')) as object,
  );

export const validate = compiled('run');
export const validComparisons = compiled('compare');
export const validTranslations = compiled('translation');
export const validStates = compiled('state');
