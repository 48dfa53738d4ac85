import { strict as assert } from 'node:assert';
import { stripVTControlCharacters } from 'node:util';
import { text } from '../../server/src/export/text';
import { statementOutcome } from '../../server/src/views/outcome';
import { smallRun } from './record';

const lines = (options: Partial<Parameters<typeof text>[1]> = {}) => [
  ...text([smallRun()], { colors: false, width: 0, journal: true, entries: false, ...options }),
];

describe('a run in the terminal', () => {
  it('shows statements, events and expectations', () => {
    assert.deepEqual(lines(), [
      'guest under ept',
      '─'.repeat(100),
      '  10  user read 0x40_0123 · → hpa 0x100_4123 · 1 exit (EPT_VIOLATION)',
      '      │ processor access                     user read 0x40_0123',
      '      │ L0        kvm_exit                   EPT_VIOLATION · 0x181 (read, not present, final)',
      '      │ L0        kvm_entry',
      '      ✓ ok',
      '      ✗ exits 0: got 1 exit: EPT_VIOLATION',
      '─'.repeat(100),
      '✗ 1 of 2 expectations failed · 1 exit · 4 events',
      '',
    ]);
  });

  it('leaves the journal out on request', () => {
    assert.equal(
      lines({ journal: false }).some((line) => line.includes('│')),
      false,
    );
  });

  it('is no wider than the terminal, colours not counted', () => {
    for (const width of [60, 80, 140]) {
      const plain = lines({ width, colors: true }).map((line) => stripVTControlCharacters(line));
      for (const line of plain) assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
    }
  });
});

describe('the outcome of a statement', () => {
  it('holds its acts and the expectations about it', () => {
    const outcome = statementOutcome(smallRun(), 0)!;
    assert.equal(outcome.text, '→ hpa 0x100_4123 · 1 exit');
    assert.equal(outcome.tone, 'failed');
    assert.equal(outcome.outcomes.length, 1);
    assert.equal(outcome.expectations.length, 2);
    assert.equal(statementOutcome(smallRun(), 2)!.expectations.length, 1);
    assert.equal(statementOutcome(smallRun(), 7), null);
  });
});
