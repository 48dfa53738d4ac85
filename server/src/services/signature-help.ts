/** Signature help: the parameters of a block while its call is written, the fields of an event while it is. */
import { MarkupKind } from 'vscode-languageserver-types';
import type { SignatureHelp } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { pathAt } from '../language/syntax/tree';
import type { Block, Call, EventPattern } from '../language/syntax/tree';
import { EVENT_WORDS } from '../language/syntax/words/observed';
import { commentAbove } from './comments';
import { fieldsOf } from './completion/events';
import { innermost } from './places';

export function signatureHelp(analysis: Analysis, offset: number): SignatureHelp | null {
  const path = pathAt(analysis.parsed.tree, offset);
  return ofEvent(analysis, innermost(path, 'event'), offset) ?? ofCall(analysis, innermost(path, 'call'), offset);
}

/** The fields of an event, by its definition; a value alone is the first one's. */
function ofEvent({ parsed: { text } }: Analysis, event: EventPattern | null, offset: number): SignatureHelp | null {
  const open = event ? text.indexOf('(', event.name.range.end) : -1;
  const names = event ? fieldsOf(event.name.text).map(({ word }) => word) : [];
  if (!event || open < 0 || offset <= open || names.length === 0) return null;
  const named = /([A-Za-z_]\w*)\s+[^,]*$/.exec(text.slice(open + 1, offset))?.[1];
  return {
    signatures: [
      {
        label: `${event.name.text}(${names.join(', ')})`,
        parameters: names.map((label) => ({ label })),
        documentation: { kind: MarkupKind.Markdown, value: EVENT_WORDS[event.name.text] },
      },
    ],
    activeSignature: 0,
    activeParameter: Math.max(0, names.indexOf(named ?? '')),
  };
}

/** The parameters of a block. */
function ofCall(analysis: Analysis, call: Call | null, offset: number): SignatureHelp | null {
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
