import assert from 'node:assert/strict';
import { parse } from '../../../server/src/language/syntax/parse';
import { MAX_PROBLEMS } from '../../../server/src/language/syntax/problem';
import { pathAt, walk, type NodeKind } from '../../../server/src/language/syntax/tree';
import { marked } from '../../support/markers';
import { outline } from './outline';

/** The errors stand exactly where the marks are, with these codes or messages. */
function errors(fixture: string, ...expected: readonly (string | RegExp)[]): ReturnType<typeof parse> {
  const { text, ranges } = marked(fixture);
  const parsed = parse(text);
  assert.deepEqual(
    parsed.errors.map(({ range }) => range),
    ranges,
    parsed.errors.map(({ message, range }) => `${range.start}: ${message}`).join('\n'),
  );
  parsed.errors.forEach(({ code, message }, index) => {
    const wanted = expected[index]!;
    if (typeof wanted === 'string') assert.equal(code, wanted);
    else assert.match(message, wanted);
  });
  return parsed;
}

/** The text after the fixes of all errors. */
function fixed({ text, errors: found }: ReturnType<typeof parse>): string {
  let result = text;
  for (const { fix } of [...found].reverse()) if (fix) result = result.slice(0, fix.range.start) + fix.text + result.slice(fix.range.end);
  return result;
}

const kinds = (text: string): string[] =>
  parse(text).tree.items.flatMap((item) =>
    'body' in item && item.body ? [`${item.kind}:${item.body.items.map(({ kind }) => kind).join(',')}`] : [item.kind],
  );

describe('recovery: several errors, each at its place', () => {
  it('statements', () => {
    const { tree } = errors(
      `run guest {
  user read⟦⟧
  write 1 =⟦⟧
  ⟦raed⟧ 5
  kernel[⟦⟧
  cr0.⟦⟧
  l1.⟦⟧
  invlpg⟦⟧
  read 1 expect ok,⟦⟧
  read 1 expect #PF(⟦⟧
  read 1 x⟦⟧
  host ⟦delte⟧ slot 3
  ⟦slot⟧ 0 { gpa 0 }
  read 2
}`,
      /expected a linear address/, /expected a value/, /did you mean read/, /expected an address/, /name of a bit/, /name of tables/, /linear address/,
      /what must hold/, /error code/, /after x/, /did you mean delete/, /declared in a vm/,
    ); // prettier-ignore
    const [run] = tree.items;
    assert.equal(run?.kind === 'run' && outline(run.body!.items.at(-1)!), 'access{access:read address:2}');
  });

  it('the machine', () => {
    errors(
      `vm guest {
  mmu⟦⟧
  mmu ⟦sfot⟧
  slot 0 { gpa⟦⟧ size 4K ⟦hav⟧ 3  readonly }
  slot 1 { gpa 0 size 4K⟦⟧
  tables⟦⟧
  tables kernel {
    0x1000 ⟦->⟧ 0x2000
    0x1000 +4K ->⟦⟧
    ⟦0x1000 + 4K⟧ -> 0x2000 rw
    0x1000 +4K -> 0x2000 ⟦rww⟧ nx
  }
  vcpu { cr3 ⟦}⟧
}
run guest { read 5 }`,
      /soft, ept or npt/, /did you mean soft/, /address after gpa/, /did you mean hva/, 'expected-close', /name of the tables/, /expected a length/,
      /maps to/, 'ambiguous-range', /did you mean rw/, /address after cr3/,
    ); // prettier-ignore
  });

  it('expectations: the others of the list stand', () => {
    const { tree } = errors(
      `run { read 1 expect ok, ⟦frobnicate⟧ 3, exits 0, ⟦#XX⟧, error ⟦EFOO⟧, page 5 ⟦unsinc⟧ under ⟦sofft⟧ }`,
      /unknown expectation/, /unknown fault/, /unknown errno/, /did you mean unsync/, /did you mean soft/,
    ); // prettier-ignore
    const found = [...walk(tree)].flatMap((node) => (node.kind === 'expect' ? node.of : []));
    assert.deepEqual(found.map(({ kind }) => kind), ['expect-ok', 'error', 'expect-count', 'error', 'expect-error', 'expect-page']); // prettier-ignore
  });

  it('kernels: what is none of them is one of the list', () => {
    const { tree } = errors(
      'run with kernel ⟦mainline⟧, 6.12 { read 1 expect ok under soft with kernel ⟦5.10⟧ read 2 expect ok with⟦⟧\nread 3 expect ok with kernel⟦⟧\nwith kernel 6.1, ⟦6⟧ { read 4 } }',
      /unknown kernel 'mainline': there are 6.1, 6.12/, /unknown kernel '5.10': there are 6.1, 6.12/, /expected 'kernel'/, /expected a kernel, as 6.1 or 6.12/, /unknown kernel '6': there are 6.1, 6.12/,
    ); // prettier-ignore
    const found = [...walk(tree)].flatMap((node) => (node.kind === 'under' ? [node.kernels.map(({ text }) => text).join()] : []));
    assert.deepEqual(found, ['mainline,6.12', '5.10', '', '', '6.1,6']);
  });

  it('the file', () => {
    errors(
      `import⟦⟧
const⟦⟧
const a⟦⟧
block⟦⟧
block f ⟦{⟧}
⟦rum⟧ guest {
  read 5
}
⟦user⟧ read 5
  read 6
⟦slot⟧ 0 {}
⟦}⟧
run {}`,
      /path of a file/, /a name/, "expected", /name of the block/, /'\('/, /did you mean run/, /in a run/, /in a vm/, /closes nothing/,
    ); // prettier-ignore
  });
});

