/** The panel's State tab, on real runs: the tree with the keyboard alone, what a step changed, who wrote it, slots to scale. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { PanelSite } from './page';
import { THEMES } from './themes';

const FIRST_TOUCH = readFileSync('samples/first-touch.mmu', 'utf8');
const NESTED = readFileSync('samples/nested/three-kinds.mmu', 'utf8');
/** Line of the first statement of the sample. */
const FIRST = FIRST_TOUCH.split('\n').findIndex((line) => line.includes('user read')) + 1;

const many = `host { memory 1G }
vm guest {
  mmu soft
${Array.from({ length: 20 }, (_, i) => `  slot ${i} { gpa 0x${(i * 0x1000_0000).toString(16)} size ${1 << (i % 5)}M hva 0x7f00_${(0x100 * i).toString(16).padStart(4, '0')}_0000 }`).join('\n')}
  tables kernel at 0x1000 { 0x40_0000 +4K -> 0x2000 rw user }
  vcpu { cr3 kernel }
}
run guest under ept { user read 0x40_0000 }
`;

describe('the state in the panel', () => {
  let site: PanelSite;
  before(async () => (site = await PanelSite.open()));
  after(() => site?.close());

  const open = async (scenario = FIRST_TOUCH, line = FIRST, look = {}): Promise<Page> => {
    const page = await site.live(scenario, look);
    await page.evaluate((at) => window.live.stepAt(at), line);
    await page.getByRole('tab', { name: 'Step' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.node').first().waitFor();
    return page;
  };
  const tree = (page: Page) => page.getByRole('tree', { name: 'State of the machine' });
  const node = (page: Page, id: string) => page.locator(`[data-id="${id}"]`);
  const press = async (page: Page, ...keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };

  it('is a tab, chosen with the arrow keys and remembered', async () => {
    const page = await open();
    assert.equal(await page.getByRole('tab', { name: 'State' }).getAttribute('aria-selected'), 'true');
    assert.equal(await page.locator('.detail').isVisible(), false);
    await page.reload();
    await node(page, 'tables').waitFor();
    await press(page, 'Tab');
    await page.getByRole('tab', { name: 'State' }).focus();
    await press(page, 'ArrowLeft');
    assert.equal(await page.getByRole('tab', { name: 'Step' }).getAttribute('aria-selected'), 'true');
    assert.ok(await page.locator('.detail').isVisible());
    await page.close();
  });

  it('opens down to an entry and back with the keyboard alone', async () => {
    const page = await open();
    await tree(page).focus();
    await press(page, 'Home', 'ArrowRight', 'ArrowRight');
    await node(page, 'tables/own.0.0/0').waitFor();
    await press(page, 'ArrowRight');
    await page.locator('[data-id="tables/own.0.0/0"][aria-selected=true]').waitFor();
    await press(page, 'ArrowRight');
    await node(page, 'tables/own.0.0/0/0').waitFor();
    assert.equal(await node(page, 'tables/own.0.0/0/0').getAttribute('aria-level'), '4');
    await press(page, 'ArrowLeft', 'ArrowLeft', 'ArrowLeft');
    await node(page, 'tables/own.0.0/0').waitFor({ state: 'detached' });
    const active = await tree(page).getAttribute('aria-activedescendant');
    assert.equal(await page.locator(`#${active}`).getAttribute('data-id'), 'tables/own.0.0');
    await page.close();
  });

  it('shows only what a statement changed, opened down to it, value and value before', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'only what changed' }).click();
    const entry = node(page, 'tables/own.0.0/0/0/2/0');
    await entry.waitFor();
    assert.equal(await entry.locator('.was').innerText(), '0x20_0007');
    assert.equal(await entry.locator('.value').innerText(), '0x20_0027');
    assert.match(await entry.innerText(), /changed by this step/);
    assert.equal(await node(page, 'slots').count(), 0);
    await page.close();
  });

  it('goes to the step that wrote an entry, and to the entry that shadows it', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'only what changed' }).click();
    await node(page, 'tables/own.0.0/0/0/2/0').click();
    await page.locator('.origin .link', { hasText: 'shadowed by SPT PT[0]' }).click();
    await page.locator('[data-id^="shadow/0."][aria-selected=true]', { hasText: 'PT[0]' }).waitFor();
    await page.locator('[data-id^="shadow/0."][aria-selected=true]', { hasText: 'PT[0]' }).click();
    const writer = page.locator('.origin .link', { hasText: /^step \d+ · L0: / }).first();
    const step = /step (\d+)/.exec(await writer.innerText())![1];
    await writer.click();
    await page.locator('.row.selected .number', { hasText: new RegExp(`^${step}$`) }).waitFor();
    await page.locator('.state .of', { hasText: `after step ${step}` }).waitFor();
    await page.close();
  });

  it('asks for what is seen alone', async () => {
    const page = await site.live(FIRST_TOUCH);
    await page.evaluate((at) => window.live.stepAt(at), FIRST);
    await page.locator('.detail .came-to').waitFor();
    const asked = () => page.evaluate(() => window.live.said.filter(({ type }) => type === 'needState' || type === 'needMemory').length);
    assert.equal(await asked(), 0);
    await page.getByRole('tab', { name: 'State' }).click();
    await node(page, 'tables/own.0.0').waitFor();
    assert.equal(await asked(), 2, 'the top, and the page tables, which are open');
    await page.close();
  });

  it('draws twenty slots to scale, each with its name where there is room', async () => {
    const page = await open(many, many.split('\n').findIndex((line) => line.includes('user read')) + 1);
    await page.getByRole('button', { name: 'memory to scale' }).click();
    const strip = page.locator('.strip-of-slots');
    await strip.waitFor();
    assert.equal(await strip.locator('.slot').count(), 20);
    assert.match((await strip.getAttribute('aria-label'))!, /slot 19: gpa 0x1_3000_0000 \+16M/);
    const widths = await strip.locator('.slot').evaluateAll((boxes) => boxes.map((box) => box.getBoundingClientRect().width));
    assert.ok(Math.min(...widths) >= 5, String(widths));
    assert.ok(widths[4] > 3 * widths[1], 'a slot of 16M is longer than one of 2M');
    await page.close();
  });

  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[])
    it(`can be read in the theme ${theme}, narrow and wide`, async () => {
      for (const [width, height] of [
        [690, 900],
        [1440, 900],
        [960, 540],
      ]) {
        const page = await open(NESTED, NESTED.split('\n').findIndex((line) => line.includes('user read')) + 1, { theme, width, height });
        await page.getByRole('button', { name: 'memory to scale' }).click();
        await page.locator('.strip-of-slots').first().waitFor();
        assert.deepEqual(await page.evaluate(() => window.live.lowContrast()), []);
        const cut = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
        assert.equal(cut, false);
        await page.close();
      }
    });
});
