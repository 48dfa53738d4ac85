/** Puts the parts together: files, names, constants, statements, and, when they are asked for, programs. */
import type { Bound } from '../../engine/program';
import { Lowering } from '../lower/programs';
import { drained } from '../steps';
import type { LowerOptions } from '../lower/programs';
import type { Analysis, AnalyzeOptions, Location, Lowered, NameInScope, Problem, Target, Use } from '../analysis';
import type { Parsed } from '../syntax/parse';
import type { Definition, Expression, Import, Node, Range, Reference } from '../syntax/tree';
import { notOpenedText } from '../files';
import type { NotOpened } from '../files';
import type { StatementPlace } from '../places';
import type { ProblemCode } from './codes';
import { link } from './links';
import type { Links } from './links';
import { Reporter } from './reporter';
import type { Scope } from './scopes';
import { loadedFiles, loadFiles } from './source';
import type { ImportFailure, SourceFile } from './source';
import { WrittenStatements } from './written';
import { WrittenRoots } from './written-roots';
import { Statements } from './statements';
import { reportUnused } from './unused';
import { checkConstants, Evaluator, fileEnv } from './values';

const IMPORT_FAILURES: { readonly [why in ImportFailure]: { readonly code: ProblemCode; readonly message: string } } = {
  unreadable: { code: 'no-such-file', message: 'this file cannot be read' },
  'bad-path': { code: 'no-such-file', message: 'this path leads to no file from here' },
  cycle: { code: 'import-cycle', message: 'this file imports the one that is importing it' },
  'too-many': { code: 'too-many-files', message: 'too many files are imported' },
};

/** See analysis.ts. */
export class Analyzed implements Analysis {
  readonly parsed: Parsed;
  readonly imports: ReadonlyMap<string, Parsed>;
  readonly problems: readonly Problem[];
  readonly statements: readonly StatementPlace[];
  readonly statementNodes: readonly Node[];
  private readonly files: readonly SourceFile[];
  private readonly main: SourceFile;
  private readonly links: Links;
  private readonly numbered: Statements;
  private writtenStatements: WrittenStatements | null = null;
  private readonly reporter = new Reporter();
  /** What tells values: of the text at first, of the machine once it is planned. */
  private values: { readonly reporter: Reporter; readonly evaluator: Evaluator };

  constructor(
    text: string,
    readonly uri: string,
    options: AnalyzeOptions,
  ) {
    const { reporter } = this;
    this.files = loadFiles(
      text,
      uri,
      (other) => options.read(other),
      (file, node, why) => this.importFailed(file, node, why),
    );
    this.main = this.files[0];
    this.parsed = this.main.parsed;
    this.imports = new Map(this.files.slice(1).map((file) => [file.uri, file.parsed]));
    for (const file of this.files) this.reportSyntax(file);
    this.links = link(this.files, reporter);
    this.numbered = new Statements(this.files);
    this.statements = this.numbered.places;
    this.statementNodes = this.numbered.nodes;
    const evaluator: Evaluator = new Evaluator(this.links, reporter, (tables): bigint | null => roots.of(tables));
    const roots = new WrittenRoots(evaluator, reporter);
    checkConstants(this.links, evaluator);
    this.values = { reporter, evaluator };
    reportUnused(this.links, this.main, reporter);
    this.problems = reporter.problems(this.files);
  }

  get loads(): readonly string[] {
    return loadedFiles(this.files);
  }

  lower(options: LowerOptions = {}): Lowered {
    return drained(this.lowerInSteps(options));
  }

  *lowerInSteps(options: LowerOptions): Generator<void, Lowered> {
    const reporter = new Reporter(this.reporter);
    const lowering = new Lowering(this.files, this.links, reporter, this.numbered, options);
    const programs = yield* lowering.programs();
    this.values = { reporter, evaluator: lowering.context.evaluator };
    return { problems: reporter.problems(this.files), found: reporter.found(this.files), programs };
  }

  written(origin: number, bound: Bound): string {
    this.writtenStatements ??= new WrittenStatements(this.links, this.numbered, this.files);
    return this.writtenStatements.text(origin, bound, this.values);
  }

  definitionOf(reference: Reference): Target | null {
    const named = this.links.byReference.get(reference);
    return named ? { uri: named.file.uri, definition: named.definition } : null;
  }

  referencesTo(definition: Definition): readonly Use[] {
    const uses = this.links.byDefinition.get(definition)?.uses ?? [];
    return uses
      .map(({ file, reference }) => ({ uri: file.uri, reference }))
      .sort((a, b) => a.reference.range.start - b.reference.range.start);
  }

  namesAt(offset: number): readonly NameInScope[] {
    let inner: Scope | null = null;
    for (const scope of this.links.scopes) {
      const { range } = scope;
      if (scope.file !== this.main || !range || offset < range.start || offset > range.end) continue;
      if (!inner?.range || range.end - range.start <= inner.range.end - inner.range.start) inner = scope;
    }
    const visible = inner?.visible() ?? [];
    return visible.map((named) => ({ name: named.name, of: named.of, uri: named.file.uri, definition: named.definition }));
  }

  valueOf(expression: Expression): bigint | null {
    let value: bigint | null = null;
    const { reporter, evaluator } = this.values;
    // The file is where problems are reported, and none are.
    reporter.silently(() => (value = evaluator.number(expression, fileEnv(this.main))));
    return value;
  }

  originAt(offset: number): number | null {
    return this.numbered.at(offset);
  }

  originBefore(offset: number): number | null {
    return this.numbered.before(offset);
  }

  locate(uri: string, range: Range): Location {
    return (this.files.find((file) => file.uri === uri) ?? this.main).locate(range);
  }

  offsetAt(position: { readonly line: number; readonly character: number }): number {
    return this.main.offsetAt(position);
  }

  private importFailed(file: SourceFile, node: Import, why: ImportFailure | NotOpened): void {
    const { code, message } = typeof why === 'string' ? IMPORT_FAILURES[why] : { code: 'not-opened' as const, message: notOpenedText(why) };
    this.reporter.report(file, node.path ?? node, code, message);
  }

  private reportSyntax(file: SourceFile): void {
    for (const { range, code, message, fix, related } of file.parsed.errors) {
      this.reporter.report(file, { range }, code, message, {
        ...(fix ? { fixes: [{ file, node: { range: fix.range }, title: fix.title, text: fix.text }] } : {}),
        ...(related ? { related: [{ file, node: { range: related.range }, message: related.message }] } : {}),
      });
    }
  }
}