describe('recovery: missing braces', () => {
  it('are found by indentation', () => {
    const parsed = errors(
      `host { memory 64M⟦⟧
vm guest {
  tables kernel {
    0x1000 +4K -> 0x2000 rw⟦⟧

  vcpu { cr3 kernel }
}

run guest {
  under soft {
    read 5⟦⟧
  read 6
}
const a = 5
`,
      /close host/, /close tables kernel/, /close under/,
    ); // prettier-ignore
    assert.deepEqual(parse(fixed(parsed)).errors, []);
    assert.deepEqual(kinds(parsed.text), ['host:setting', 'vm:tables,vcpu', 'run:under-statement,access', 'const']);
    const close = parsed.errors[1]!;
    assert.equal(parsed.text.slice(close.related!.range.start, close.related!.range.end), '{');
  });

  it('keeps what is there while typing', () => {
    assert.deepEqual(kinds('vm guest {\n  tables kernel {\n    0x1000 +4K -> 0x2000 rw\n    0x'), ['vm:tables']);
    assert.deepEqual(kinds('run guest {\n  user read 0x1000\n  expect'), ['run:access']);
    assert.deepEqual(kinds('vm guest {\n  vcpu {\n\nrun guest {\n  read 1\n}\n'), ['vm:vcpu', 'run:access']);
    assert.deepEqual(kinds('run a {\n  read 1\n\nrun b {\n  read 2\n}\n'), ['run:access', 'run:access']);
  });

  it('one too many ends one run and nothing else', () => {
    errors('run {\n  read 5\n}\n⟦}⟧\n  read 6\n  read 7\nvm x {}\n', 'unexpected');
  });
});

describe('recovery: nodes for completion', () => {
  const at = (fixture: string): NodeKind[] => {
    const { text, cursor } = marked(fixture);
    return pathAt(parse(text).tree, cursor).map(({ kind }) => kind);
  };
  it('missing values', () => {
    assert.deepEqual(at('run {\n  read<|>\n}').slice(2), ['body', 'access', 'missing']);
    assert.deepEqual(at('run {\n  kernel[<|>\n}').slice(3), ['edit', 'entry', 'missing']);
    assert.deepEqual(at('vm a {\n  slot 0 { gpa<|> }\n}').slice(3), ['slot', 'body', 'setting', 'word']);
    assert.deepEqual(at('vm a {\n  tables k {\n    0x1000 +4K -><|>\n  }\n}').slice(5), ['mapping', 'missing']);
  });
  it('words half written', () => {
    assert.deepEqual(at('run {\n  read 1 expect ex<|>\n}').slice(3), ['access', 'expect', 'error']);
    assert.deepEqual(at('run {\n  kernel[1].wri<|>\n}').slice(3), ['edit', 'word']);
    assert.equal(pathAt(parse('run {\n  re\n}').tree, 10).at(-1)?.kind, 'error');
  });
});

