import { strict as assert } from 'node:assert';
import type { MarkupContent, SelectionRange, SignatureHelp } from 'vscode-languageserver-types';
import { selectionRanges } from '../../server/src/services/selection-ranges';
import { signatureHelp } from '../../server/src/services/signature-help';
import { opened, URI } from '../support/scripts';

describe('signature help', () => {
  const BLOCK = '// Touches pages.\nblock touch(from, count) { read from x count step 4K }\n';
  const GUEST = 'vm g { slot 0 { gpa 0 size 1M } tables kernel at 0x1000 { 0x40_0000 +2M -> 0x20_0000 rw } vcpu { cr3 kernel } }\n';

  function help(text: string, options: Partial<Parameters<typeof signatureHelp>[2]> = {}): SignatureHelp | null {
    const { analysis, cursor } = opened(text);
    return signatureHelp(analysis, cursor, { offsets: true, ...options });
  }

  /** The signature that is shown, its active part in brackets of its own. */
  function shown(text: string): string | null {
    const found = help(text);
    if (!found) return null;
    const { label, parameters, activeParameter } = found.signatures[found.activeSignature ?? 0];
    const part = parameters![activeParameter!].label;
    const [start, end] = typeof part === 'string' ? [label.indexOf(part), label.indexOf(part) + part.length] : part;
    return `${label.slice(0, start)}«${label.slice(start, end)}»${label.slice(end)}`;
  }

  describe('of a call and of an event', () => {
    function check(body: string, label: string | null, parameter = 0): void {
      const found = help(`${BLOCK}${GUEST}run g { ${body} }\n`);
      assert.equal(found?.signatures[0].label ?? null, label);
      if (found) assert.equal(found.activeParameter, parameter);
    }
    it('shows the parameters of a block', () => check('touch(<|>1, 2)', 'touch(from, count)', 0));
    it('follows the commas', () => check('touch(1, <|>2)', 'touch(from, count)', 1));
    it('stays with a value that is written', () => check('touch(1 <|>, 2)', 'touch(from, count)', 0));
    it('does not count commas in parentheses', () => check('touch((1 + 2) * 3, <|>2)', 'touch(from, count)', 1));
    it('shows the fields of an event, and follows their names', () => {
      check('read 0 expect events kvm_page_fault(<|>1)', 'kvm_page_fault(vcpu, address, error_code, level, actor)', 0);
      check('read 0 expect events kvm_page_fault(1, error_code <|>2)', 'kvm_page_fault(vcpu, address, error_code, level, actor)', 2);
      check('read 0 expect events kvm_page_fault(add<|>ress 2)', 'kvm_page_fault(vcpu, address, error_code, level, actor)', 1);
    });
    it('is none before the parentheses', () => check('to<|>uch(1, 2)', null));
    it('is the form of a call where nothing defines the block', () =>
      check('other(<|>1)', 'other(( <value> ( , … )* )?) ( expect … )*', 2));
  });

  describe('of what is written, by the grammar', () => {
    const ACCESS = '( size <bytes> | ac <on or off> | x <count> | step <step> )*';
    const BEHIND = '( on fault { … } )? ( expect … )*';
    const script = (line: string): string => `${GUEST}run g {\n  ${line}\n}\n`;

    it('marks what can come next in an access', () => {
      assert.equal(shown(script('user read 0x40_0000 <|>')), `user read <linear address> ( ( += | = ) <value> )? «${ACCESS}» ${BEHIND}`);
      assert.equal(shown(script('user <|>')), `user «( read | write | fetch | rmw )» <linear address> ( ( += | = ) <value> )? ${ACCESS} ${BEHIND}`);
    }); // prettier-ignore
    it('marks what must come, before what may', () =>
      assert.equal(shown(script('read 0 expect exits <|>')), 'exits ( == | <= | >= )? «<number>» ( of <exit reason> )? ( from <vm> )?'));
    it('marks the part of the token that follows', () =>
      assert.equal(shown(script('read 0 <|>x 5')), `( user | supervisor | implicit )? read <linear address> ( ( += | = ) <value> )? ( size <bytes> | ac <on or off> | «x <count>» | step <step> )* ${BEHIND}`)); // prettier-ignore
    it('marks the part of the token at the cursor', () =>
      assert.equal(shown(script('invpcid 0x1000 pcid 5<|>')), 'invpcid <linear address> pcid «<pcid>» ( expect … )*'));
    it('shows choices that are open', () =>
      assert.equal(
        shown(script('invpcid <|>')),
        'invpcid «( all | non_global | pcid <pcid> | <linear address> pcid <pcid> )» ( expect … )*',
      ));
    it('shows a choice that is made as it is made', () =>
      assert.equal(
        shown(script('host reclaim gpa 0 <|>')),
        'reclaim gpa <guest-physical address> «( .. <end> | + <length> )?» ( expect … )*',
      ));
    it('marks a setting in what it belongs to', () => {
      const rest = '( size | pages ) <size> | readonly | log_dirty | populated | untouched | hugetlbfs | address_space <number> )*';
      assert.equal(shown('vm g { slot 0 { gpa <|>'), `slot <id> { ( «( gpa | hva ) <address>» | ${rest} }`);
      assert.equal(shown('vm g { slot 0 { gpa 0 <|>'), `slot <id> { «( ( gpa | hva ) <address> | ${rest}» }`);
    });
    it('shows the block that a setting has', () =>
      assert.equal(shown('host { tlb { <|>'), 'tlb { «( ( l1 | l2 ) <sets> x <ways> | paging_structures <number> )*» }'));
    it('shows items of machines and of tables', () => {
      assert.equal(shown('vm g { tables kernel { 0x40_0000 <|>')!.split(' -> ')[0], '<linear address> «( .. <end> | + <length> )»');
      assert.equal(
        shown('vm g { tables kernel { share <|>'),
        'share «<tables>» <linear address> ( .. <end> | + <length> )? ( level <level> )?',
      );
      assert.equal(shown('run g <|>'), 'run g "title"? ( under … | with … )? «{ … }»');
    });
    it('lists the forms around, the innermost first', () =>
      assert.deepEqual(help(script('read 0 expect exits 1 <|>'))!.signatures.map(({ label }) => label.split(' ').slice(0, 2).join(' ')), ['exits (', 'expect <expectation>', '( user'])); // prettier-ignore
    it('is none where a statement begins, in a comment, or behind a whole line', () => {
      for (const line of ['<|>', 're<|>ad 0', '// read <|>', 'read 0 expect ok\n  <|>']) assert.equal(shown(script(line)), null, line);
    });
    it('goes on in the next line where something is missing', () =>
      assert.equal(shown(script('read 0 expect ok,\n    <|>')), 'expect «<expectation> ( , … )*» ( under … | with … )?'));
    it('says what words and values mean', () => {
      const { signatures, activeParameter } = help(script('read 0 x <|>'))!;
      const [{ documentation, parameters }] = signatures;
      assert.match((documentation as MarkupContent).value, /^\*\*read\*\* · statement/);
      const about = (parameters![activeParameter!].documentation as MarkupContent).value;
      assert.match(about, /^\*\*x\*\* · clause[^]*Number of repetitions[^]*\*count\*: How many times/);
    });
    it('is asked for by a space only where something must stand', () => {
      assert.equal(help(script('read 0 <|>'), { afterSpace: true }), null);
      assert.notEqual(help(script('read <|>'), { afterSpace: true }), null);
    });
    it('gives texts of parameters to editors that take no places', () => {
      const { signatures, activeParameter } = help(script('read <|>'), { offsets: false })!;
      assert.equal(signatures[0].parameters![activeParameter!].label, '<linear address>');
    });
  });
});

describe('selection ranges', () => {
  it('grow from the word outwards', () => {
    const { analysis, cursor, text } = opened('run g { user read 0x40_<|>0000 + 4 expect ok }');
    const { start } = analysis.locate(URI, { start: cursor, end: cursor }).range;
    const texts: string[] = [];
    for (let range: SelectionRange | undefined = selectionRanges(analysis, [start])[0]; range; range = range.parent) {
      texts.push(text.slice(analysis.offsetAt(range.range.start), analysis.offsetAt(range.range.end)));
    }
    assert.deepEqual(texts.slice(0, 3), ['0x40_0000', '0x40_0000 + 4', 'user read 0x40_0000 + 4 expect ok']);
    assert.equal(texts.at(-1), text);
  });
});
