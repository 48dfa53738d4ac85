/** The table of rules in docs/kernels.md, from the rules themselves. */
import { resolve } from 'node:path';
import { KERNEL_RULES, type KernelRule } from '../../server/src/engine/mmu/kernel-rules';
import { KERNELS, type Kernel } from '../../server/src/engine/program';

export const KERNELS_DOCUMENT = resolve(import.meta.dirname, '../../docs/kernels.md');

/** The document with its table as it must be: from `<!-- rules -->` to `<!-- end -->`. */
export function withRules(document: string): string {
  return document.replace(/<!-- rules -->\n[^]*?<!-- end -->/, `<!-- rules -->\n\n${table()}\n\n<!-- end -->`);
}

function table(): string {
  const rows = Object.entries<KernelRule>(KERNEL_RULES).map(([name, rule]) => {
    return [`[${name}](#${name.toLowerCase()})`, rule.about, when(rule), `\`${rule.function}\``, known(rule)];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = ['rule', 'what is so', 'holds', 'function', 'known'];
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** `since 6.12`, `before 6.12` */
export function when({ since, until }: KernelRule): string {
  return [since && `since ${since}`, until && `before ${until}`].filter(Boolean).join(', ');
}

/** `recorded`, or for each kernel how. */
export function known({ proof }: KernelRule): string {
  const kernels = Object.keys(KERNELS) as Kernel[];
  const ways = new Set(kernels.map((kernel) => proof[kernel]));
  return ways.size === 1 ? proof[kernels[0]] : kernels.map((kernel) => `${kernel} ${proof[kernel]}`).join(', ');
}
