/** A tree in few words, for tests: `access{privilege:user access:read address:0x1000}`; what is null or empty is left out. */
import type { Node } from '../../../server/src/language/syntax/tree';

export function outline(node: Node): string {
  switch (node.kind) {
    case 'number':
    case 'switch':
    case 'word':
    case 'reference':
    case 'definition':
      return node.text;
    case 'text':
      return `"${node.value}"`;
    case 'name':
      return node.vm ? `${node.vm.text}.${node.name.text}` : node.name.text;
    case 'unary':
      return `${node.operator}${outline(node.operand)}`;
    case 'binary':
      return `(${outline(node.left)} ${node.operator} ${outline(node.right)})`;
    case 'parenthesized':
      return outline(node.inner);
    case 'range':
      return outline(node.from) + (node.to ? `..${outline(node.to)}` : '') + (node.size ? `+${outline(node.size)}` : '');
    case 'missing':
    case 'error':
      return `<${node.kind}>`;
    case 'body':
      return `{${node.items.map(outline).join('; ')}${node.closed ? '' : ' …'}}`;
    default:
      return fields(node);
  }
}

function fields(node: Node): string {
  const said = Object.entries(node).flatMap(([key, value]) => {
    if (['kind', 'range', 'head', 'comments'].includes(key) || value === null || value === false || (Array.isArray(value) && value.length === 0 && key !== 'flags')) return [];
    return [`${key}:${one(value)}`];
  }); // prettier-ignore
  return said.length === 0 ? node.kind : `${node.kind}{${said.join(' ')}}`;
}

function one(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(one).join(', ')}]`;
  return typeof value === 'object' ? outline(value as Node) : String(value);
}
