/** The tabs Totals and Compare, of real runs: what they say is what the worker counts; by keys; in four themes and at the sizes of a panel. */
import { strict as assert } from 'node:assert';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PanelSite } from './page';
import { THEMES } from './themes';

const SHOTS = join(import.meta.dirname, '..', '..', 'out', 'screenshots');

const SCENARIO = `vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 {
    0x40_0000 +256K -> 0x20_0000 rw user
    0x50_0000 +4K -> 0xd000_0000 rw user
  }
  vcpu { cr3 kernel }
}
block touch(a) {
  user read a
  user write a
}
run guest under soft, ept {
  user write 0x40_0000 x 64 step 4K
  touch(0x40_0000)
  for i in 0..4 { touch(0x40_1000 + i * 4K) }
  user read 0x50_0000   expect mmio read
  user fetch 0x60_0000  expect #PF(U I), exits 1
}
`;

/** Sizes of a panel: beside an editor, alone, on a projector at 200 %. */
const SIZES = { beside: [690, 900], alone: [1440, 900], projector: [960, 540] } as const;

describe('totals and comparison in the trace panel', () => {
  let site: PanelSite;
  let page: Page;
  before(async () => {
    mkdirSync(SHOTS, { recursive: true });
    site = await PanelSite.open();
  });
  afterEach(() => page?.close());
  after(() => site?.close());

  const tab = (name: string) => page.getByRole('tab', { name });
  const counts = (caption: RegExp) => page.locator('table.counts', { has: page.locator('caption', { hasText: caption }) });

  it('counts the whole run', async () => {
    page = await site.live(SCENARIO);
    await tab('Totals').click();
    assert.deepEqual(
      await counts(/exits? by reason/)
        .locator('tr')
        .allInnerTexts(),
      ['EXCEPTION_NMI\t66\t\t'],
    );
    assert.match(await counts(/kvm_stat/).innerText(), /pf_fixed\t6[45]\b/);
    assert.deepEqual(await page.locator('.parts thead th').allInnerTexts(), ['Line', 'Part', 'Times', 'Exits', 'References', 'Events']);
  });

  it('counts a statement or a block that is chosen, by keys', async () => {
    page = await site.live(SCENARIO);
    await tab('Totals').click();
    assert.ok((await page.locator('.totals .scrolled').boundingBox())!.height > 60, 'the list of parts is there whole');
    await page.locator('.parts .link', { hasText: 'block touch' }).focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('.totals .title h3').innerText(), 'block touch');
    assert.equal(await counts(/exits? by reason/).count(), 0, 'reads and writes again cost none');
    await page.locator('.parts .link', { hasText: 'user write 0x40_0000 x 64 step 4K' }).click();
    assert.deepEqual(
      await counts(/exits? by reason/)
        .locator('tr')
        .allInnerTexts(),
      ['EXCEPTION_NMI\t64\t\t'],
    );
    await page.locator('.totals .title .link', { hasText: 'line 14' }).click();
    const said = await page.evaluate(() => window.live.said.at(-1));
    assert.deepEqual([said?.type, (said as { line: number }).line], ['reveal', 13]);
  });

  it('follows the chosen run', async () => {
    page = await site.live(SCENARIO);
    await tab('Totals').click();
    await page.getByRole('radio', { name: /under ept/ }).click();
    await counts(/exits? by reason/)
      .locator('tr', { hasText: 'EPT_VIOLATION' })
      .waitFor();
  });

  it('shows the run beside another one', async () => {
    page = await site.live(SCENARIO);
    await tab('Compare').click();
    assert.equal(await page.locator('.compare select').inputValue(), '1.1');
    assert.match(await page.locator('.compare p.sum').innerText(), /^3 of 5 statements differ/);
    const rows = page.locator('.beside tbody tr');
    assert.match(await rows.first().innerText(), /64 × EXCEPTION_NMI[\s\S]*\d+ × EPT_VIOLATION/);
    const all = await rows.count();
    await page.getByLabel('differences only').check();
    assert.ok((await rows.count()) < all);
    await page.locator('.compare select').selectOption('before');
    await page.locator('.compare .hint', { hasText: 'first that was run' }).waitFor();
  });

  it('has no text of low contrast, and nothing beyond the edge, in every theme and size', async () => {
    for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
      for (const [size, [width, height]] of Object.entries(SIZES)) {
        page = await site.live(SCENARIO, { theme, width, height });
        await page.getByRole('radio', { name: /under ept/ }).click();
        for (const name of ['Totals', 'Compare']) {
          await tab(name).click();
          await page
            .locator(name === 'Totals' ? '.counts' : '.beside')
            .first()
            .waitFor();
          assert.deepEqual(await page.evaluate(() => window.live.lowContrast()), [], `${name} ${theme} ${size}`);
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, `${name} ${theme} ${size}`);
          await page.screenshot({ path: join(SHOTS, `${name.toLowerCase()}-${theme}-${size}.png`) });
        }
        await page.close();
      }
    }
  });
});