describe('recovery: fixes', () => {
  for (const [text, expected] of Object.entries({
    'const a 5': 'const a = 5',
    'const a = 12kb': 'const a = 12K',
    'const a = 0XFF': 'const a = 0xFF',
    'const a = ff00': 'const a = ff00',
    'const a = 7f': 'const a = 0x7f',
    'run {\n  write 1 += 2\n  rmw 1 = 2\n}': 'run {\n  write 1 = 2\n  rmw 1 += 2\n}',
    'run { read 1 expect #PF(P, W) }': 'run { read 1 expect #PF(P W) }',
    'run { kernel[1.user = no }': 'run { kernel[1].user = no }',
    'vm a { tables k { 1 + 4K -> 2 } }': 'vm a { tables k { 1 +4K -> 2 } }',
    'run { host delete 3 }': 'run { host delete slot 3 }',
    'run { l2 read 1 }': 'run { l2 read 1 }',
    'run { invpcid 1 3 }': 'run { invpcid 1 pcid 3 }',
    'vm a { slot 0 { siez 4K } }': 'vm a { slot 0 { size 4K } }',
    'run { read 1 }\n}': 'run { read 1 }\n',
    'run { host get dirty slot 0 }': 'run { host get dirty log slot 0 }',
  })) {
    it(text.replace(/\n/g, ' ⏎ '), () => assert.equal(fixed(parse(text)), expected));
  }
});

describe('recovery: limits', () => {
  const codes = (text: string): string[] => [...new Set(parse(text).errors.map(({ code }) => code))];
  it('empty and blank texts have no errors', () => {
    for (const text of ['', '\n', '\uFEFF', '  // c', '/* c */', '\r\n\r\n', '\r']) assert.deepEqual(parse(text).errors, []);
  });
  it('a text too large is refused at once', () => {
    const parsed = parse('x'.repeat(50 * 1024 * 1024));
    assert.deepEqual(parsed.errors.map(({ code }) => code), ['too-large']); // prettier-ignore
    assert.equal(parsed.tree.range.end, parsed.text.length);
  });
  it('braces 100,000 deep', () => {
    for (const part of ['{', 'run {', 'vm a {', 'run { read 1 on fault {', 'const a = (', 'kernel['])
      assert.ok(codes(part.repeat(100_000)).includes('too-deep'), part);
    assert.deepEqual(codes('vm a { '.repeat(100_000)), ['too-deep']);
  });
  it('expressions without end', () => {
    for (const text of [
      '1' + '+1'.repeat(100_000),
      '-'.repeat(100_000) + '1',
      '~'.repeat(300),
      `${'('.repeat(150)}1${'+1)'.repeat(150)}`,
    ]) {
      assert.ok(codes(`const a = ${text}\nconst b = 1`).includes('expression-too-long'));
    }
    assert.deepEqual(codes(`const a = ${'1+'.repeat(200)}1`), []);
  });
  it('too many problems are cut off, with a word about it', () => {
    const { errors: found } = parse('run {\n' + 'foo\n'.repeat(10_000));
    assert.equal(found.length, MAX_PROBLEMS + 1);
    assert.equal(found.at(-1)!.code, 'too-many-problems');
  });
  it('binary', () => {
    const bytes = Array.from({ length: 200_000 }, (_, index) => String.fromCharCode((index * 7919) & 0xff)).join('');
    assert.ok(parse(bytes).errors.length > 0);
    assert.deepEqual(codes('\0'.repeat(1_000_000)), ['unexpected-character']);
  });
  it('unterminated strings and comments', () => {
    errors('import ⟦"abc⟧\nconst a = 1', 'unterminated-string');
    errors('const a = 1\n⟦/*⟧ never', 'unterminated-comment');
  });
  it('positions are UTF-16 units', () => {
    errors('// 𝄞𝄞\nconst a = 1 ⟦𝄞⟧ // 𝄞\nrun { ⟦foo⟧ }', /'𝄞' \(U\+1D11E\)/, /foo/);
  });
  it('line ends: CRLF, CR and LF mean the same', () => {
    const text = 'run {\n  vmresume\n  l2: read 1\n  read\n  read 2 expect mmio\n  read 3\n}\n';
    const tree = outline(parse(text).tree);
    for (const end of ['\r\n', '\r']) assert.equal(outline(parse(text.replaceAll('\n', end)).tree), tree);
  });
  it('names of object members are not words of the language', () => {
    for (const word of ['constructor', '__proto__', 'toString']) {
      for (const text of [
        `vm a { ${word} 1 }`,
        `vm a { tables k ${word} {} }`,
        `vm a { tables k { 1 +4K -> 2 ${word} } }`,
        `run { ${word}.a = 1 }`,
        `run { expect ${word} }`,
      ]) {
        assert.equal(parse(text).errors.length, 1, text);
      }
    }
  });
  it('a field of an event that stands on the next line of what is broken is missing', () => {
    for (const field of ['#PF', 'gfn 5']) {
      const { tree, errors: found } = parse(`run { read 1  expect value , events kvm_exit(\n${field}) }`);
      assert.ok(found.length > 0);
      for (const { kind, range } of walk(tree)) assert.ok(range.start <= range.end, kind);
    }
  });
});
