/** A file: its declarations. */
import type { TokenType } from 'chevrotain';
import * as t from '../tokens';
import type { Block, Definition, Import, Item, Reference, Run, Text, Under } from '../tree';
import { isEntry } from './parts';
import type { Grammar, Rule } from './rule';

const DECLARATIONS = ['import', 'const', 'host', 'budget', 'vm', 'block', 'run'];
const BEGINNINGS: ReadonlySet<TokenType> = new Set(DECLARATIONS.map(t.word));
const IN_VM: ReadonlySet<TokenType> = new Set(['slot', 'vcpu', 'tables'].map(t.word));

export const file: Rule<[], Item[]> = ($) => () => $.FILE($.declaration);

export const declaration: Rule<[], Item | null> = ($) => {
  const choice = {
    DEF: [
      { ALT: (): Item | null => $.SUBRULE($.importOf) },
      { ALT: (): Item | null => $.SUBRULE($.constant) },
      { ALT: (): Item | null => $.SUBRULE($.host) },
      { ALT: (): Item | null => $.SUBRULE($.budget) },
      { ALT: (): Item | null => $.SUBRULE($.vm) },
      { ALT: (): Item | null => $.SUBRULE($.block) },
      { ALT: (): Item | null => $.SUBRULE($.run) },
    ],
    ELSE: (): null => strange($),
  };
  return () => $.OR(choice);
};

/** One report for all that stands where a declaration should. */
function strange($: Grammar): null {
  const token = $.next();
  const range = t.rangeOf(token);
  const isStatement = $.is(t.Colon, 2) || isEntry($) || $.is(t.Register) || t.isReserved(token.tokenType);
  if (token.tokenType === t.RCurly) $.report('unexpected', "'}' closes nothing", range, { fix: { title: "Remove '}'", range, text: '' } });
  else if (IN_VM.has(token.tokenType)) $.report('unexpected', `${token.image} is declared in a vm`, range);
  else if (isStatement) $.report('unexpected', 'statements stand in a run or a block', range);
  else if ($.is(t.Word)) $.unknown('unknown-word', 'declaration', { text: token.image, range }, DECLARATIONS);
  else $.expected('a declaration, as vm or run');
  skipItem($);
  $.panic = false;
  return null;
}

/** Takes a token and what follows it, over whole bodies, up to a line that is not indented or begins a declaration. */
function skipItem($: Grammar): void {
  let depth = 0;
  do {
    const { tokenType } = $.take();
    if (tokenType === t.LCurly) depth++;
    else if (tokenType === t.RCurly && depth > 0) depth--;
  } while (!$.atEnd() && !($.onNewLine() && endsSkip($, depth)));
}

function endsSkip($: Grammar, depth: number): boolean {
  const atMargin = t.columnOf($.next()) === 0;
  if (BEGINNINGS.has($.next().tokenType)) return depth === 0 || atMargin;
  return depth === 0 && (atMargin || $.is(t.RCurly));
}

const IMPORTED = { ERR_MSG: 'the path of a file in quotes', PATH: 'import' } as const;

/** `import "common.mmu"` */
export const importOf: Rule<[], Import> = ($) => () => {
  const start = $.CONSUME(t.word('import')).startOffset;
  const path = $.textOrNull($.CONSUME(t.Str, IMPORTED));
  return { kind: 'import', path, range: $.since(start) };
};

const BLOCK_NAME = { ERR_MSG: 'the name of the block', DEFINES: 'block' } as const;
const PARAMETER = { ERR_MSG: 'the name of a parameter', DEFINES: 'parameter' } as const;

export const parameter: Rule<[], Definition | null> = ($) => () => $.definitionOrNull($.CONSUME(t.Word, PARAMETER), 'parameter');

/** `block name(a, b) { … }` */
export const block: Rule<[], Block> = ($) => {
  const list = (): Definition[] => $.LIST($.parameter);
  return () => {
    const start = $.CONSUME(t.word('block')).startOffset;
    const name = $.definitionOrNull($.CONSUME(t.Word, BLOCK_NAME), 'block');
    let parameters: Definition[] = [];
    if ($.isThere($.CONSUME(t.LParen))) {
      parameters = $.OPTION(list) ?? ($.is(t.RParen) ? [] : $.otherwise(list, []));
      $.CONSUME(t.RParen);
    }
    const body = $.SUBRULE($.scriptBody, { ARGS: [name ? `block ${name.text}` : 'block'] });
    return { kind: 'block', name, parameters, body, range: $.since(start) };
  };
};

const RUN_VM = { ERR_MSG: 'the name of a vm', REFERS: 'vm' } as const;
const TITLE = { ERR_MSG: 'a title' };

/** `run vm "title" under soft, ept { … }` */
export const run: Rule<[], Run> = ($) => {
  const named = { GATE: () => !$.broken(), DEF: (): Reference => $.referenceOf($.CONSUME(t.Word, RUN_VM), 'vm') };
  const titled = (): Text | null => $.textOrNull($.CONSUME(t.Str, TITLE));
  const kinds = (): Under => $.SUBRULE($.under);
  return () => {
    const start = $.CONSUME(t.word('run')).startOffset;
    const vm = $.OPTION1(named) ?? null;
    const title = $.OPTION2(titled) ?? null;
    const under = $.OPTION3(kinds) ?? null;
    const body = $.SUBRULE($.scriptBody, { ARGS: [vm ? `run ${vm.text}` : 'run'] });
    return { kind: 'run', vm, title, under, body, range: $.since(start) };
  };
};
