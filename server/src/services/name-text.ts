/** A definition in words: what it is, how it is written, and the comment above it. */
import type { Analysis, Target } from '../language/analysis';
import { pathAt } from '../language/syntax/tree';
import type { Node, Slot } from '../language/syntax/tree';
import { bytes, hex, joined } from '../events/wording';
import { commentAbove } from './comments';
import { code } from './markdown';
import { innermost, runHead } from './places';

/** Markdown about a definition; null when its file is gone. */
export function nameText(analysis: Analysis, { uri, definition }: Target): string | null {
  const parsed = uri === analysis.uri ? analysis.parsed : analysis.imports.get(uri);
  if (!parsed) return null;
  const path = pathAt(parsed.tree, definition.range.start);
  const at = path.indexOf(definition);
  const holder = path[at - 1];
  if (!holder) return null;
  const vm = innermost(path.slice(0, at - 1), 'vm');
  const parts = [
    code(head(parsed.text, holder)),
    definition.of === 'parameter' ? `Parameter \`${definition.text}\`.` : null,
    value(analysis, holder),
    vm?.name && `In VM \`${vm.name.text}\`.`,
    commentAbove(parsed, holder.range.start),
  ];
  return parts.filter(Boolean).join('\n\n');
}

/** Where a slot lies, from its settings, as Markdown; null when they do not say. */
export function slotText(analysis: Analysis, { body }: Slot): string | null {
  const setting = (name: string): bigint | null => {
    const found = body?.items.find((item) => item.kind === 'setting' && item.name.text === name);
    return found?.kind === 'setting' && found.value ? analysis.valueOf(found.value) : null;
  };
  const [gpa, size, hva] = ['gpa', 'size', 'hva'].map(setting);
  if (gpa === null || size === null || gpa < 0n || size <= 0n) return null;
  const area = (from: bigint): string => `\`${hex(from)}\` to \`${hex(BigInt.asUintN(64, from + size - 1n))}\``;
  const flags = (body?.items ?? []).flatMap((item) => (item.kind === 'setting' && !item.value ? [item.name.text] : []));
  return joined(`gpa ${area(gpa)}`, hva !== null && `hva ${area(hva)}`, size < 1n << 53n && `\`${bytes(Number(size))}\``, ...flags);
}

/** The definition up to its body, on one line. */
function head(text: string, node: Node): string {
  const body = 'body' in node && node.body ? node.body.range.start : node.range.end;
  const end = node.kind === 'run' ? runHead(node).end : body;
  return text.slice(node.range.start, end).replace(/\s+/g, ' ').trim();
}

function value(analysis: Analysis, node: Node): string | null {
  if (node.kind === 'tables') {
    const root = node.at && analysis.valueOf(node.at.from);
    const mappings = node.body?.items.filter(({ kind }) => kind === 'mapping').length ?? 0;
    const count = mappings === 1 ? '1 mapping' : `${mappings} mappings`;
    return joined(root !== null ? `Root at gpa \`${hex(root)}\`` : 'Root allocated', count);
  }
  if (node.kind !== 'const') return null;
  const number = analysis.valueOf(node.value);
  if (number === null) return null;
  const size = number >= 1024n && number < 1n << 53n && number % 1024n === 0n ? bytes(Number(number)) : null;
  return joined(`\`${number < 0n ? number.toString() : hex(number)}\``, `\`${number}\``, size && `\`${size}\``);
}
