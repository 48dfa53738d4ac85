/** A workbench in a browser, with the packaged extension installed, and what a person does in it. */
import { strict as assert } from 'node:assert';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { launchBrowser } from '../../scripts/vscode-host/browser.mjs';
import { EditorServer } from '../../scripts/vscode-host/editor-server.mjs';
import { layVscode } from '../../scripts/vscode-host/lay.mjs';
import type { Version } from '../../scripts/vscode-host/lay.mjs';
import { installExtension, Profile } from '../../scripts/vscode-host/profile.mjs';
import type { Settings } from '../../scripts/vscode-host/profile.mjs';

const QUIET: Settings = {
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.reduceMotion': 'on',
  'editor.minimap.enabled': false,
  'editor.hover.delay': 100,
  'editor.cursorBlinking': 'solid',
  'git.enabled': false,
};

export class Workbench {
  private constructor(
    private readonly profile: Profile,
    private readonly server: EditorServer,
    private readonly browser: Browser,
    readonly page: Page,
  ) {}

  /** @param samples the workspace; a copy of it is opened */
  static async open(version: Version, vsix: string, samples: string): Promise<Workbench> {
    const vscode = layVscode(version);
    const profile = Profile.temporary(QUIET);
    await installExtension(vscode, profile, vsix);
    const folder = join(profile.root, 'samples');
    cpSync(samples, folder, { recursive: true });
    const server = await EditorServer.start(vscode, profile);
    const browser = await launchBrowser();
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(30_000);
    const workbench = new Workbench(profile, server, browser, page);
    await page.goto(server.url({ folder }));
    await workbench.isUp();
    return workbench;
  }

  async isUp(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor();
    await this.page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    this.profile.remove();
  }

  /** By VS Code's own command: it keeps its state first, which a reload of the page may cut short. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.command('Developer: Reload Window');
    await loaded;
    await this.isUp();
  }

  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    await this.pick(name);
    await this.page.locator('.tabs-container .tab.active', { hasText: name }).waitFor();
    await this.page.locator('.editor-instance .view-line').first().waitFor();
  }

  async sideBar(shown: boolean): Promise<void> {
    await this.page.keyboard.press('Control+B');
    await this.page.locator('.part.sidebar .explorer-folders-view').waitFor({ state: shown ? 'visible' : 'hidden' });
  }

  /** Runs a command by its title. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.pick(title);
  }

  /** Titles of the commands that the palette offers for what is typed. */
  async offered(typed: string): Promise<string[]> {
    await this.page.keyboard.press('F1');
    await this.page.locator('.quick-input-widget input').first().waitFor();
    await this.page.keyboard.type(typed);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: typed }).first().waitFor();
    return this.page.locator('.quick-input-list .monaco-list-row .quick-input-list-label').allInnerTexts();
  }

  private async pick(text: string): Promise<void> {
    await this.page.locator('.quick-input-widget input').first().waitFor();
    await this.page.keyboard.type(text);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first().click();
  }

  /** The middle of a text on the screen. Playwright's own hover would scroll the editor's inner containers. */
  async pointOf(text: string, nth = 0): Promise<{ x: number; y: number }> {
    // A line is many elements, one a token, with unbreakable spaces: it is searched as one text.
    const find = ({ text, nth }: { text: string; nth: number }) => {
      let left = nth;
      for (const line of document.querySelectorAll('.editor-instance .view-lines .view-line')) {
        const start = line.textContent!.replaceAll('\u00a0', ' ').indexOf(text);
        if (start < 0 || left-- > 0) continue;
        const range = document.createRange();
        const nodes = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
        let before = 0;
        for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
          const { length } = node.textContent!;
          if (start >= before && start < before + length) range.setStart(node, start - before);
          if (start + text.length <= before + length) {
            range.setEnd(node, start + text.length - before);
            break;
          }
          before += length;
        }
        const { x, y, width, height } = range.getBoundingClientRect();
        return { x: x + width / 2, y: y + height / 2 };
      }
      return null;
    };
    const handle = await this.page.waitForFunction(find, { text, nth });
    const point = await handle.jsonValue();
    assert.ok(point, `«${text}» is not on the screen`);
    return point;
  }

  async hover(text: string, nth = 0): Promise<string> {
    const { x, y } = await this.pointOf(text, nth);
    await this.page.mouse.move(x - 4, y);
    await this.page.mouse.move(x, y, { steps: 4 });
    const shown = this.page.locator('.monaco-hover:visible .hover-contents').first();
    await shown.waitFor();
    // Shown until the run that an edit has begun is done.
    await this.page.locator('.monaco-hover:visible', { hasText: 'Loading...' }).waitFor({ state: 'detached' });
    return this.page.locator('.monaco-hover:visible').first().innerText();
  }

  async click(text: string, nth = 0): Promise<void> {
    const { x, y } = await this.pointOf(text, nth);
    await this.page.mouse.click(x, y);
  }

  /** The trace panel's page. */
  get panel(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  /** Waits until the cursor is on a line, counted from 1. */
  async cursorAt(line: number): Promise<void> {
    await this.page.locator('.editor-instance .line-numbers.active-line-number', { hasText: new RegExp(`^${line}$`) }).waitFor();
  }

  /** @param className what the workbench wears under that theme */
  async theme(name: string, className: string): Promise<void> {
    await this.command('Preferences: Color Theme');
    await this.pick(name);
    await this.page.locator(`.monaco-workbench.${className}`).first().waitFor();
    // The webview is told of the colours a moment later.
    await this.page.waitForTimeout(700);
  }
}
