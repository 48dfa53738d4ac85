/** The list of a real run: folding, keys, filters, copying, presentation. */
import { strict as assert } from 'node:assert';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PanelSite } from './page';
import { THEMES } from './themes';

const SHOTS = join(import.meta.dirname, '..', '..', 'out', 'screenshots');

const SCENARIO = `vm guest {
  slot 0 { gpa 0  size 16M  log_dirty }
  tables kernel at 0x1000 { 0x40_0000 +8K -> 0x20_0000 rw user  0x40_2000 +4K -> 0x20_2000 ro user }
  vcpu { cr3 kernel }
}
run guest under ept {
  user read 0x40_0000        expect ok
  user write 0x40_2000 = 1   expect ok
  host get dirty log slot 0
  user read 0x40_1000 x 300
}
`;

describe('the list of steps of a real run', () => {
  let site: PanelSite;
  let page: Page;
  before(async () => (site = await PanelSite.open()));
  after(() => site?.close());
  afterEach(() => page?.close());

  const open = async () => {
    page = await site.live(SCENARIO);
    // The first statement is chosen.
    await page.locator('.row.fold.selected', { hasText: 'user read 0x40_0000' }).waitFor();
    await page.getByRole('treegrid').focus();
  };
  const chosen = () => page.locator('.row.selected');
  const stepShown = async () => Number((/step (\d+)/.exec(await page.locator('.detail .place').innerText()) ?? [])[1]);
  /** The marked row and the detail are of the same step, which has this in it. */
  const at = async (text: string | RegExp) => {
    await chosen().filter({ hasText: text }).waitFor();
    const step = Number(await chosen().locator('.number').innerText());
    await page.locator('.detail .place', { hasText: new RegExp(`step ${step}( |$)`) }).waitFor();
    assert.equal(await stepShown(), step);
    return step;
  };

  it('begins with a line a statement: outcome, exits, changes, expectations', async () => {
    await open();
    assert.equal(await page.locator('.row:visible').count(), 5);
    const lines = await page.locator('.row.fold').evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll('.source, .outcome, .exits, .marks')].map((each) => each.textContent))); // prettier-ignore
    assert.equal(lines[0][0], 'set-up');
    assert.match(lines[1].join(' | '), /^user read 0x40_0000 \| → hpa 0x\S+ \| \d+ × EPT_VIOLATION \| ✓$/);
    assert.match(lines[2].join(' | '), /^user write 0x40_2000 = 1 \| #PF\(P W U\) \|.*\| ✗$/);
    assert.equal(lines[3][0], 'get dirty log slot 0');
  });

  it('unfolds by click and by key, and folds again', async () => {
    await open();
    await page.locator('.row.fold', { hasText: 'user read 0x40_0000' }).locator('.twisty').click();
    await page.locator('.row .event', { hasText: 'kvm_exit' }).first().waitFor();
    const row = page.locator('.row.fold', { hasText: 'user read 0x40_0000' });
    assert.equal(await row.getAttribute('aria-expanded'), 'true');
    await page.getByRole('treegrid').focus();
    await at('user read 0x40_0000');
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => document.querySelectorAll('.row:not([hidden])').length === 5);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => !document.querySelector('.row.selected')?.classList.contains('fold'));
    await page.keyboard.press('ArrowLeft');
    await at('user read 0x40_0000');
  });

  it('unfolds and folds all', async () => {
    await open();
    await page.keyboard.press('+');
    await page.waitForFunction(() => Number(document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount')) > 300);
    await page.keyboard.press('-');
    await page.waitForFunction(() => document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') === '6');
    await page.getByRole('button', { name: 'Unfold all' }).click();
    await page.waitForFunction(() => Number(document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount')) > 300);
  });

  it('goes to exits, faults, changes and statements by keys, into what is folded; row and detail are of one step', async () => {
    await open();
    await page.keyboard.press('e');
    const first = await at('kvm_exit');
    await page.keyboard.press('e');
    await page.waitForFunction((step) => Number(document.querySelector('.row.selected .number')?.textContent) > step, first);
    const second = await at('kvm_exit');
    await page.keyboard.press('E');
    await page.waitForFunction((step) => Number(document.querySelector('.row.selected .number')?.textContent) < step, second);
    assert.equal(await at('kvm_exit'), first);
    await page.keyboard.press('f');
    await at('kvm_page_fault');
    await page.keyboard.press('S');
    await at('user read 0x40_0000');
    await page.keyboard.press('c');
    assert.ok((await at(/./)) > 0);
    await page.locator('.detail .changes').waitFor();
  });

  it('shows the same step in row and detail when it is narrowed', async () => {
    await open();
    await page.getByRole('button', { name: 'TLB' }).click();
    await page.locator('.row .event', { hasText: /^tlb_/ }).first().waitFor();
    await page.getByRole('button', { name: 'TLB' }).click();
    await page.getByRole('button', { name: 'changes' }).click();
    await page.waitForFunction(() => !document.querySelector('.row.fold'));
    await at(/./);
    await page.getByRole('button', { name: 'changes' }).click();
    await page.getByRole('button', { name: 'VMM' }).click();
    await at(/./);
    assert.ok(await page.locator('.row', { hasText: 'get dirty log slot 0' }).isVisible(), 'the VMM does it');
    assert.equal(await page.locator('.row', { hasText: 'user read' }).count(), 0);
  });

  it('copies the steps that are marked as kernel text', async () => {
    await open();
    await page.keyboard.press('e');
    const step = await at('kvm_exit');
    await page.keyboard.press('Shift+ArrowDown');
    await page.locator('.row.marked').waitFor();
    await page.keyboard.press('y');
    await page.waitForFunction(() => window.live.said.some(({ type }) => type === 'copySteps'));
    const said = await page.evaluate(() => window.live.said.find((each) => each.type === 'copySteps'));
    assert.deepEqual([said?.from, said?.to], [step, step + 1]);
    const menu = JSON.parse((await chosen().getAttribute('data-vscode-context'))!) as { webviewSection: string; from: number };
    assert.deepEqual([menu.webviewSection, menu.from], ['step', step + 1]);
  });

  it('has a help of keys and filters, and a presentation of outcome and figure alone', async () => {
    await open();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys and filters' }).getByText('next, previous exit').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await at('user read 0x40_0000');
    await page.keyboard.press('p');
    await page.locator('.list').waitFor({ state: 'hidden' });
    assert.ok(await page.locator('.came-to .verdict').isVisible());
    // Keys go on.
    await page.keyboard.press('s');
    await page.locator('.came-to .source', { hasText: 'user write 0x40_2000' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.list').waitFor();
    assert.deepEqual(
      await page.evaluate(() => window.live.said.filter(({ type }) => type === 'present')),
      [true, false].map((on) => ({ type: 'present', on })),
    );
  });

  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[])
    it(`can be read in ${theme}`, async () => {
      mkdirSync(SHOTS, { recursive: true });
      for (const [width, height] of [
        [690, 900],
        [1440, 900],
        [960, 540],
      ] as const) {
        page = await site.live(SCENARIO, { theme, width, height });
        await page.locator('.row.fold').first().waitFor();
        assert.equal(await page.locator('.filters').evaluate((row) => row.getBoundingClientRect().height < 40), true, 'one row of filters');
        await page.screenshot({ path: join(SHOTS, `list-${width}-${theme}.png`) });
        assert.deepEqual(await page.evaluate(() => window.live.lowContrast()), []);
        await page.close();
      }
    });
});
