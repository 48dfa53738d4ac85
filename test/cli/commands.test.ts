import { strict as assert } from 'node:assert';
import { commandHelp, COMMANDS, generalHelp, parseCommand } from '../../server/src/cli/commands';
import { InputError } from '../../server/src/cli/io';

const command = (name: string) => COMMANDS.find((each) => each.name === name)!;

describe('arguments of the command line', () => {
  it('are parsed by each command', () => {
    const { positionals, options } = parseCommand(command('run'), ['--mmu', 'ept', 'a.mmu', '--format=json']);
    assert.deepEqual([...positionals], ['a.mmu']);
    assert.equal(options.mmu, 'ept');
    assert.equal(options.format, 'json');
  });

  it('that a command does not take are refused in words', () => {
    const refused: [string, string[], RegExp][] = [
      ['run', [], /^mmu run: needs FILE$/],
      ['run', ['a', 'b'], /^mmu run: takes FILE, not b$/],
      ['run', ['a', '--mmu', 'vtd'], /^mmu run: --mmu takes soft, ept, npt, not vtd$/],
      ['run', ['a', '--color'], /^mmu run: Unknown option '--color'$/],
      ['lsp', ['a'], /^mmu lsp: takes no argument, not a$/],
      ['translate', ['a'], /^mmu translate: needs FILE ADDRESS$/],
    ];
    for (const [name, args, message] of refused) {
      assert.throws(
        () => parseCommand(command(name), args),
        (error) => error instanceof InputError && message.test(error.message),
      );
    }
  });

  it('are described by help', () => {
    assert.match(generalHelp(), /^usage: mmu COMMAND/);
    // What commands do stands two blanks behind the longest of them.
    const column = 4 + Math.max(...COMMANDS.map(({ name, takes }) => `${name} ${takes}`.trimEnd().length));
    for (const each of COMMANDS) {
      assert.match(generalHelp(), new RegExp(`^  ${each.name} `, 'm'));
      assert.equal(generalHelp().split('\n').find((line) => line.endsWith(each.about))!.length - each.about.length, column, each.name); // prettier-ignore
      for (const option of Object.keys(each.options)) assert.match(commandHelp(each), new RegExp(`^  --${option}\\b`, 'm'));
    }
  });
});
