/** A report in a browser: nothing is asked for from anywhere, nothing is wider than the page, text can be read in every preference, and it prints. */
import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { report } from '../../server/src/export/report/report';
import { runScript } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import { launchBrowser } from '../../scripts/vscode-host/browser.mjs';

const ROOT = join(import.meta.dirname, '..', '..');
const SHOTS = join(ROOT, 'out', 'screenshots');
const SAMPLE = join(ROOT, 'samples', 'nested', 'three-kinds.mmu');
const URI = 'file:///three-kinds.mmu';

const PREFERENCES = {
  light: { colorScheme: 'light', contrast: 'no-preference' },
  dark: { colorScheme: 'dark', contrast: 'no-preference' },
  'light-contrast': { colorScheme: 'light', contrast: 'more' },
  'dark-contrast': { colorScheme: 'dark', contrast: 'more' },
} as const;

const SIZES = { beside: [690, 900], alone: [1440, 900], projector: [960, 540] } as const;

describe('a report in a browser', () => {
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  before(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = (await launchBrowser()) as Browser;
    page = await browser.newPage();
    page.on('request', (request) => problems.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    const text = readFileSync(SAMPLE, 'utf8');
    const views = runScript(openScript(text, URI, { read: () => null }));
    await page.setContent([...report({ file: 'three-kinds.mmu', uri: URI, text, views })].join(''));
  });
  after(() => browser?.close());

  it('asks for nothing, and nothing is refused', () => assert.deepEqual(problems, []));

  it('fits the page in every size, in every preference', async () => {
    for (const [preference, media] of Object.entries(PREFERENCES)) {
      await page.emulateMedia(media);
      for (const [size, [width, height]] of Object.entries(SIZES)) {
        await page.setViewportSize({ width, height });
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, `${preference} ${size}`);
        await page.locator('figure').first().scrollIntoViewIfNeeded();
        await page.screenshot({ path: join(SHOTS, `report-${preference}-${size}.png`) });
      }
    }
  });

  it('opens steps without a script', async () => {
    const steps = page.locator('article details').first();
    await steps.locator('summary').click();
    assert.ok((await steps.locator('tbody tr').count()) > 5);
    assert.ok(await steps.locator('tbody tr').first().isVisible());
    await steps.locator('summary').click();
  });

  it('prints', async () => {
    const paper = await page.pdf({ format: 'A4' });
    assert.equal(paper.subarray(0, 5).toString(), '%PDF-');
    const pages = paper.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    assert.ok(pages >= 4, `${pages} pages`);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const white = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(white, 'rgb(255, 255, 255)', 'paper is white, whatever is preferred on screen');
    await page.setViewportSize({ width: 720, height: 1018 });
    await page.screenshot({ path: join(SHOTS, 'report-print.png') });
  });
});
