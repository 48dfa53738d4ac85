/** The tables of docs/traces.md: the texts of events by who prints them, and the rules. */
import { resolve } from 'node:path';
import { isTracepoint, eventNamed } from '../../server/src/engine/journal/event-table';
import { KERNELS, type Kernel } from '../../server/src/engine/program';
import { KERNEL_TEXTS } from '../../server/src/events/kernel-text/kernel-text';
import { KEPT_AS_TEXT, OTHER_TEXTS } from '../../server/src/events/kernel-text/other-texts';
import { PLUGIN_TEXTS } from '../../server/src/events/kernel-text/plugin-texts';
import { form } from '../../server/src/events/kernel-text/text';
import { isBefore, type Version } from '../../server/src/events/kernel-text/versions';
import { RULE_NAMES, ruleNamed } from '../../server/src/import/rules/rules';

export const TRACES_DOCUMENT = resolve(import.meta.dirname, '../../docs/traces.md');

const TABLES: { readonly [marker: string]: () => string } = { rules, texts };

/** The document with its tables as they must be: from `<!-- rules -->` to `<!-- end -->`. */
export function withTraceTables(document: string): string {
  return document.replace(/<!-- (\w+) -->\n[^]*?<!-- end -->/g, (whole, marker: string) => {
    const made = TABLES[marker];
    return made === undefined ? whole : `<!-- ${marker} -->\n\n${made()}\n\n<!-- end -->`;
  });
}

function rules(): string {
  return RULE_NAMES.map((name) => {
    const { about, sure, function: where, since, until, section, sample } = ruleNamed(name);
    const kernels = [since && `since ${since}`, until && `before ${until}`].filter(Boolean).join(', ') || 'all that are read';
    return [
      `### ${name}`,
      about,
      `*${sure}* · kernels: ${kernels} · \`${where}\` · [§${section}](spec/mmu-semantics.md) · [${sample}](../samples/traces/${sample}), [explained](../samples/traces/${sample.replace(/\.trace$/, '.txt')})`,
    ].join('\n\n');
  }).join('\n\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
const code = (text: string): string => (text === '' ? 'nothing' : `\`${text.replaceAll('`', "'")}\``);

function texts(): string {
  const all = new Map<string, readonly Version<string>[]>([
    ...Object.entries<readonly Version<string>[]>(KERNEL_TEXTS),
    ...Object.entries(OTHER_TEXTS).map(([name, { versions }]) => [name, versions] as const),
  ]);
  const rows = [...new Set([...all.keys(), ...Object.keys(PLUGIN_TEXTS)])]
    .sort()
    .flatMap((name) => [
      ...(all.get(name) ?? []).map((version) => [
        code(name),
        `kernel ${kernelsOf(version)}`,
        code(form(version.text)),
        isPrinted(name, version) ? 'yes' : '',
      ]),
      ...(PLUGIN_TEXTS[name] ?? []).map((text) => [code(name), 'plugin of trace-cmd and perf', code(form(text)), '']),
    ]);
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [
    line(['event', 'printed by', 'text', 'printed here']),
    line(['---', '---', '---', '---']),
    ...rows.map(line),
    '',
    `Kept as text, as they say nothing of memory: ${[...KEPT_AS_TEXT].map(code).join(', ')}.`,
  ].join('\n');
}

function kernelsOf({ since, until }: Version<string>): string {
  return [since && `since ${since}`, until && `before ${until}`].filter(Boolean).join(', ') || 'of any release';
}

const FOLLOWED = Object.keys(KERNELS) as Kernel[];

/** Some scenario's trace has it so. */
function isPrinted(name: string, { since, until }: Version<string>): boolean {
  const event = eventNamed(name);
  if (!event || !isTracepoint(event.name)) return false;
  return FOLLOWED.some((kernel) => (!since || !isBefore(kernel, since)) && (!until || isBefore(kernel, until)));
}
