/** Small changes of a source text, each of which some test should notice. */
import ts from 'typescript';

export const MUTATIONS = ['operator', 'constant', 'condition', 'statement'] as const;
export type Mutation = (typeof MUTATIONS)[number];

export interface Mutant {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly kind: Mutation;
  /** Offsets in the text of what is replaced. */
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
}

/** Another operator in place of one. Its neighbour where there is one, since a boundary is what tests forget. */
const OPERATORS: { readonly [operator: string]: string } = {
  '+': '-', '-': '+', '*': '/', '/': '*', '%': '*', '**': '*',
  '<': '<=', '<=': '<', '>': '>=', '>=': '>', '===': '!==', '!==': '===',
  '&&': '||', '||': '&&', '??': '&&', '&': '|', '|': '&', '^': '&', '<<': '>>', '>>': '<<', '>>>': '<<',
  '+=': '-=', '-=': '+=', '*=': '/=', '/=': '*=', '|=': '&=', '&=': '|=', '^=': '&=', '<<=': '>>=', '>>=': '<<=', '??=': '=',
}; // prettier-ignore

/** All mutants of a file, in the order of their places. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const found: Mutant[] = [];
  const add = (kind: Mutation, start: number, end: number, replacement: string): void => {
    const { line, character } = source.getLineAndCharacterOfPosition(start);
    found.push({ file, line: line + 1, column: character + 1, kind, start, end, original: text.slice(start, end), replacement });
  };
  const replace = (kind: Mutation, node: ts.Node, replacement: string): void => add(kind, node.getStart(source), node.end, replacement);

  const visit = (node: ts.Node): void => {
    if (isOnlyForTypes(node)) return;
    operators(node, source, add);
    constants(node, replace);
    conditions(node, replace);
    if (isDroppable(node)) replace('statement', node, ts.isBlock(node.parent) || ts.isSourceFile(node.parent) ? '' : '{}');
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found.sort((a, b) => a.start - b.start);
}

export function applied(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

function isOnlyForTypes(node: ts.Node): boolean {
  return (
    ts.isTypeNode(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node) ||
    (ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword))
  );
}

function operators(node: ts.Node, source: ts.SourceFile, add: (kind: Mutation, start: number, end: number, by: string) => void): void {
  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.getText(source);
    const other = OPERATORS[operator];
    if (other !== undefined) add('operator', node.operatorToken.getStart(source), node.operatorToken.end, other);
  } else if (ts.isPrefixUnaryExpression(node)) {
    const start = node.getStart(source);
    const operator = text(node.operator);
    if (operator === '++' || operator === '--') add('operator', start, start + 2, operator === '++' ? '--' : '++');
    else add('operator', start, node.operand.getStart(source), '');
  } else if (ts.isPostfixUnaryExpression(node)) {
    add('operator', node.end - 2, node.end, text(node.operator) === '++' ? '--' : '++');
  }
}

const text = (operator: ts.SyntaxKind): string => ts.tokenToString(operator) ?? '';

function constants(node: ts.Node, replace: (kind: Mutation, node: ts.Node, by: string) => void): void {
  const isName = ts.isPropertyAssignment(node.parent ?? node) && (node.parent as ts.PropertyAssignment).name === node;
  if (isName) return;
  if (node.kind === ts.SyntaxKind.TrueKeyword) replace('constant', node, 'false');
  else if (node.kind === ts.SyntaxKind.FalseKeyword) replace('constant', node, 'true');
  else if (ts.isNumericLiteral(node)) replace('constant', node, String(otherNumber(Number(node.text))));
  else if (ts.isBigIntLiteral(node)) replace('constant', node, `${otherBigInt(BigInt(node.text.slice(0, -1)))}n`);
}

const otherNumber = (value: number): number => (value === 1 ? 0 : value + 1);
const otherBigInt = (value: bigint): bigint => (value === 1n ? 0n : value + 1n);

function conditions(node: ts.Node, replace: (kind: Mutation, node: ts.Node, by: string) => void): void {
  if (ts.isIfStatement(node)) {
    replace('condition', node.expression, 'true');
    replace('condition', node.expression, 'false');
  } else if (ts.isConditionalExpression(node)) {
    replace('condition', node.condition, 'true');
    replace('condition', node.condition, 'false');
  } else if (ts.isWhileStatement(node)) replace('condition', node.expression, 'false');
  else if (ts.isForStatement(node) && node.condition) replace('condition', node.condition, 'false');
}

/** A statement that something can be without: an effect, or a jump. */
function isDroppable(node: ts.Node): boolean {
  if (ts.isExpressionStatement(node)) {
    const { expression } = node;
    const isSuper = ts.isCallExpression(expression) && expression.expression.kind === ts.SyntaxKind.SuperKeyword;
    return !isSuper && !ts.isStringLiteral(expression);
  }
  return (
    ts.isContinueStatement(node) ||
    ts.isBreakStatement(node) ||
    ts.isThrowStatement(node) ||
    (ts.isReturnStatement(node) && node.expression === undefined)
  );
}
