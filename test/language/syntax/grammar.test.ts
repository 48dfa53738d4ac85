import assert from 'node:assert/strict';
import { NonTerminal, Terminal, type IProduction, type Rule } from 'chevrotain';
import { validatedProductions, type Productions } from '../../../server/src/language/syntax/grammar/recording';
import { KEYWORDS } from '../../../server/src/language/syntax/keywords';
import { isOf, wordType } from '../../../server/src/language/syntax/vocabulary';

function* partsOf(parts: readonly IProduction[]): Generator<IProduction> {
  for (const part of parts) {
    yield part;
    if (!(part instanceof Terminal || part instanceof NonTerminal)) yield* partsOf((part as unknown as Rule).definition);
  }
}

describe('the grammar', function () {
  let rules: Productions;
  before(() => {
    rules = validatedProductions();
  });

  it('is reached from the file, rule by rule', () => {
    const reached = new Set<string>();
    const visit = (rule: Rule): void => {
      if (reached.has(rule.name)) return;
      reached.add(rule.name);
      for (const part of partsOf(rule.definition)) if (part instanceof NonTerminal) visit(part.referencedRule);
    };
    visit(rules['file']!);
    assert.deepEqual(Object.keys(rules).filter((name) => !reached.has(name)), []); // prettier-ignore
  });

  it('takes every word of the language somewhere', () => {
    const terminals = Object.values(rules).flatMap((rule) =>
      [...partsOf(rule.definition)].flatMap((part) => (part instanceof Terminal ? [part.terminalType] : [])),
    );
    const taken = (word: string): boolean => {
      const type = wordType(word);
      return (
        type !== undefined && terminals.some((terminal) => !['Word', 'AnyWord', 'VcpuName'].includes(terminal.name) && isOf(type, terminal))
      );
    };
    const words = new Set(KEYWORDS.flatMap(({ word, category }) => (category === 'setting' ? word.split('.') : [word])));
    // Built-in tables are names like those that scenarios define; `tlb` is a block of settings as well.
    assert.deepEqual([...words].filter((word) => !taken(word)), ['shadow', 'tdp']); // prettier-ignore
  });

  it('says what must stand: a statement cut short is not one', () => {
    for (const name of ['access', 'constant', 'mapping', 'edit', 'registerLoad', 'slot', 'vm', 'tables', 'expect'])
      assert.ok(
        rules[name]!.definition.some((part) => part instanceof Terminal || part instanceof NonTerminal),
        name,
      );
  });
});
