/** The scenarios that people can read: those of samples/, and the examples of the documents in their harness. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = join(import.meta.dirname, '..', '..');

const MACHINE = `vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 { 0x40_0000 +2M -> 0x20_0000 rw user }
  vcpu { cr3 kernel }
}
`;

/** The harness of each kind of fragment, as "How to read the examples" in docs/language.md has it. */
const HARNESS: { readonly [kind: string]: (fragment: string) => string } = {
  scenario: (text) => text,
  file: (text) => `${text}\n${MACHINE}run guest { user read 0x40_0000 }\n`,
  vm: (text) => `vm guest {\n  slot 0 { gpa 0  size 16M }\n${text}\n}\nrun guest { check invariants }\n`,
  tables: (text) =>
    `vm guest {\n  slot 0 { gpa 0  size 16M }\n  tables kernel at 0x1000 {\n${text}\n}\nvcpu { cr3 kernel }\n}\nrun guest { check invariants }\n`,
  script: (text) => `${MACHINE}run guest under soft, ept, npt {\n${text}\n}\n`,
};

/** An example of the reference. */
export interface Example {
  readonly line: number;
  readonly text: string;
  /** The example in its harness. */
  readonly scenario: string;
  /** Code of the problem that it has on purpose. */
  readonly error: string | null;
  readonly notSupportedYet: boolean;
}

/** Examples of a text in the form of docs/language.md. */
export function examples(reference: string): Example[] {
  return [...reference.matchAll(/^```mmu(.*)\n([^]*?)^```$/gm)].map((match) => {
    const marks = match[1].trim().split(/\s+/).filter(Boolean);
    const kind = marks.find((mark) => mark in HARNESS) ?? 'scenario';
    const error = marks.find((mark) => mark.startsWith('error='))?.slice('error='.length) ?? null;
    const known = marks.every((mark) => mark === kind || mark === 'not-supported-yet' || mark.startsWith('error='));
    assert.ok(known, `unknown marks: ${marks.join(' ')}`);
    const line = reference.slice(0, match.index).split('\n').length;
    const text = match[2];
    return { line, text, scenario: HARNESS[kind](text), error, notSupportedYet: marks.includes('not-supported-yet') };
  });
}

export interface Scenario {
  readonly name: string;
  readonly uri: string;
  readonly text: string;
}

/** All samples. */
export function samples(): Scenario[] {
  return readdirSync(join(ROOT, 'samples'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mmu'))
    .sort()
    .map((name) => {
      const path = join(ROOT, 'samples', name);
      return { name, uri: pathToFileURL(path).href, text: readFileSync(path, 'utf8') };
    });
}

/** All examples of the reference and of the kernels, and the files of the tutorial. */
export function documented(): Scenario[] {
  const document = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');
  const uri = pathToFileURL(join(ROOT, 'docs', 'example.mmu')).href;
  const reference = examples(document('language.md')).map(({ line, scenario }) => ({ name: `language.md:${line}`, uri, text: scenario }));
  const kernels = examples(document('kernels.md')).map(({ line, scenario }) => ({ name: `kernels.md:${line}`, uri, text: scenario }));
  const tutorial = [...document('tutorial.md').matchAll(/^```mmu file=(\S+)\n([^]*?)^```$/gm)];
  return [...reference, ...kernels, ...tutorial.map(([, name, text]) => ({ name: `tutorial.md: ${name}`, uri, text }))];
}
