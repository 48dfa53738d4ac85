/**
 * `word 0x4000 = 0x4003`: guest memory at the start (in a VM), or a store by guest-physical address (in a script).
 */
import type { Act } from '../../engine/program';
import { always, bindParts, declaresNothing } from '../kind';
import type { ItemKind, StatementKind, VmItemKind } from '../kind';
import type { Context } from '../lower/context';
import type { Frame, ScriptLowering } from '../lower/script';
import { show } from '../semantics/values';
import type { Env } from '../semantics/values';
import type { MemoryBuilder } from '../lower/tables/memory';
import type { VmPlanner } from '../lower/vm-planner';
import { actEntry } from '../statements/head';
import { value, VALUE } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expect, Expression } from '../syntax/tree';

export interface MemoryWord extends Base {
  readonly kind: 'memory-word';
  readonly gpa: Expression;
  readonly value: Expression;
  /** 4 or 8 bytes; null: 8. */
  readonly size: Expression | null;
  /** In a script only. */
  readonly expects: readonly Expect[];
}

const GPA = value('a guest-physical address', 'gpa');

const BYTES = value('a size', 'access-size');

/** `word 0x4000 = 0x4003` */
const wordRule: Rule<[], MemoryWord> = ($) => {
  const sized = {
    GATE: () => $.clause(),
    DEF: (): Expression => {
      $.CONSUME($.t.word('size'));
      return $.SUBRULE3($.expression, BYTES);
    },
  };
  return () => {
    const start = $.CONSUME($.t.word('word')).startOffset;
    const gpa = $.SUBRULE($.expression, GPA);
    $.CONSUME($.t.Assign);
    const stored = $.SUBRULE2($.expression, VALUE);
    const size = $.OPTION(sized) ?? null;
    return { kind: 'memory-word', gpa, value: stored, size, expects: [], range: $.since(start) };
  };
};

/** A store by guest-physical address: `word 0x4000 = 7` */
const storeRule: Rule<[], MemoryWord> = ($) => () => {
  const start = $.here();
  const word = $.SUBRULE($.memoryWord);
  const after = $.expects();
  return { ...word, expects: after, range: $.since(start) };
};

const common: ItemKind<MemoryWord> = {
  words: {
    declaration: {
      word: 'A 64-bit word of guest-physical memory: its value at the start (in a VM), a store to it (in a script), or what it must be (in an expectation).',
    },
  },
  numbered: 'in-scripts',
  line: 'statement',
  bind: bindParts,
  address: (node, part) => (node.gpa === part ? 'gpa' : null),
  outline: actEntry,
};

/** In a script: a store. */
export const store: StatementKind<MemoryWord> = {
  ...common,
  rule: storeRule,
  begins: ($) => !$.isName(),
  ends: { called: 'a store', outcomes: ['ok', 'mmio', 'shutdown', 'exit', 'error'] },
  does: always,
  lower,
};

/** In a VM: memory at the start. */
export const memoryWord: VmItemKind<MemoryWord> = {
  ...common,
  rule: wordRule,
  declare: declaresNothing,
  once: () => null,
  plan: {
    claim: ({ context }, node, env, claims) => {
      const gpa = context.evaluator.number(node.gpa, env);
      if (gpa !== null && gpa >= 0n) claims.page(gpa);
    },
    write: writeWord,
  },
};

function lower(script: ScriptLowering, node: MemoryWord, frame: Frame, out: Act[]): void {
  const word = readWord(script.context, node, frame.env);
  if (word) script.emit({ do: 'store', origin: script.statements.of(node), by: script.performer(frame), ...word }, out, node, frame.env);
}

function writeWord(vm: VmPlanner, node: MemoryWord, env: Env, memory: MemoryBuilder): void {
  const word = readWord(vm.context, node, env);
  if (!word) return;
  if (vm.hasMemory(word.gpa)) memory.write(word.gpa, word.value, word.size);
  else vm.context.report(env, node.gpa, 'not-in-slot', `gpa ${show(word.gpa)} is in no slot`);
}

/** Where a word lies, its value and size; null when something is wrong, which is reported. */
function readWord(
  context: Context,
  node: MemoryWord,
  env: Env,
): { readonly gpa: number; readonly value: bigint; readonly size: 4 | 8 } | null {
  const size = node.size ? context.evaluator.number(node.size, env) : 8n;
  if (node.size && size !== null && size !== 4n && size !== 8n) {
    context.report(env, node.size, 'out-of-range', `a word has 4 or 8 bytes, not ${size}`);
    return null;
  }
  const gpa = context.between(node.gpa, env, 'a guest-physical address', 0n, (1n << 52n) - 1n);
  const value = context.evaluator.bits(node.value, env);
  if (gpa === null || value === null || size === null) return null;
  if (gpa % size !== 0n) {
    context.report(env, node.gpa, 'not-aligned', `a word of ${size} bytes lies at a multiple of ${size}, not at ${show(gpa)}`);
    return null;
  }
  if (size === 4n && value >> 32n !== 0n) {
    context.report(env, node.value, 'value-too-large', `${show(value)} does not fit in 4 bytes`);
    return null;
  }
  return { gpa: Number(gpa), value, size: size === 4n ? 4 : 8 };
}
