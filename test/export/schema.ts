/** The published schema of `mmu run --format json`, compiled. */
import Ajv from 'ajv';
import { readFileSync } from 'node:fs';

const schema = JSON.parse(readFileSync(new URL('../../schema/run.schema.json', import.meta.url), 'utf8')) as object;

export const validate = new Ajv({ allErrors: true }).compile(schema);
