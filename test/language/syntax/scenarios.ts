/** Random scenarios, as fast-check arbitraries of text that the parser accepts, with random white space and comments. */
import fc from 'fast-check';

/** Words and signs of a scenario. NEWLINE is a line's end, BREAK a place where a line may end. */
type Atoms = readonly string[];
const NEWLINE = '\n';
const BREAK = '\0';

const of = (...choices: string[]): fc.Arbitrary<Atoms> => fc.constantFrom(...choices).map((choice) => choice.split(' '));
const seq = (...parts: (fc.Arbitrary<Atoms> | string)[]): fc.Arbitrary<Atoms> =>
  fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part === '' ? [] : part.split(' ')) : part)))
    .map((all) => all.flat());
const some = (part: fc.Arbitrary<Atoms>, maxLength = 3): fc.Arbitrary<Atoms> => fc.array(part, { maxLength }).map((all) => all.flat());
const maybe = (part: fc.Arbitrary<Atoms> | string): fc.Arbitrary<Atoms> => fc.oneof(fc.constant<Atoms>([]), seq(part));
const list = (part: fc.Arbitrary<Atoms>, minLength = 1): fc.Arbitrary<Atoms> =>
  fc.array(part, { minLength, maxLength: 3 }).map((all) => all.flatMap((each, index) => (index === 0 ? each : [',', BREAK, ...each])));

const name = of('a', 'b', 'page', 'kernel', 'l2', 'x1', 'word', 'dirty', 'gpa', 'same');
const number = of('0', '4K', '0x40_0123', '0b101', '1_000', '2M', '0xffff_8000_0000_0000');

const { expression } = fc.letrec<{ expression: Atoms; operand: Atoms }>((tie) => ({
  operand: fc.oneof(
    { depthSize: 'small' },
    number,
    name,
    of('on', 'off', 'yes', 'no'),
    of('l1 . kernel'),
    seq(of('-', '~'), tie('operand')),
    seq('(', tie('expression'), ')'),
  ),
  expression: fc.oneof(
    { depthSize: 'small' },
    tie('operand'),
    seq(tie('operand'), of('+', '-', '*', '/', '%', '<<', '>>', '&', '|'), maybe(BREAK), tie('operand')),
  ),
}));
/** An operand that a range takes as a whole. */
const plain = fc.oneof(number, name, seq('(', expression, ')'));
const range = fc.oneof(
  seq(plain, '..', plain),
  seq(
    plain,
    number.map(([text]) => [`+${text}`]),
  ),
);
const rangeOrOne = fc.oneof(range, plain);
const kinds = list(of('soft', 'ept', 'npt', 'soft on ept', 'ept on ept'));
const kernels = seq('with kernel', list(of('6.1', '6.12')));
const under = fc.oneof(seq('under', kinds, maybe(kernels)), kernels);
const register = of('cr0 . wp', 'cr3', 'cr4 . smep', 'efer . nxe', 'vmcs . eptp');
const entry = seq(of('kernel', 'shadow', 'tdp', 'l1 . ept12'), '[', plain, maybe(seq('level', plain)), ']');
const entryFlag = fc.oneof(of('rw', 'user', 'not dirty', 'absent', 'global', 'x'));
const mappingFlag = fc.oneof(of('rw', 'ro', 'user', 'supervisor', 'nx', 'not dirty', 'absent'), seq('pages', number), seq('key', number));

const field = fc.oneof(of('EPT_VIOLATION', '#PF', 'gfn 5', 'reason invlpg'), plain);
const expectation = fc.oneof(
  of('ok', '#PF', '#GP', '#PF ( )', '#PF ( P W U )', 'mmio', 'mmio read', 'mmio write', 'error EEXIST'),
  seq('#PF', '(', number, ')'),
  seq('value', expression),
  seq(of('gpa', 'hva', 'hpa', 'hpa of gpa'), expression),
  seq(of('exits', 'references'), of('==', '<=', '>='), plain),
  seq('exits', plain, maybe(of('of EPT_VIOLATION', 'of invlpg', 'of #PF'))),
  seq(entry, maybe(of('. writable', '. user')), '=', expression),
  seq(entry, entryFlag, some(entryFlag, 2)),
  seq('page', plain, maybe('not'), of('write_protected', 'unsync', 'tracked')),
  seq('dirty', 'slot', plain, '[', maybe(list(rangeOrOne)), ']'),
  seq('word', plain, '=', expression),
  seq(register, '=', expression),
);
const events = seq('events', list(seq(of('kvm_exit', 'kvm_page_fault'), maybe(seq('(', BREAK, maybe(list(field)), BREAK, ')')))));
const expect = seq('expect', fc.oneof(list(expectation), events), maybe(under));
const expects = fc.array(seq(maybe(NEWLINE), expect), { maxLength: 3 }).map((all) => all.flat());

