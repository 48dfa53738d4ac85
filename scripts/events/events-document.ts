/** docs/events.md, from the definitions of events and the table of the kernel's texts. */
import { resolve } from 'node:path';
import { KERNELS, type Kernel } from '../../server/src/engine/program';
import { EVENTS, isTracepoint, type EventSpec } from '../../server/src/engine/journal/event-table';
import type { FieldKindSpec } from '../../server/src/engine/journal/field-kinds';
import { FIELD_KINDS } from '../../server/src/engine/journal/field-kinds';
import { KERNEL_TEXTS } from '../../server/src/events/kernel-text/kernel-text';
import { OTHER_TEXTS } from '../../server/src/events/kernel-text/other-texts';
import { form } from '../../server/src/events/kernel-text/text';
import { isBefore, type Version } from '../../server/src/events/kernel-text/versions';

export const EVENTS_DOCUMENT = resolve(import.meta.dirname, '../../docs/events.md');

/** The oldest kernel that a scenario can follow: older ones are only read (docs/traces.md). */
const OLDEST = (Object.keys(KERNELS) as Kernel[])[0];

const code = (said: string): string => `\`${said}\``;
const cell = (said: string): string => said.replaceAll('|', '\\|');
const sentence = (said: string): string => `${said[0].toUpperCase()}${said.slice(1)}.`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `| ${head.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n');
}

export function eventsDocument(): string {
  const all = Object.values<EventSpec>(EVENTS);
  const ours = all.filter(({ tracepoint }) => tracepoint === undefined);
  const kernels = all.filter(({ tracepoint }) => tracepoint !== undefined);
  return [
    '# Events',
    INTRODUCTION,
    '## KVM’s tracepoints',
    ...kernels.map(eventText),
    '## Events of the simulator',
    'What the kernel’s trace has no tracepoint for: `--format ftrace` leaves these out.',
    ...ours.map(eventText),
    '## Kinds of fields',
    table(['kind', 'is', 'names'], Object.entries<FieldKindSpec>(FIELD_KINDS).map(kindRow)),
    '## Tracepoints without an event',
    'They stand beside the others in traces of these kernels, and nothing here causes them.',
    table(
      ['tracepoint', 'why', 'declared in'],
      Object.entries(OTHER_TEXTS).map(([name, { why, header }]) => [code(name), why, code(header)]),
    ),
    '',
  ].join('\n\n').trimEnd().concat('\n'); // prettier-ignore
}

const INTRODUCTION = `What a run's journal says, in the order in which it happens: the list of the trace panel, \`mmu run\`, \`events\` of the JSON and
\`expect events\` of the language. Each event has the fields of its table, besides its actor (processor, L0, L1, L2, user) and, where it says
so, a paging level. Names are those of KVM's tracepoints.

*ftrace* is the text that \`--format ftrace\` prints, that of the kernel which the scenario follows: \`{…}\` is a field of ours, or what the
text says that the event does not, of which *beside* tells the value. *Not in ftrace* are fields that the kernel's text has no room for.
This file is made from the definitions (\`npm run generate\`).`;

function eventText(spec: EventSpec): string {
  const { name, about, level, fields, tracepoint } = spec;
  const rows = fields.map((field) => [code(field.name), code(field.kind), field.about]);
  const parts = [`### ${name}`, sentence(about) + (level === undefined ? '' : ` Level: ${level}.`)];
  if (rows.length > 0) parts.push(table(['field', 'kind', ''], rows));
  if (tracepoint !== undefined) parts.push(...kernelParts(spec));
  return parts.join('\n\n');
}

function kernelParts({ name, fields, tracepoint }: EventSpec): string[] {
  const all: readonly Version<string>[] = isTracepoint(name) ? KERNEL_TEXTS[name] : [];
  const versions = all.filter(({ until }) => until === undefined || isBefore(OLDEST, until));
  const holes = versions.flatMap(({ text }) => text.holes);
  const beside = new Map(holes.flatMap((hole) => (hole.beside ? [[hole.beside.name, hole.beside.from] as const] : [])));
  const unsaid = fields.filter((field) => !holes.some(({ shows }) => shows.includes(field.name)));
  const lines = versions.map((version) => `${kernelsOf(version)}\n\n    ${name}: ${form(version.text)}`);
  return [
    `*ftrace* (\`${tracepoint}\`) ${lines.join('\n\n')}`,
    ...(beside.size > 0 ? [`*beside*: ${[...beside].map(([extra, from]) => `${code(extra)} ${from}`).join('; ')}.`] : []),
    ...(unsaid.length > 0 ? [`*Not in ftrace*: ${unsaid.map((field) => code(field.name)).join(', ')}.`] : []),
  ];
}

function kernelsOf({ since, until }: Version<string>): string {
  const bounds = [since && `since ${since}`, until && `before ${until}`].filter(Boolean);
  return `${bounds.length > 0 ? bounds.join(', ') : 'of all kernels'}:`;
}

function kindRow([kind, { about, values }]: [string, FieldKindSpec]): string[] {
  const names = Object.entries(values ?? {}).map(([value, { name }]) => `${value} ${code(name)}`);
  return [code(kind), about, names.join(', ')];
}
