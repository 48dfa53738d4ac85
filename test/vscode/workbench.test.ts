import { strict as assert } from 'node:assert';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Version } from '../../scripts/vscode-host/lay.mjs';
import { packageExtension } from '../../scripts/vscode-host/package.mjs';
import { Workbench } from './workbench';

const ROOT = join(import.meta.dirname, '..', '..');
const VERSION = (process.env.MMU_VSCODE ?? 'stable') as Version;
const SHOTS = join(ROOT, 'out', 'screenshots');

const COMMANDS = ['Run Scenario', 'Run to Cursor', 'Show Trace', 'Show Translation of Address', 'Restart Language Server'];

/** One after the other, as a person goes on. */
describe(`the packaged extension in VS Code (${VERSION})`, () => {
  let workbench: Workbench;
  const shot = (name: string) => workbench.page.screenshot({ path: join(SHOTS, `${VERSION}-${name}.png`) });

  before(async () => {
    mkdirSync(SHOTS, { recursive: true });
    workbench = await Workbench.open(VERSION, process.env.MMU_VSIX ?? packageExtension(), join(ROOT, 'samples'));
  });
  after(() => workbench?.close());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed' && workbench) await shot('failure');
  });

  it('opens a scenario in its language, with what each statement came to', async () => {
    await workbench.openFile('first-touch.mmu');
    await workbench.page.locator('[id="status.editor.mode"]', { hasText: 'MMU Scenario' }).waitFor();
    await workbench.page
      .locator('.view-line', { hasText: /→\s*hpa/ })
      .first()
      .waitFor();
    await workbench.page.locator('.codelens-decoration', { hasText: 'Show Trace' }).first().waitFor();
    await shot('hints');
  });

  it('underlines what is wrong, and no longer once it is mended', async () => {
    const { page } = workbench;
    await workbench.click('cr3 kernel');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.type('x');
    await page.locator('.squiggly-error').first().waitFor();
    await shot('squiggle');
    await page.keyboard.press('Backspace');
    await page.waitForFunction(() => !document.querySelector('.squiggly-error'));
  });

  it('shows the whole way of an address on hover', async () => {
    await workbench.page
      .locator('.view-line', { hasText: /→\s*hpa/ })
      .first()
      .waitFor();
    const shown = await workbench.hover('0x40_0123');
    for (const part of ['PML4', 'PDPT', 'PD', 'PT', '0x20_0123', 'slot 0']) assert.ok(shown.includes(part), `no ${part} in ${shown}`);
    await workbench.page.waitForTimeout(300);
    await shot('hover');
    await workbench.page.keyboard.press('Escape');
  });

  it('completes what can stand there, the usual first', async () => {
    const { page } = workbench;
    await workbench.click('invlpg 0x40_0000');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('read 0x40_0000 expect ');
    await page.keyboard.press('Control+Space');
    const rows = page.locator('.suggest-widget.visible .monaco-list-row .label-name');
    await rows.first().waitFor();
    assert.equal((await rows.first().innerText()).trim(), 'ok');
    await shot('completion-expect');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await page.keyboard.type('host create slot 2 { gpa ');
    await page.keyboard.press('Control+Space');
    await rows.first().waitFor();
    await shot('completion-gpa');
    await page.keyboard.press('Escape');
    await workbench.command('File: Revert File');
    await page.locator('.view-line', { hasText: 'create' }).waitFor({ state: 'detached' });
  });

  it('offers its commands in the palette', async () => {
    await workbench.click('cr3 kernel');
    const titles = await workbench.offered('MMU: ');
    for (const title of COMMANDS)
      assert.ok(
        titles.some((each) => each.startsWith(`MMU: ${title}`)),
        `no ${title} among ${titles.join(', ')}`,
      );
    await shot('palette');
    await workbench.page.keyboard.press('Escape');
  });

  it('opens the trace panel beside the scenario', async () => {
    await workbench.command('MMU: Show Trace');
    await workbench.panel.locator('.row.statement').first().waitFor();
    assert.equal(await workbench.panel.getByRole('radiogroup', { name: 'Run', exact: true }).getByRole('radio').count(), 3);
  });

  it('goes from a step to its line, and from a line to its step', async () => {
    const { panel } = workbench;
    await panel.getByRole('searchbox').fill('user write');
    await panel.locator('.row.statement', { hasText: 'user write' }).first().click();
    await panel.locator('.detail .came-to .source', { hasText: 'user write' }).waitFor();
    await workbench.cursorAt(Number(/line (\d+)/.exec(await panel.locator('.detail .place').innerText())?.[1]));
    await panel.getByRole('searchbox').fill('');
    await workbench.click('user fetch');
    await panel.locator('.row.selected.statement', { hasText: 'user fetch' }).waitFor();
  });

  it('draws the way of an access under each kind of MMU', async () => {
    const { panel } = workbench;
    await workbench.click('user read', 1);
    await panel.locator('.row.selected.statement', { hasText: 'user read' }).waitFor();
    for (const kind of ['soft', 'ept', 'npt']) {
      await panel.getByRole('radio', { name: new RegExp(`under ${kind}`) }).click();
      await panel.locator('.tab.chosen', { hasText: kind }).waitFor();
      // Another run is shown at the same statement.
      await panel.locator('.row.selected.statement', { hasText: 'user read' }).waitFor();
      await panel.locator('.list').focus();
      // Steps are folded at first.
      await workbench.page.keyboard.press('ArrowRight');
      await panel.locator('.row', { hasText: 'access' }).first().waitFor();
      await workbench.page.keyboard.press('ArrowDown');
      await panel.locator('.detail h3', { hasText: 'access' }).waitFor();
      await panel.locator('.figure [data-part]').first().waitFor();
      await shot(`panel-${kind}`);
      await workbench.page.keyboard.press('ArrowUp');
      await panel.locator('.row.selected.statement').waitFor();
      await panel.locator('.detail .came-to .source', { hasText: 'user read' }).waitFor();
    }
  });

  it('has room for both when the side bar is closed', async () => {
    const { page, panel } = workbench;
    await panel.getByRole('radio', { name: /under ept/ }).click();
    await panel.locator('.tab.chosen', { hasText: 'ept' }).waitFor();
    await workbench.sideBar(false);
    await workbench.click('user write');
    await panel.locator('.row.selected.statement', { hasText: 'user write' }).waitFor();
    await panel.locator('.list').focus();
    await page.keyboard.press('ArrowRight');
    const changes = panel.locator('.title.mmu ~ section .changes');
    for (let i = 0; i < 30 && (await changes.count()) === 0; i++) {
      await page.keyboard.press('ArrowDown');
      await page.waitForTimeout(200);
    }
    await changes.waitFor();
    await page.mouse.move(0, 0);
    await shot('both');
    await workbench.sideBar(true);
  });

  it('shows the translation of the address at the cursor', async () => {
    await workbench.click('0x7fff_f008');
    await workbench.command('MMU: Show Translation of Address');
    await workbench.panel.getByRole('heading', { name: /Translation of/ }).waitFor();
    await shot('translation');
  });

  it('keeps the panel over a reload of the window', async () => {
    const { panel } = workbench;
    await panel.getByRole('radio', { name: /under ept/ }).click();
    await panel.locator('.tab.chosen', { hasText: 'ept' }).waitFor();
    await workbench.click('user fetch');
    await panel.locator('.row.selected.statement', { hasText: 'user fetch' }).waitFor();
    await workbench.reload();
    await panel.locator('.tab.chosen', { hasText: 'ept' }).waitFor();
    await panel.locator('.row.selected', { hasText: 'user fetch' }).waitFor();
  });

  const THEMES: readonly [string, string, string][] = [
    ['light', 'Light Modern', 'vs'],
    ['high-contrast', 'Dark High Contrast', 'hc-black'],
    ['high-contrast-light', 'Light High Contrast', 'hc-light'],
    ['dark', 'Dark Modern', 'vs-dark'],
  ];
  for (const [name, theme, className] of THEMES) {
    it(`looks as the theme asks: ${name}`, async () => {
      await workbench.theme(theme, className);
      await workbench.panel.locator('.row.statement').first().waitFor();
      await shot(`theme-${name}`);
    });
  }
});