const setting = (lines: fc.Arbitrary<Atoms>): fc.Arbitrary<Atoms> => {
  const separator = fc.constantFrom<Atoms>([], [NEWLINE]);
  return fc
    .tuple(separator, fc.array(fc.tuple(lines, separator), { maxLength: 4 }))
    .map(([first, all]) => ['{', ...first, ...all.flatMap(([line, end]) => [...line, ...end]), '}']);
};
const slot = seq(
  'slot', plain,
  setting(fc.oneof(seq(of('gpa', 'size', 'hva'), number), of('readonly', 'log_dirty', 'populated'))),
); // prettier-ignore

const area = seq(of('gpa', 'hva'), rangeOrOne);
const hostAct = fc.oneof(
  seq('create', slot),
  seq('delete', 'slot', plain),
  seq(of('move', 'resize'), 'slot', plain, 'to', plain),
  seq('flags', 'slot', plain, of('none', 'log_dirty', 'log_dirty readonly')),
  seq(of('get dirty log', 'clear dirty log'), 'slot', plain),
  seq('clear dirty log', 'slot', plain, 'pages', range),
  seq(of('reclaim', 'split', 'collapse'), area),
  seq('protect', area, of('ro', 'rw')),
  seq('write', area, '=', expression),
  of('zap all'),
  seq('nr_mmu_pages', plain),
);

const lines = (item: fc.Arbitrary<Atoms>, maxLength: number): fc.Arbitrary<Atoms> =>
  fc.oneof(
    fc.array(seq(item, NEWLINE), { maxLength }).map((all) => ['{', NEWLINE, ...all.flat(), '}']),
    seq('{', item, '}'),
  );

const { script } = fc.letrec<{ statement: Atoms; script: Atoms }>((tie) => ({
  script: lines(tie('statement'), 4),
  statement: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    seq(
      maybe(of('user', 'supervisor', 'implicit')),
      fc.oneof(
        seq(of('read', 'fetch'), expression),
        seq('write', expression, maybe(seq('=', expression))),
        seq('rmw', expression, maybe(seq('+=', expression))),
      ),
      maybe(seq('size', plain)), maybe(seq('x', number)), maybe(seq('step', plain)), maybe(seq('ac', plain)),
      expects,
    ), // prettier-ignore
    seq(entry, maybe(of('. writable', '. user')), '=', expression, expects),
    seq('word', plain, '=', expression, maybe(seq('size', plain)), expects),
    seq(register, '=', expression, expects),
    seq('invlpg', expression, expects),
    seq(of('invpcid all', 'invpcid non_global', 'invept all', 'invvpid all'), expects),
    seq('invpcid', maybe(plain), 'pcid', plain, expects),
    seq('invvpid', fc.oneof(plain, of('non_global')), 'vpid', plain, expects),
    seq(of('vmlaunch', 'vmresume l2', 'vmrun'), expects),
    seq(of('touch', 'dirty'), '(', BREAK, maybe(list(expression)), BREAK, ')', expects),
    seq('host', hostAct, expects),
    seq('const', name, '=', expression),
    expect,
    of('same', 'check invariants'),
    seq('same', under),
    seq('host', lines(seq(hostAct, expects), 3)),
    seq(of('l2', 'vcpu 1', 'l2 vcpu boot'), ':', fc.oneof(tie('script'), seq('read', plain, expects))),
    seq('for', name, 'in', range, maybe(seq('step', plain)), tie('script')),
    seq(under, tie('script')),
    seq('user read', plain, 'on fault', tie('script'), expects),
  ),
}));

