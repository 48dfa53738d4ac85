/**
 * What is cited can be followed: every section and rule of the specification that sources and documents name is there, and every
 * link between documents leads to a file and a heading.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ROOT } from '../cli/mmu';

const SPEC = readFileSync(join(ROOT, 'docs/spec/mmu-semantics.md'), 'utf8');
const SPEC_6_1 = readFileSync(join(ROOT, 'docs/spec/mmu-semantics-6.1.md'), 'utf8');

/** Sections by number, each with its subsections in it. */
function sectionsOf(text: string): ReadonlyMap<string, string> {
  const headings = [...text.matchAll(/^(#{2,4}) (\d+(?:\.\d+)*)\.? /gm)];
  return new Map(
    headings.map((heading, i) => {
      const next = headings.slice(i + 1).find((each) => each[1].length <= heading[1].length);
      return [heading[2], text.slice(heading.index, next?.index)];
    }),
  );
}

const SECTIONS = sectionsOf(SPEC);
const SECTION = String.raw`§(\d+(?:\.\d+)*)`;
/** What may be named in a section: a rule (P2, S3, U4a), a setup (E, N), a step or condition of a numbered list, a group of rules. */
const PART = String.raw`(?:(?:, |: | )(?:(?:setup |groups? )([A-Z])\b|([A-Z]\d+[a-z]?)\b|(?:step|conditions?) (\d+)))?`;
const CITATION = new RegExp(SECTION + PART, 'g');
/** Manuals have sections of their own; their name stands before the sign, in the same breath. */
const OF_A_MANUAL = /\b(?:SDM|APM|API)\b[^;()§]*(?:§[\d.]+, )*$/;

interface Citation {
  readonly section: string;
  /** A rule or setup by its letters; a step by its number. */
  readonly part: string | null;
  readonly step: string | null;
}

function citationsIn(text: string): Citation[] {
  const plain = text.replace(/\n\s*(?:\*|\/\/)? ?/g, ' ');
  return [...plain.matchAll(CITATION)]
    .filter(({ index }) => !OF_A_MANUAL.test(plain.slice(Math.max(index - 80, 0), index)))
    .map(([, section, group, rule, step]) => ({ section, part: group ?? rule ?? null, step: step ?? null }));
}

/** Why a citation leads nowhere; null: it does not. */
function broken({ section, part, step }: Citation): string | null {
  const text = SECTIONS.get(section);
  if (text === undefined) return `there is no §${section}`;
  if (part !== null && !new RegExp(String.raw`(?:^|\*|\| )${part}\b`, 'm').test(text)) return `§${section} has no ${part}`;
  if (step !== null && !new RegExp(`^${step}\\. `, 'm').test(text)) return `§${section} has no step ${step}`;
  return null;
}

/** Files of the project with one of these endings, without what is built or installed. */
function filesOf(folder: string, ...endings: string[]): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /^(?:node_modules|dist|out|coverage)$|^\./.test(entry.name) ? [] : filesOf(path, ...endings);
    return entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
  });
}

const SOURCES = ['server', 'client', 'test', 'scripts', 'docs', 'samples'].flatMap((name) =>
  filesOf(join(ROOT, name), '.ts', '.mjs', '.md', '.mmu'),
).filter((path) => !path.endsWith('citations.test.ts'));
const DOCUMENTS = filesOf(ROOT, '.md');

describe('citations of the specification', () => {
  it('lead somewhere', () => {
    let followed = 0;
    const lost: string[] = [];
    for (const file of SOURCES) {
      for (const citation of citationsIn(readFileSync(file, 'utf8'))) {
        const why = broken(citation);
        followed++;
        if (why !== null) lost.push(`${relative(ROOT, file)}: ${why}`);
      }
    }
    assert.deepEqual(lost, []);
    assert.ok(followed > 250, `${followed} citations`);
  });

  it('of what 6.1 does otherwise name a row of its tables', () => {
    const rows = new Set([...SPEC_6_1.matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, row]) => row));
    for (const file of SOURCES.filter((path) => path.endsWith('.ts')))
      for (const [, row] of readFileSync(file, 'utf8').matchAll(/mmu-semantics-6\.1\.md ([A-Z]\d+)/g))
        assert.ok(rows.has(row), `${relative(ROOT, file)}: there is no row ${row}`);
  });

  it('that lead nowhere are told', () => {
    const told = (text: string): (string | null)[] => citationsIn(text).map(broken);
    assert.deepEqual(told('(§5.3 P2; mmu.c) §9, group S. And §4.6 condition 2, §3.5 step 5'), [null, null, null, null]);
    assert.deepEqual(told('§5.99, §5.3 P77, §3.5 step 50'), ['there is no §5.99', '§5.3 has no P77', '§3.5 has no step 50']);
    assert.deepEqual(told('SDM vol. 3A, §4.10.4.1; KVM API §4.35'), []);
  });
});

describe('links between documents', () => {
  for (const file of DOCUMENTS) {
    it(relative(ROOT, file), () => {
      const text = readFileSync(file, 'utf8').replace(/^```[^]*?^```/gm, '');
      for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path, heading] = target.split('#');
        const at = path === '' ? file : join(dirname(file), path);
        assert.ok(existsSync(at), `there is no ${target}`);
        if (heading !== undefined) assert.ok(anchorsOf(readFileSync(at, 'utf8')).has(heading), `${target}: there is no such heading`);
      }
    });
  }
});

describe('files that documents name', () => {
  const NAMED = /`((?:server|client|test|scripts|docs|samples|schema|syntaxes)\/[\w./-]*)`/g;
  for (const name of ['CONTRIBUTING.md', 'docs/architecture.md', 'docs/dependencies.md', 'docs/fidelity.md', 'docs/embedding.md']) {
    it(name, () => {
      for (const [, path] of readFileSync(join(ROOT, name), 'utf8').matchAll(NAMED))
        // NAME stands for any.
        assert.ok(path.includes('NAME') || existsSync(join(ROOT, path)), `there is no ${path}`);
    });
  }
});

/** Headings as the addresses that GitHub makes of them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
