import assert from 'node:assert/strict';
import { documented, samples } from '../support/examples';
import { EXPECTATION_KINDS } from '../../server/src/language/expectations/kinds';
import type { Ends, KindWords, StatementKind, Worded } from '../../server/src/language/kind';
import { itemKindOf, kindOf, wordsOf } from '../../server/src/language/kinds';
import { FILE_ITEM_KINDS, VM_ITEM_KINDS } from '../../server/src/language/machine/kinds';
import { TABLES_ITEM_KINDS } from '../../server/src/language/machine/tables/kinds';
import { enter } from '../../server/src/language/statements/enter';
import type { Enter } from '../../server/src/language/statements/enter';
import { HOST_ACT_KINDS } from '../../server/src/language/statements/host/kinds';
import { STATEMENT_KINDS } from '../../server/src/language/statements/kinds';
import { KEYWORDS, RESERVED } from '../../server/src/language/syntax/keywords';
import { parse } from '../../server/src/language/syntax/parse';
import { walk } from '../../server/src/language/syntax/tree';
import type { Node } from '../../server/src/language/syntax/tree';

/** A kind without one of its parts. */
type Without<K, P extends keyof K> = Omit<K, P>;

describe('kinds of statements, expectations and items', () => {
  it('a statement without one of its parts does not compile', () => {
    const whole: StatementKind<Enter> = enter;
    // @ts-expect-error: without its rule
    const rule: StatementKind<Enter> = whole as Without<StatementKind<Enter>, 'rule'>;
    // @ts-expect-error: without words
    const words: StatementKind<Enter> = whole as Without<StatementKind<Enter>, 'words'>;
    // @ts-expect-error: without what it binds
    const bind: StatementKind<Enter> = whole as Without<StatementKind<Enter>, 'bind'>;
    // @ts-expect-error: without its addresses
    const address: StatementKind<Enter> = whole as Without<StatementKind<Enter>, 'address'>;
    // @ts-expect-error: without its line in the outline
    const outline: StatementKind<Enter> = whole as Without<StatementKind<Enter>, 'outline'>;
    // @ts-expect-error: without what it can end in
    const ends: StatementKind<Enter> = whole as Without<StatementKind<Enter>, 'ends'>;
    // @ts-expect-error: without lowering
    const lower: StatementKind<Enter> = whole as Without<StatementKind<Enter>, 'lower'>;
    assert.deepEqual([rule, words, bind, address, outline, ends, lower], Array(7).fill(enter));
  });

  it('neither does a table without one of its kinds', () => {
    type Table = typeof STATEMENT_KINDS;
    const { enter: left, ...others } = STATEMENT_KINDS;
    // @ts-expect-error: without vmlaunch, vmresume and vmrun
    const table: Table = others;
    assert.ok(!('enter' in table) && left === enter);
  });

  it('every node of every sample and documented example has a kind, and each item of a body a line of its own', () => {
    const seen = new Set<string>();
    for (const { name, text } of [...samples(), ...documented()]) {
      for (const node of walk(parse(text).tree)) {
        seen.add(node.kind);
        assert.ok(kindOf(node), `${name}: ${node.kind}`);
        if (node.kind === 'body')
          for (const item of node.items) assert.ok(item.kind === 'handler' || itemKindOf(item as Node), `${name}: ${item.kind}`);
      }
    }
    for (const kind of [...Object.keys(STATEMENT_KINDS), ...Object.keys(EXPECTATION_KINDS), ...Object.keys(TABLES_ITEM_KINDS)]) {
      assert.ok(seen.has(kind), `no sample or example has ${kind}`);
    }
  });

  const kinds: readonly (readonly [string, Worded])[] = [
    ...Object.entries<Worded>(FILE_ITEM_KINDS),
    ...Object.entries<Worded>(VM_ITEM_KINDS),
    ...Object.entries<Worded>(TABLES_ITEM_KINDS),
    ...Object.entries<Worded>(STATEMENT_KINDS),
    ...Object.entries<Worded>(HOST_ACT_KINDS),
    ...Object.entries<Worded>(EXPECTATION_KINDS),
  ];

  it('words of kinds are keywords of their category, each brought by one kind', () => {
    const brought = new Map<string, KindWords>();
    for (const [name, kind] of kinds) {
      for (const [category, words] of Object.entries(kind.words)) {
        for (const [word, about] of Object.entries(words)) {
          const key = `${category} ${word}`;
          assert.equal(brought.get(key) ?? kind.words, kind.words, `${key} of ${name} is another kind's too`);
          brought.set(key, kind.words);
          assert.ok(
            KEYWORDS.some((each) => each.word === word && each.category === category && each.about === about),
            `${key} of ${name} is no keyword`,
          );
        }
      }
    }
  });

  it('reserved words have an explanation', () => {
    for (const word of RESERVED) assert.ok(KEYWORDS.some((each) => each.word === word), word); // prettier-ignore
  });

  it('acts of the host are told by their own words', () => {
    const [run] = parse('run guest { host flags slot 0 none }').tree.items;
    const act = [...walk(run)].find(({ kind }) => kind === 'host-act')!;
    assert.deepEqual(Object.keys(wordsOf(act)['host-act'] ?? {}), ['flags']);
  });

  it('what can end somehow can end well', () => {
    const all = Object.values<{ readonly ends: Ends | null }>(STATEMENT_KINDS).map(({ ends }) => ends);
    for (const ends of all.filter((each): each is Ends => each !== null)) assert.ok(ends.outcomes.includes('ok'), ends.called);
  });
});
