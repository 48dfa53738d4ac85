/** Signature help: the parameters of a block while its call is written. */
import { MarkupKind } from 'vscode-languageserver-types';
import type { SignatureHelp } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { pathAt } from '../language/syntax/tree';
import type { Block } from '../language/syntax/tree';
import { commentAbove } from './comments';
import { innermost } from './places';

export function signatureHelp(analysis: Analysis, offset: number): SignatureHelp | null {
  const call = innermost(pathAt(analysis.parsed.tree, offset), 'call');
  if (!call) return null;
  const { text } = analysis.parsed;
  const open = text.indexOf('(', call.block.range.end);
  if (open < 0 || offset <= open) return null;
  const target = analysis.definitionOf(call.block);
  const parsed = target && (target.uri === analysis.uri ? analysis.parsed : analysis.imports.get(target.uri));
  const block = parsed?.tree.items.find((item): item is Block => item.kind === 'block' && item.name === target!.definition);
  if (!parsed || !block) return null;
  const names = block.parameters.map((parameter) => parameter.text);
  const about = commentAbove(parsed, block.range.start);
  return {
    signatures: [
      {
        label: `${call.block.text}(${names.join(', ')})`,
        parameters: names.map((label) => ({ label })),
        ...(about && { documentation: { kind: MarkupKind.Markdown, value: about } }),
      },
    ],
    activeSignature: 0,
    activeParameter: argumentAt(text.slice(open + 1, offset)),
  };
}

/** Which argument the end of a text of arguments is in. */
function argumentAt(text: string): number {
  let depth = 0;
  let index = 0;
  for (const character of text) {
    if (character === '(' || character === '[') depth++;
    else if (character === ')' || character === ']') depth--;
    else if (character === ',' && depth === 0) index++;
  }
  return index;
}
