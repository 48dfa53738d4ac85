/** One helper for all checks: a fixture whose ranges are the places of the problems, and their codes in order. */
import assert from 'node:assert/strict';
import { analyze } from '../../server/src/language/analysis';
import type { Analysis, Lowered, LowerOptions, Problem } from '../../server/src/language/analysis';
import { marked } from '../support/markers';

const URI = 'file:///scenarios/test.mmu';

/**
 * @param expected codes in the order of the fixture's ranges; `code: part of the message` when the words matter
 * @returns the analysis and the programs, for more
 */
export function check(fixture: string, expected: readonly string[] = [], files: FilesByName = {}): Checked {
  const { text, ranges } = marked(fixture);
  const checked = analyzeFiles(text, files);
  const { analysis, problems } = checked;
  const found = problems.map((problem) => ({ at: shown(analysis, problem, text), code: problem.code, message: problem.message }));
  const wanted = expected.map((each, index) => {
    const [code, message] = each.split(': ');
    const range = ranges[index];
    return { at: range ? `${text.slice(range.start, range.end)} @${range.start}` : '(no range)', code, message };
  });
  assert.deepEqual(
    found.map(({ at, code }) => `${code} at ${at}`),
    wanted.map(({ at, code }) => `${code} at ${at}`),
    problems.map((each) => `${each.code}: ${each.message}`).join('\n'),
  );
  wanted.forEach(({ message }, index) => {
    if (message !== undefined) assert.ok(found[index].message.includes(message), `${found[index].message}\n  should contain\n${message}`);
  });
  return checked;
}

/** Texts of files, and contents of those that are loaded. */
interface FilesByName {
  readonly [name: string]: string | Uint8Array;
}

/** A text understood and lowered. */
export interface Checked extends Lowered {
  readonly analysis: Analysis;
}

export function analyzeFiles(text: string, files: FilesByName = {}, options: LowerOptions = {}): Checked {
  const find = (uri: string): string | Uint8Array | undefined => files[uri.slice(uri.lastIndexOf('/') + 1)];
  const analysis = analyze(text, URI, {
    read: (uri) => {
      const found = find(uri);
      return typeof found === 'string' ? found : null;
    },
  });
  const lowered = analysis.lower({
    readBytes: (uri) => {
      const found = find(uri);
      return found instanceof Uint8Array ? found : null;
    },
    ...options,
  });
  return { analysis, ...lowered };
}

function shown(analysis: Analysis, problem: Problem, text: string): string {
  const start = analysis.offsetAt(problem.range.start);
  const end = analysis.offsetAt(problem.range.end);
  return `${text.slice(start, end)} @${start}`;
}

/** A machine with 16M at 0 and what stands in `inside`. */
export function vm(inside: string): string {
  return `vm guest {\n  slot 0 { gpa 0  size 16M }\n  ${inside}\n}\n`;
}

/** A script on a machine whose tables map 2M from 0x40_0000 to 0x20_0000 for users. */
export function script(statements: string, under = ''): string {
  return `${vm('tables kernel at 0x1000 { 0x40_0000 +2M -> 0x20_0000 rw user }\n  vcpu { cr3 kernel }')}run guest ${under} {\n  ${statements}\n}\n`;
}
