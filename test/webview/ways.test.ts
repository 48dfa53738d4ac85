/** The detail of steps of real runs: statement, way of the address, before and after; under every kind of MMU. */
import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { PanelSite } from './page';
import { THEMES } from './themes';

const ROOT = join(import.meta.dirname, '..', '..');
const SHOTS = join(ROOT, 'out', 'screenshots');

/** Line 10 reads, 11 is denied, 12 is in no slot, 13 is not mapped in the guest; 14 expects what does not hold. */
const scenario = (kind: string) => `vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 {
    0x40_0000 +8K -> 0x20_0000 rw user
    0x40_2000 +4K -> 0x20_2000 ro user
    0x50_0000 +4K -> 0xd000_0000 rw user
  }
  vcpu { cr3 kernel }
}
run guest under ${kind} {
  user read 0x40_0000
  user write 0x40_2000   expect #PF(P W U)
  user read 0x50_0000    expect mmio read
  user read 0x60_0000    expect ok
}
`;

const sample = (name: string) => readFileSync(join(ROOT, 'samples', name), 'utf8');

describe('the way of an address in the trace panel', () => {
  let site: PanelSite;
  before(async () => {
    mkdirSync(SHOTS, { recursive: true });
    site = await PanelSite.open();
  });
  after(() => site?.close());

  const select = async (page: Page, line: number, event: string | null = null) => {
    await page.evaluate(([at, name]) => window.live.stepAt(at, name), [line, event] as const);
    await page.locator('.detail .place', { hasText: `line ${line}` }).waitFor();
    if (event) await page.locator('.title h3', { hasText: event }).waitFor();
  };
  const texts = (all: Locator) => all.allTextContents();
  const titles = (page: Page) => page.locator('.figure .title').evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')));
  /** What stands in the line of addresses, in order. */
  const strip = (page: Page) => texts(page.locator('.figure .along :is(.space, .link)'));

  describe('of one guest', () => {
    let page: Page;
    afterEach(() => page?.close());

    it('says how the statement came out, with the entry that decides, in the colour of the outcome', async () => {
      page = await site.live(scenario('ept'));
      await select(page, 12);
      const statement = page.locator('.came-to');
      assert.equal(await statement.locator('.source').innerText(), 'user write 0x40_2000');
      assert.match(await statement.locator('.verdict.fault').innerText(), /^#PF\(P W U\): PT\[2\]\.R\/W = 0, user write/);
      assert.match(await statement.locator('.cost').innerText(), /^no exit|exit/);
      assert.deepEqual(await texts(statement.locator('.expectations .held .expected')), ['#PF(P W U)']);
      assert.equal(await page.locator('.verdict.ok').count(), 0);
      await select(page, 14);
      assert.deepEqual(await texts(statement.locator('.expectations .failed :is(.expected, .got)')), ['ok', '#PF(U) at 0x60_0000']);
      await select(page, 13);
      assert.match(await statement.locator('.verdict.mmio').innerText(), /^MMIO read: gpa 0xd000_0000 is in no slot/);
      await select(page, 11);
      assert.match(await statement.locator('.verdict.ok').innerText(), /^→ hpa 0x/);
    });

    it('is shown before and after, which is remembered', async () => {
      page = await site.live(scenario('ept'));
      await select(page, 11, 'access');
      const chosen = page.locator('.when .chosen');
      assert.equal(await chosen.innerText(), 'after');
      assert.match((await page.locator('.figure .verdict .what').first().textContent())!, /^→ hpa/);
      await page.getByRole('radio', { name: 'before' }).click();
      const first = await page.locator('.figure .verdict.first').getAttribute('aria-label');
      assert.equal(first, 'exits first: EPT violation: EPT4[0] is not present, reading PML4[0]');
      await select(page, 12);
      assert.equal(await chosen.innerText(), 'before');
      await page.reload();
      await page.locator('.when .chosen', { hasText: 'before' }).waitFor();
    });

    it('has the state after a step beside what the step changed', async () => {
      page = await site.live(scenario('soft'));
      await select(page, 11, 'kvm_mmu_set_spte');
      const leaf = page.locator('.figure .entry.shadow').nth(3);
      const last = page.locator('.figure .stop:not(.along)').last();
      assert.match((await leaf.getAttribute('aria-label'))!, /; 0x\S+ \(was 0x0\): P /);
      assert.equal(await leaf.locator('.change').count(), 1);
      assert.equal(await last.locator('.space').textContent(), 'HPA');
      await leaf.focus();
      assert.deepEqual(await texts(page.locator('.entry-line :is(del, ins)')), ['0x0', await leaf.locator('.value').textContent()]);
      await page.getByRole('radio', { name: 'before' }).click();
      assert.equal(await leaf.locator('.value').textContent(), '0x0, not present');
      assert.notEqual(await last.locator('.space').textContent(), 'HPA');
    });

    it('numbers the references, each guest entry at the end of its row', async () => {
      page = await site.live(scenario('ept').replace('vm guest', 'host { tlb off }\nvm guest').replace('11', '12'));
      await select(page, 12);
      const guest = page.locator('.figure .entry.guest');
      assert.deepEqual(await texts(guest.locator('.label')), ['PML4[0]', 'PDPT[0]', 'PD[2]', 'PT[0]']);
      assert.deepEqual(await texts(guest.locator('.number')), ['5', '10', '15', '20']);
      assert.deepEqual(
        (await texts(page.locator('.figure .number'))).map(Number),
        Array.from({ length: 24 }, (_, i) => i + 1),
      );
    });

    it('is gone through by keys, and plays', async () => {
      page = await site.live(scenario('ept').replace('vm guest', 'host { tlb off }\nvm guest').replace('11', '12'));
      await select(page, 12);
      const focused = () => page.evaluate(() => document.activeElement!.querySelector('.number')?.textContent ?? null);
      await page.locator('.figure [tabindex="0"]').focus();
      const seen: (string | null)[] = [await focused()];
      for (const key of ['End', 'ArrowLeft', 'ArrowUp', 'ArrowRight', 'ArrowRight', 'Home']) {
        await page.keyboard.press(key);
        seen.push(await focused());
      }
      assert.deepEqual(seen, ['1', '24', '23', '18', '19', '20', '1']);
      const count = page.locator('.player output');
      assert.equal(await count.innerText(), '24 / 24');
      await page.getByRole('button', { name: 'Before the first reference' }).click();
      assert.deepEqual([await count.innerText(), await page.locator('.figure .later .number').count()], ['0 / 24', 24]);
      await page.getByRole('button', { name: 'Next reference' }).click();
      assert.match(await page.locator('.entry-line').innerText(), /^EPT EPT4\[0\]/);
      await page.keyboard.press('.');
      assert.deepEqual([await count.innerText(), await texts(page.locator('.figure .now .number'))], ['2 / 24', ['2']]);
      await page.keyboard.press(',');
      assert.equal(await count.innerText(), '1 / 24');
      await page.getByRole('button', { name: 'Play' }).click();
      await page.locator('.player output', { hasText: '3 / 24' }).waitFor();
      await page.getByRole('button', { name: 'Play' }).click();
    });

    it('is that of any step of the run, by a slider', async () => {
      page = await site.live(scenario('ept'));
      await select(page, 11);
      const slider = page.getByRole('slider', { name: 'Step of the run' });
      const place = page.locator('.detail .place');
      const step = Number(await slider.inputValue());
      assert.match((await place.textContent())!, new RegExp(`^step ${step} `));
      await slider.focus();
      await page.keyboard.press('ArrowRight');
      await place.filter({ hasText: `step ${step + 1} ` }).waitFor();
      await page.keyboard.press('End');
      await place.filter({ hasText: `step ${await slider.getAttribute('max')} ` }).waitFor();
      await page.locator('.list').focus();
      await page.keyboard.press('Home');
      await place.filter({ hasText: 'step 0 ' }).waitFor();
      assert.equal(await slider.inputValue(), '0');
    });

    it('shows the addresses in their spaces to scale on demand', async () => {
      page = await site.live(scenario('ept'));
      await select(page, 11);
      await page.getByRole('button', { name: 'to scale' }).click();
      assert.deepEqual(await texts(page.locator('.figure .scale .space')), ['GPA', 'HVA', 'HPA']);
      assert.deepEqual(await page.evaluate(() => window.live.misplaced()), []);
      await select(page, 12);
      assert.deepEqual(await strip(page), ['GVA']);
      await select(page, 11);
      assert.equal(await page.locator('.figure .scale').count(), 3);
      await page.getByRole('button', { name: 'to scale' }).click();
      assert.deepEqual(await strip(page), ['GVA', 'PT', 'GPA', 'slot 0', 'HVA', 'host page of 4K', 'HPA']);
    });

    it('marks the bit that denies, and what is not reached', async () => {
      page = await site.live(scenario('ept'));
      await select(page, 12);
      assert.deepEqual(await texts(page.locator('.figure .entry.decides.fault .denies')), ['R/W']);
      assert.equal(await page.locator('.figure .strike').count(), 1);
      // It is told of without being asked for.
      assert.match(await page.locator('.entry-line').innerText(), /^PT PT\[2\]/);
      assert.deepEqual(await strip(page), ['GVA']);
      assert.ok((await page.locator('.figure .entry.unreached').count()) > 0);
    });

    it('draws the shadow tables as a walk of their own', async () => {
      page = await site.live(scenario('soft'));
      await select(page, 11);
      assert.deepEqual(await titles(page), ["PT, the guest's, walked by L0 alone", "SPT, L0's, in hardware"]);
      assert.deepEqual(await strip(page), ['GVA', 'PT', 'GPA', 'slot 0', 'HVA', 'host page of 4K', 'HPA']);
    });

    it('is of an address that was asked for by itself', async () => {
      page = await site.live(scenario('npt'));
      await page.evaluate(() => window.live.translate(12, '0x40_0123'));
      await page.getByRole('heading', { name: 'Translation of gva 0x40_0123' }).waitFor();
      assert.match((await page.locator('.figure .verdict.ok').textContent())!, /_?0123$/);
    });

    it('asks for what a rule means', async () => {
      page = await site.live(scenario('ept'));
      await select(page, 12);
      await page.locator('.figure .verdict').click();
      await page.waitForFunction(() => window.live.said.some((each) => each.type === 'explain'));
      assert.deepEqual(
        (await page.evaluate(() => window.live.said)).find((each) => each.type === 'explain'),
        { type: 'explain', section: 'read-only' },
      );
    });
  });

  /** Beside an editor, a whole window, a large one, a projector at 200 %, and less than the figure needs. */
  const SIZES = [[690, 810], [1440, 900], [1920, 1080], [960, 540], [480, 800]] as const; // prettier-ignore

  const MEMORY = ['L1 slot 0', 'L1 page of 4K', 'GPA', 'L0 slot 0', 'HVA', 'L0 page of 4K', 'HPA'];
  const NESTED = [
    {
      name: 'hard-on-hard',
      line: 30,
      tables: [
        "PT2, L2's, in hardware · EPT02, L0's, in hardware",
        "EPT12, L1's, walked by L0 alone",
        "EPT01, L0's, not used while L2 runs",
      ],
    },
    { name: 'soft-on-hard', line: 30, tables: ["PT2, L2's, walked by L1 alone", "SPT12, L1's, in hardware · EPT01g, L0's, in hardware"] },
    {
      name: 'soft-on-soft',
      line: 30,
      tables: ["PT2, L2's, walked by L1 alone", "SPT12, L1's, walked by L0 alone", "SPT02, L0's, in hardware"],
    },
  ];
  for (const { name, tables } of NESTED) {
    it(`pairs slots and pages with the addresses that they are of, ${name}`, async () => {
      const text = sample(`nested/${name}.mmu`);
      const page = await site.live(text, { width: 1440, height: 900 });
      await select(page, 1 + text.split('\n').findIndex((line) => /^ +user (read|write|fetch)/.test(line)));
      assert.deepEqual(await strip(page), ['NGVA', 'PT2', 'NGPA', ...MEMORY]);
      assert.deepEqual(await titles(page), tables);
      assert.deepEqual(await page.evaluate(() => window.live.misplaced()), []);
      await page.screenshot({ path: join(SHOTS, `way-${name}.png`), fullPage: true });
      await page.close();
    });
  }

  it('follows a page that L1 has elsewhere than its slot', async () => {
    const page = await site.live(`vm l1 {
  mmu ept
  hypervisor script
  slot 0 { gpa 0  size 32M }
  tables ept12 ept at 0x8000 { 0 +64K -> 0x40_0000   0x1_0000 +4K -> 0x90_0000 }
  vcpu { paging none }
  vm l2 {
    mmu ept
    root ept12
    slot 0 { gpa 0  size 1M  hva 0x40_0000 }
    tables process at 0x1000 { 0x40_0000 +4K -> 0x1_0000 rw user }
    vcpu { cr3 process }
  }
}
run l1 {
  vmlaunch l2
  l2: user read 0x40_0000
}
`);
    await select(page, 17);
    assert.deepEqual(await strip(page), ['NGVA', 'PT2', 'NGPA', 'EPT12', 'GPA', 'L0 slot 0', 'HVA', 'L0 page of 4K', 'HPA']);
    assert.ok((await texts(page.locator('.figure .along .address'))).includes('0x90_0000'));
    await page.close();
  });

  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
    it(`can be read in ${theme}`, async () => {
      for (const [kind, line] of [
        ['ept', 11],
        ['ept', 12],
        ['soft', 11],
      ] as const) {
        const page = await site.live(scenario(kind), { theme, width: 690, height: 810 });
        await select(page, line);
        for (const [width, height] of SIZES) {
          await page.setViewportSize({ width, height });
          await page.waitForTimeout(50);
          await page.screenshot({ path: join(SHOTS, `panel-${kind}-${line}-${theme}-${width}.png`) });
          assert.deepEqual(await page.evaluate(() => window.live.misplaced()), [], `${width} × ${height}`);
        }
        const low = await page.evaluate(() => window.live.lowContrast());
        assert.deepEqual(low, []);
        await page.close();
      }
    });
  }
});
