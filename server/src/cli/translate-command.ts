/** `mmu translate`: the way of an address at a point of the script. */
import { accessNamed, figureOf, positionAtLine, svgFile, translate, translationText } from '../api/engine';
import type { RunView, TranslationView } from '../api/engine';
import type { Arguments } from './commands';
import { INTERRUPTED, runInterruptibly } from './interruptible';
import { InputError } from './io';
import type { Io } from './io';
import { TIME_LIMIT } from './run-command';
import { lineOf, openingOf, openRunnable } from './script';

export async function translateAddress(args: Arguments, io: Io): Promise<number> {
  const [path, spelled] = args.positionals;
  const { address, space } = parseAddress(spelled);
  const line = lineOf(args, 'line');
  const access = parseAccess(args.options.access);
  const format = parseFormat(args.options.format);
  const script = openRunnable(path, io, openingOf(args));
  if (!script) return 2;
  const { views, interrupted } = await runInterruptibly(script, TIME_LIMIT, io);
  const found: ({ readonly run: string } & TranslationView)[] = [];
  for (const view of views) {
    const vm = vmOf(view, args.options.vm);
    const position = line === null ? view.record.length : positionAtLine(view, script.uri, line - 1);
    const translation = translate(view, { position, vm, vcpu: 0 }, address, space, access);
    const { name } = view.record.program;
    if (format !== 'text') found.push({ run: name, ...translation });
    else for (const text of [name, ...translationText(translation).map((each) => `  ${each}`), '']) io.out(`${text}\n`);
  }
  if (format === 'json') io.out(`${JSON.stringify({ version: 1, translations: found }, null, 2)}\n`);
  if (format === 'svg') io.out(svgFile(found.map((each) => ({ title: each.run, figure: figureOf(each) }))));
  return interrupted ? INTERRUPTED : 0;
}

/** Number of the VM of that name, or of the VM that the run's first act is by. */
function vmOf(view: RunView, name: Arguments['options'][string]): number {
  const { machine, acts } = view.record.program;
  if (typeof name === 'string') {
    const vm = machine.vms.findIndex((each) => each.name === name);
    if (vm < 0) throw new InputError(`mmu translate: no VM ${name}; there is ${machine.vms.map((each) => each.name).join(', ')}`);
    return vm;
  }
  for (const act of acts) if ('by' in act) return act.by.vm;
  return 0;
}

function parseAddress(spelled: string): { address: bigint; space: 'gva' | 'gpa' } {
  const [, prefix, digits] = /^(?:(gva|gpa):)?(0x[0-9a-f_]+|[0-9_]+)$/i.exec(spelled) ?? [];
  if (digits === undefined) throw new InputError(`mmu translate: ${spelled} is no address: 0x40_0123, or gpa:0x5000`);
  const address = BigInt(digits.replaceAll('_', ''));
  if (address >= 1n << 64n) throw new InputError(`mmu translate: ${spelled} needs more than 64 bits`);
  return { address, space: prefix?.toLowerCase() === 'gpa' ? 'gpa' : 'gva' };
}

/** The access to judge; null: none is said. */
function parseAccess(option: Arguments['options'][string]): number | null {
  if (option === undefined) return null;
  const access = accessNamed(String(option));
  if (access === null)
    throw new InputError(`mmu translate: --access takes user or supervisor, then read, write or fetch; not ${String(option)}`);
  return access;
}

const FORMATS = ['text', 'json', 'svg'] as const;

function parseFormat(option: Arguments['options'][string]): (typeof FORMATS)[number] {
  const format = FORMATS.find((each) => each === (option ?? 'text'));
  if (format) return format;
  throw new InputError(`mmu translate: --format takes text, json or svg, not ${String(option)}`);
}
