import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { PanelSite } from './page';

const MILLION = 1_000_000;

const selectedStep = (page: Page) => page.locator('.row.selected .number').innerText();
const grid = (page: Page) => page.getByRole('treegrid', { name: 'Steps of the run' });
const said = (page: Page, type: string) => page.evaluate((wanted) => window.fake.said.filter((each) => each.type === wanted), type);

describe('trace panel in a browser', () => {
  let site: PanelSite;
  before(async () => (site = await PanelSite.open()));
  after(() => site?.close());

  describe('a run of a million steps', () => {
    let page: Page;
    before(async () => (page = await site.page(MILLION)));
    after(() => page?.close());

    const scrollTo = async (part: number) => {
      await page
        .locator('.scroller')
        .evaluate((scroller, to) => (scroller.scrollTop = to * (scroller.scrollHeight - scroller.clientHeight)), part);
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      await page.waitForFunction(() => document.querySelectorAll('.row.loading:not([hidden])').length === 0);
    };

    it('says how many there are', async () => {
      assert.equal(await grid(page).getAttribute('aria-rowcount'), String(MILLION + 1));
      assert.match(await page.locator('.count').innerText(), /1,000,000 steps/);
    });

    it('is asked for by range and never held: rows and questions are few wherever it is scrolled to', async () => {
      for (const part of [0.1, 0.5, 0.9, 0.25, 1]) await scrollTo(part);
      assert.ok((await page.locator('.row').count()) < 100);
      const asked = (await said(page, 'needRows')) as { count: number }[];
      assert.ok(asked.length < 40, `${asked.length} questions`);
      assert.ok(asked.every(({ count }) => count <= 256));
    });

    it('shows its very last step at the end, and its first at the beginning', async () => {
      await scrollTo(1);
      assert.equal(await page.locator('.row .number', { hasText: String(MILLION - 1) }).count(), 1);
      await scrollTo(0);
      assert.ok((await page.locator('.row .number').allInnerTexts()).includes('0'));
    });

    it('goes down row by row with the wheel', async () => {
      await scrollTo(0.5);
      const first = () =>
        page.evaluate(() =>
          Math.min(...[...document.querySelectorAll('.row:not([hidden]) .number')].map((each) => Number(each.textContent))),
        );
      const before = await first();
      await page.locator('.scroller').hover();
      await page.mouse.wheel(0, 240);
      await page.waitForFunction(
        (old) => Math.min(...[...document.querySelectorAll('.row:not([hidden]) .number')].map((each) => Number(each.textContent))) > old,
        before,
      );
      assert.equal((await first()) - before, 10);
    });

    it('has each row once, in order, without gaps', async () => {
      await scrollTo(0.7);
      const steps = (await page.locator('.row:visible .number').allInnerTexts()).map(Number).sort((a, b) => a - b);
      assert.deepEqual(
        steps,
        steps.map((_, i) => steps[0] + i),
      );
    });

    it('goes to a step that was chosen in the source', async () => {
      await page.evaluate(() => window.fake.post({ type: 'select', runId: 'run-ept', step: 777_777 }));
      await page.locator('.row.selected .number', { hasText: '777777' }).waitFor();
      await page.locator('.detail .place', { hasText: 'step 777777' }).waitFor();
    });
  });

  describe('with the keyboard', () => {
    let page: Page;
    beforeEach(async () => {
      page = await site.page(5000);
      await page.locator('.row.selected').waitFor();
      await grid(page).focus();
    });
    afterEach(() => page?.close());

    const press = async (key: string, expected: number) => {
      await page.keyboard.press(key);
      await page
        .locator('.row.selected .number')
        .filter({ hasText: new RegExp(`^${expected}$`) })
        .waitFor();
    };

    it('moves by row, by page and to the ends', async () => {
      await press('ArrowDown', 1);
      await press('ArrowDown', 2);
      await press('ArrowUp', 1);
      await press('End', 4999);
      await press('ArrowDown', 4999);
      await press('Home', 0);
      await page.keyboard.press('PageDown');
      await page.waitForFunction(() => Number(document.querySelector('.row.selected .number')?.textContent) > 5);
      const page1 = Number(await selectedStep(page));
      await press('PageDown', 2 * page1);
      await press('PageUp', page1);
    });

    it('tells screen readers where it is', async () => {
      await press('ArrowDown', 1);
      const active = await grid(page).getAttribute('aria-activedescendant');
      const row = page.locator(`#${active}`);
      assert.equal(await row.getAttribute('aria-selected'), 'true');
      assert.equal(await row.getAttribute('aria-rowindex'), '3');
      assert.equal(await row.getByRole('gridcell').count(), 4);
      assert.equal(await page.locator('.row[aria-selected="true"]').count(), 1);
    });

    it('asks for the detail of where it comes to rest, not of every row passed', async () => {
      const before = (await said(page, 'needDetail')).length;
      for (let i = 0; i < 31; i++) await page.keyboard.down('ArrowDown');
      await page.locator('.detail .place', { hasText: 'step 31 ' }).waitFor();
      assert.ok((await said(page, 'needDetail')).length - before < 25);
    });

    it('opens the source with Enter', async () => {
      await press('ArrowDown', 1);
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => window.fake.said.some((each) => each.type === 'reveal'));
      assert.deepEqual(await said(page, 'reveal'), [{ type: 'reveal', runId: 'run-ept', line: 26, focus: true }]);
    });

    it('goes to the search field with / and back with the down arrow', async () => {
      await page.keyboard.press('/');
      assert.ok(await page.getByRole('searchbox').evaluate((each) => each === document.activeElement));
      await page.keyboard.press('ArrowDown');
      assert.ok(await grid(page).evaluate((each) => each === document.activeElement));
    });

    it('chooses another run with the arrows', async () => {
      await page.getByRole('radio', { name: /guest under ept/ }).focus();
      await page.keyboard.press('ArrowRight');
      await page.locator('.tab.chosen', { hasText: 'npt' }).waitFor();
      assert.ok(await page.locator('.tab.chosen').evaluate((each) => each === document.activeElement));
    });

    it('resizes the detail', async () => {
      const splitter = page.getByRole('separator');
      const before = (await page.locator('.detail').boundingBox())!.height;
      await splitter.focus();
      await page.keyboard.press('ArrowUp');
      assert.ok((await page.locator('.detail').boundingBox())!.height > before);
    });
  });

  describe('narrowed', () => {
    let page: Page;
    beforeEach(async () => (page = await site.page(3000)));
    afterEach(() => page?.close());

    it('to a kind, and back', async () => {
      const exits = page.getByRole('button', { name: 'exits' });
      await exits.click();
      await page.locator('.count', { hasText: '300 of 3,000 steps' }).waitFor();
      assert.equal(await exits.getAttribute('aria-pressed'), 'true');
      assert.deepEqual([...new Set(await page.locator('.row:visible .event').allInnerTexts())], ['kvm_exit']);
      await exits.click();
      await page.locator('.count', { hasText: /^3,000 steps/ }).waitFor();
    });

    it('to an actor', async () => {
      await page.getByRole('group', { name: 'Actors' }).getByRole('button', { name: 'KVM' }).click();
      await page.locator('.count', { hasText: '1,200 of 3,000' }).waitFor();
    });

    it('to a text, and says when there is none', async () => {
      await page.getByRole('searchbox').fill('spte_changed');
      await page.locator('.count', { hasText: '300 of 3,000' }).waitFor();
      await page.getByRole('searchbox').fill('no such event');
      await page.getByText('No step passes the filter').waitFor();
      await page.getByRole('searchbox').press('Escape');
      await page.locator('.count', { hasText: /^3,000 steps/ }).waitFor();
    });

    it('says that it is searching while a search takes long, until the rows come', async () => {
      await page.evaluate(() => (window.fake.settings.searching = 900));
      await page.getByRole('searchbox').fill('spte_changed');
      await page.locator('.count.searching', { hasText: 'Searching' }).waitFor();
      await page.locator('.count:not(.searching)', { hasText: '300 of 3,000' }).waitFor();
      await page.evaluate(() => (window.fake.settings.searching = 1));
      await page.getByRole('searchbox').press('Escape');
      await page.locator('.count', { hasText: /^3,000 steps/ }).waitFor();
    });

    it('keeps the selected step, or the one before it that is listed', async () => {
      await page.evaluate(() => window.fake.post({ type: 'select', runId: 'run-ept', step: 1508 }));
      await page.locator('.row.selected .number', { hasText: '1508' }).waitFor();
      await page.getByRole('button', { name: 'exits' }).click();
      await page.locator('.row.selected .number', { hasText: '1505' }).waitFor();
    });
  });

  describe('the detail of a step', () => {
    let page: Page;
    beforeEach(async () => (page = await site.page(1000)));
    afterEach(() => page?.close());
    const select = async (step: number, runId = 'run-ept') => {
      await page.evaluate((message) => window.fake.post(message), { type: 'select', runId, step } as const);
      await page.locator('.detail .place', { hasText: `step ${step} ` }).waitFor();
    };

    it('says what changed, digit by digit', async () => {
      await select(7);
      const row = page.locator('.changes tbody tr').nth(1);
      assert.equal(await row.locator('.from').innerText(), '0x20_0007');
      assert.deepEqual(await row.locator('.to mark').allInnerTexts(), ['6']);
      assert.equal(await row.locator('.note').innerText(), 'A, D set');
    });

    it('goes to the source by its link, and by a click on a row', async () => {
      await select(8);
      await page.locator('.detail .link').click();
      await page.locator('.row.exit').first().click();
      await page.waitForFunction(() => window.fake.said.filter((each) => each.type === 'reveal').length === 2);
      assert.deepEqual(
        (await said(page, 'reveal')).map((each) => (each as { focus: boolean }).focus),
        [true, false],
      );
    });
  });

  it('has a lane for each actor of a nested guest', async () => {
    const page = await site.page(1000);
    await page.getByRole('radio', { name: /under nested/ }).click();
    await page.locator('.tab.chosen', { hasText: 'nested' }).waitFor();
    assert.deepEqual(await page.locator('.heading .lane-name').allInnerTexts(), ['L2', 'L1', 'CPU', 'L0', 'VMM']);
    await page.close();
  });

  it('says at which line a run to the cursor stops', async () => {
    const page = await site.page(1000);
    await page.evaluate(() => {
      const run = { runId: 'run-ept', uri: 'file:///first-touch.mmu', version: 1, name: 'guest under ept', index: 1, steps: 1000 };
      const stopped = { ...run, actors: ['processor' as const], until: 11, older: false, ended: 'done', passed: 1, failed: 0 };
      window.fake.post({ type: 'runs', runs: [stopped], selected: 'run-ept', file: 'first-touch.mmu' });
    });
    await page.locator('.tab.chosen .until', { hasText: 'stops at line 12' }).waitFor();
    await page.close();
  });

  it('keeps what was run, dimmed and marked, while the text has errors', async () => {
    const page = await site.page(1000);
    await page.locator('.row.selected').waitFor();
    const row = await page.locator('.row.selected').innerText();
    const older = (is: boolean) => page.evaluate((older) => window.fake.outdate(older), is);
    await older(true);
    await page.getByText('older', { exact: true }).waitFor();
    assert.ok(await page.locator('main.older').isVisible());
    assert.equal(await page.locator('.row.selected').innerText(), row);
    await older(false);
    await page.locator('main:not(.older)').waitFor();
    assert.ok(await page.getByText('older', { exact: true }).isHidden());
    await page.close();
  });

  it('ignores messages that it does not know, and late answers to an older filter', async () => {
    const page = await site.page(1000);
    await page.evaluate(() => {
      const post = window.fake.post as (message: unknown) => void;
      post({ type: 'nonsense' });
      post({ type: 'rows', runId: 'run-ept', query: -1, from: 0, rows: [], total: 7 });
      post({ type: 'detail', runId: 'run-old', detail: null });
    });
    await grid(page).focus();
    await page.keyboard.press('End');
    await page.locator('.row.selected .number', { hasText: '999' }).waitFor();
    await page.close();
  });

  it('is as it was after a reload', async () => {
    const page = await site.page(5000);
    await page.getByRole('radio', { name: /under npt/ }).click();
    await page.locator('.tab.chosen', { hasText: 'npt' }).waitFor();
    await grid(page).focus();
    await page.keyboard.press('End');
    await page.getByRole('button', { name: 'faults' }).click();
    await page.locator('.row.selected .number', { hasText: '36' }).waitFor();
    await page.reload();
    await page.locator('.tab.chosen', { hasText: 'npt' }).waitFor();
    await page.locator('.row.selected .number', { hasText: '36' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'faults' }).getAttribute('aria-pressed'), 'true');
    await page.close();
  });
});
