import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expectedAt, type Expected, type ExpectedItem } from '../../../server/src/language/syntax/expected';
import { marked } from '../../support/markers';

function at(fixture: string): Expected {
  const { text, cursor } = marked(fixture);
  return expectedAt(text, cursor);
}

const told = (item: ExpectedItem): string => {
  switch (item.kind) {
    case 'word':
    case 'sign':
      return item.text;
    case 'reference':
      return `a ${item.to}`;
    case 'definition':
      return `new ${item.of}`;
    case 'string':
      return `"${item.path ?? ''}"`;
    default:
      return item.kind;
  }
};

/** What goes on with what stands before the place; what begins an item there is left out. */
const goesOn = (fixture: string): string[] => at(fixture).items.filter(({ begins }) => begins === null).map(told).sort(); // prettier-ignore
const begins = (fixture: string): string[] => at(fixture).items.filter((item) => item.begins !== null).map(told); // prettier-ignore

describe('what can stand at a place', () => {
  it('declarations in a file', () => {
    assert.deepEqual(begins('<|>'), ['import', 'const', 'host', 'budget', 'vm', 'block', 'run']);
    assert.deepEqual(begins('vm a {}\nr<|>'), ['import', 'const', 'host', 'budget', 'vm', 'block', 'run']);
  });

  it('of the declaration that it is in, whatever stands before, and whatever begins a line inside', () => {
    const inside = (fixture: string): unknown => at(fixture).bodies;
    assert.deepEqual(inside('vm a {\n  vm b {\n    slot 0 { <|>'), inside('vm a { vm b { slot 0 { <|>'));
    assert.deepEqual(inside('host { cpu { } }\nvm a {\n  vm b {\n    slot 0 { <|>'), inside('vm a { vm b { slot 0 { <|>'));
    assert.deepEqual(goesOn('}\nvm a { vcpu { cr0.<|>'), ['wp']);
    assert.deepEqual(goesOn('vm a { }\n} }\nvm b { vcpu { cr0.<|>'), ['wp']);
  });

  it('whatever broken declarations stand before', () => {
    const WORDS = ['vm', 'a', '{', '}', '(', ')', '[', 'run', 'read', '5', '=', '\n', 'const', 'host', 'under', 'soft', ':', ',', 'expect'];
    const closed = (text: string): boolean => [...text].reduce((depth, each) => depth + (each === '{' ? 1 : each === '}' && depth > 0 ? -1 : 0), 0) === 0; // prettier-ignore
    const before = fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((words) => `${words.join(' ')}\n`).filter(closed); // prettier-ignore
    const declaration = fc.constantFrom('vm b { vcpu { cr0.', 'run guest { read ', 'const ', 'host { cpu { vendor ');
    const expected = (text: string): unknown => [expectedAt(text, text.length).items, expectedAt(text, text.length).bodies];
    fc.assert(
      fc.property(before, declaration, (broken, text) => assert.deepEqual(expected(broken + text), expected(text))),
      { numRuns: 200 },
    );
  });

  it('parts of a statement, in its order', () => {
    assert.deepEqual(
      goesOn('run guest <|>'),
      ['"', 'under', 'with', '{'].map((each) => (each === '"' ? '""' : each)),
    );
    assert.deepEqual(goesOn('run { host get <|>'), ['dirty']);
    assert.deepEqual(goesOn('run { host get dirty log slot 0 <|>').filter((each) => /[a-z]/.test(each)), ['expect']); // prettier-ignore
    assert.deepEqual(goesOn('const <|>'), ['new const']);
    assert.deepEqual(goesOn('vm a { vcpu { cr0.<|>'), ['wp']);
    assert.deepEqual(goesOn('host { cpu { vendor <|>'), ['amd', 'intel']);
    assert.deepEqual(goesOn('run { invept <|>').filter((each) => /^[a-z]{3}/.test(each)), ['all', 'number', 'off', 'type', 'yes']); // prettier-ignore
  });

  it('clauses and flags once', () => {
    assert.ok(goesOn('run { read 5 <|>').includes('x'));
    assert.ok(!goesOn('run { read 5 x 3 <|>').includes('x'));
    assert.ok(goesOn('run { write 5 <|>').includes('='));
    assert.ok(!goesOn('run { read 5 <|>').includes('='));
    assert.deepEqual(goesOn('run { read 5 expect #PF(P U <|>'), [')', 'I', 'PK', 'RSVD', 'SGX', 'SS', 'W']);
    const flags = goesOn('vm a { tables k { 1 +4K -> 2 rw user <|>');
    assert.ok(flags.includes('nx') && !flags.includes('rw') && !flags.includes('user'));
  });

  it('lines: a value stands on the line of what comes before it', () => {
    assert.ok(goesOn('run {\n  read <|>').includes('number'));
    assert.deepEqual(goesOn('run {\n  read\n  <|>'), []);
    assert.ok(begins('run {\n  read 5\n  <|>').includes('read'));
    assert.ok(goesOn('run {\n  read 5 +\n  <|>').includes('number'));
  });

  it('words that are names where a name fits', () => {
    assert.ok(begins('run { kernel<|>').includes('a table'));
    assert.deepEqual(goesOn('run { kernel <|>').filter((each) => !/^\w/.test(each)), ['(', '.', ':', '[']); // prettier-ignore
    assert.deepEqual(goesOn('run { read 5 expect kernel[5] = 3 under soft <|>').filter((each) => /^[a-z]/.test(each)), ['expect', 'on', 'with']); // prettier-ignore
    assert.deepEqual(goesOn('run { read 5 expect ok with <|>'), ['kernel']);
    assert.deepEqual(goesOn('run { read 5 expect ok under soft with kernel 6.1, <|>'), ['6.1', '6.12']);
    assert.ok(goesOn('run { read 5\nunder soft <|>').includes('{'));
  });

  it('values, with what they are of', () => {
    const values = (fixture: string): (string | undefined)[] => [...new Set(at(fixture).items.map(({ value }) => value?.of))];
    assert.deepEqual(values('run { read <|>'), ['linear']);
    assert.deepEqual(values('run { host delete slot <|>'), ['slot']);
    assert.deepEqual(values('vm a { slot 0 { size <|>'), ['size']);
    assert.deepEqual(values('vm a { vcpu { cr3 <|>'), ['root']);
  });

  it('paths in quotes, and nothing in comments', () => {
    assert.deepEqual(goesOn('import "<|>'), ['"import"']);
    assert.equal(at('import "ab<|>').start, 8);
    assert.deepEqual(at('// <|>').items, []);
    assert.deepEqual(at('/* <|>').items, []);
  });

  it('bodies around', () => {
    assert.deepEqual(at('run guest { for i in 0 .. 3 { <|>').bodies, ['file', 'script', 'script']);
    assert.deepEqual(at('vm a { tables k { <|>').bodies, ['file', 'vm', 'tables']);
    assert.deepEqual(at('run { host { <|>').bodies, ['file', 'script', 'host-acts']);
  });

  it('what stands wrong before does not hide it', () => {
    assert.ok(begins('run {\n  raed 5\n  user red 6\n  <|>').includes('read'));
  });
});
