import { strict as assert } from 'node:assert';
import type { SelectionRange } from 'vscode-languageserver-types';
import { selectionRanges } from '../../server/src/services/selection-ranges';
import { signatureHelp } from '../../server/src/services/signature-help';
import { opened, URI } from '../support/scripts';

describe('signature help', () => {
  const BLOCK = '// Touches pages.\nblock touch(from, count) { read from x count step 4K }\nvm g { slot 0 { gpa 0 size 1M } }\n';
  function check(body: string, label: string | null, parameter = 0): void {
    const { analysis, cursor } = opened(`${BLOCK}run g { ${body} }\n`);
    const help = signatureHelp(analysis, cursor);
    assert.equal(help?.signatures[0].label ?? null, label);
    if (help) assert.equal(help.activeParameter, parameter);
  }
  it('shows the parameters of a block', () => check('touch(<|>1, 2)', 'touch(from, count)', 0));
  it('follows the commas', () => check('touch(1, <|>2)', 'touch(from, count)', 1));
  it('does not count commas in parentheses', () => check('touch((1 + 2) * 3, <|>2)', 'touch(from, count)', 1));
  it('shows the fields of an event, and follows their names', () => {
    check('read 0 expect events kvm_page_fault(<|>1)', 'kvm_page_fault(vcpu, address, error_code, level, actor)', 0);
    check('read 0 expect events kvm_page_fault(1, error_code <|>2)', 'kvm_page_fault(vcpu, address, error_code, level, actor)', 2);
    check('read 0 expect events nothing(<|>1)', null);
  });
  it('is none before the parentheses', () => check('to<|>uch(1, 2)', null));
  it('is none for a block that nothing defines', () => check('other(<|>1)', null));
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
