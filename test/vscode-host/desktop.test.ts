import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { desktopVscode, programOf } from '../../scripts/vscode-host/desktop.mjs';

describe('the desktop VS Code of this machine', () => {
  let root: string;
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'desktop-')));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const file = (path: string): string => {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, '');
    return at;
  };

  for (const [system, command, program] of [
    ['Linux', 'share/code/bin/code', 'share/code/code'],
    ['macOS', 'Code.app/Contents/Resources/app/bin/code', 'Code.app/Contents/MacOS/Electron'],
    ['Windows', 'Microsoft VS Code/bin/code.cmd', 'Microsoft VS Code/Code.exe'],
  ]) {
    it(`is the program behind the command, as ${system} lays it`, () => {
      const [commandAt, programAt] = [file(command), file(program)];
      assert.equal(programOf(commandAt), programAt);
    });
  }

  it('is found through a link on the path, where there is a screen', () => {
    const [command, program] = [file('share/code/bin/code'), file('share/code/code')];
    mkdirSync(join(root, 'bin'));
    symlinkSync(command, join(root, 'bin/code'));
    assert.equal(desktopVscode({ PATH: join(root, 'bin'), DISPLAY: ':0' }), program);
    assert.equal(desktopVscode({ PATH: join(root, 'elsewhere'), DISPLAY: ':0' }), null);
  });

  it('is what VSCODE_EXECUTABLE names', () => assert.equal(desktopVscode({ VSCODE_EXECUTABLE: 'here', PATH: root }), 'here'));
});