const mapping = seq(range, '->', plain, some(mappingFlag));
const tablesItem = fc.oneof(
  mapping,
  mapping,
  seq('const', name, '=', plain),
  seq('entry', plain, 'level', plain, '=', plain),
  seq('upper', range, 'level', plain, of('ro', 'user')),
  seq('table', plain, 'level', plain, 'at', plain),
  seq('share', name, rangeOrOne, maybe(seq('level', plain))),
  seq('for', name, 'in', range, lines(mapping, 3)),
);
const { vm } = fc.letrec<{ vm: Atoms; vmItem: Atoms }>((tie) => ({
  vm: seq('vm', name, lines(tie('vmItem'), 5)),
  vmItem: fc.oneof(
    { depthSize: 'small' },
    slot,
    slot,
    seq(of('mmu soft', 'hypervisor script', 'vpid 3')),
    seq('vcpu', maybe(of('0', 'boot')), setting(fc.oneof(of('cr3 kernel', 'paging 4-level', 'cr0 . wp off', 'cpl 3')))),
    seq('vcpu', '{', 'on fault', script, '}'),
    seq('tables', name, maybe(of('ept', 'pae', '4-level')), maybe(seq('at', rangeOrOne)), lines(tablesItem, 5)),
    seq('word', plain, '=', expression, maybe(seq('size', plain))),
    seq('load "dump"', 'at', plain),
    seq('for', name, 'in', range, lines(seq('word', plain, '=', plain), 2)),
    tie('vm'),
  ),
}));
const host = seq(
  'host',
  setting(of('memory 64M', 'maxphyaddr 40', 'tlb off', 'tlb { l1 16 x 4 }', 'cpu { nx off }', 'kvm { kernel 6.1 prefetch off }')),
);
const item = fc.oneof(
  seq('import', of('"a.mmu"')),
  seq('const', name, '=', expression),
  host,
  seq('budget', setting(of('steps 10', 'memory 1M'))),
  vm,
  seq('block', name, '(', maybe(list(name)), ')', script),
  seq('run', maybe(name), maybe(of('"title"')), maybe(under), script),
  seq('run', script),
);

const COMMENTS = ['// c', '//', '/* c */', '// ⟶ 𝄞'];
const spaces = fc.constantFrom(' ', ' ', ' ', '  ', '\t', ' /* c */ ', ' /**/ ');
const newlines = fc.constantFrom(
  '\n',
  '\n',
  '\n',
  '\n\n',
  '\n\n\n',
  '  // c\n',
  '\n  // c\n',
  '\n\n// a\n// b\n\n',
  ' /* c */\n',
  '\n/* a\n * b\n */\n',
  '\n/* c */ ',
);

/** Signs that need no space around them. */
const NARROW = new Set(['(', ')', '[', ']', ',', ':', '.']);

function render(atoms: Atoms, gaps: () => string, ends: () => string): string {
  let text = '';
  atoms.forEach((atom, index) => {
    if (atom === NEWLINE) text += ends();
    else if (atom === BREAK) text += index % 3 === 0 ? ends() : '';
    else {
      const isSize = /^\+[^=]/.test(atom);
      const tight = !isSize && (NARROW.has(atom) || NARROW.has(atoms[index - 1] ?? ''));
      const gap = gaps();
      text += index === 0 ? atom : (tight && !gap.includes('/') && gap !== '\t' ? '' : gap) + atom;
    }
  });
  return text;
}

/** Text of a whole scenario without syntax errors. */
export const scenario: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(seq(item, NEWLINE), { minLength: 1, maxLength: 5 }),
    fc.array(spaces, { minLength: 1, maxLength: 40 }),
    fc.array(newlines, { minLength: 1, maxLength: 40 }),
    fc.boolean(),
  )
  .map(([items, gaps, ends, windows]) => {
    let gap = 0;
    let end = 0;
    const text = render(items.flat(), () => gaps[gap++ % gaps.length]!, () => ends[end++ % ends.length]!); // prettier-ignore
    return windows ? text.replaceAll('\n', '\r\n') : text;
  });

/** Pieces of scenarios, to be put together in any order. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        ...'{ } ( ) [ ] , : . + +4K - -> .. = += == <= < # #PF " "x // /* */ 0x 0x1 4-level 6.1 1__0 \n \n \r ~ | & * ! 𝄞 user read write expect under on fault vm guest run slot 0 tables kernel vcpu host { x size level at pages const for in block import not same word l2 level ok exits events kvm_exit create mmu soft constructor __proto__'.split(
          ' ',
        ),
        ...COMMENTS,
      ),
      { maxLength: 120 },
    )
    .map((parts) => parts.join(' ')),
  fc.tuple(scenario, fc.nat(), fc.nat({ max: 60 }), fc.string({ maxLength: 5 })).map(([text, at, length, more]) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + more + text.slice(from + length);
  }),
);
