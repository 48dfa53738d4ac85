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
  /** What stands in the line of addresses, in order. */
  const strip = (page: Page) => texts(page.locator('.strip .stop .space, .strip .stop .label'));

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
      assert.match(await page.locator('.result .verdict').first().innerText(), /^→ hpa/);
      await page.getByRole('radio', { name: 'before' }).click();
      assert.match(await page.locator('.first .verdict.exit').innerText(), /^EPT violation: EPT4\[0\] is not present, reading PML4\[0\]/);
      await select(page, 12);
      assert.equal(await chosen.innerText(), 'before');
      await page.reload();
      await page.locator('.when .chosen', { hasText: 'before' }).waitFor();
    });

    it('has the state after a step beside what the step changed', async () => {
      page = await site.live(scenario('soft'));
      await select(page, 11, 'kvm_mmu_set_spte');
      const shadow = page.locator('.track.shadow');
      assert.equal(await shadow.locator('.station').last().locator('.space').innerText(), 'HPA');
      assert.deepEqual(await texts(shadow.locator('.structure').nth(3).locator('del')), ['0x0']);
      await page.getByRole('radio', { name: 'before' }).click();
      assert.deepEqual(await texts(shadow.locator('.station .space')), ['GVA']);
      assert.equal(await shadow.locator('.structure').nth(3).locator('.note').innerText(), 'not present');
    });

    it('counts the references, beneath each table those that translate its address', async () => {
      page = await site.live(scenario('ept').replace('vm guest', 'host { tlb off }\nvm guest').replace('11', '12'));
      await select(page, 12);
      const track = page.locator('.track');
      assert.equal(await track.count(), 1);
      assert.deepEqual(await texts(track.locator('.structure .label')), ['PML4', 'PDPT', 'PD', 'PT']);
      assert.deepEqual(await texts(track.locator('.structure .reference')), ['5', '10', '15', '20']);
      assert.equal(await track.locator('.beneath').count(), 5);
      assert.deepEqual(
        (await texts(track.locator('.reference'))).map(Number).sort((a, b) => a - b),
        Array.from({ length: 24 }, (_, i) => i + 1),
      );
    });

    it('marks the bit that denies, and what is not reached', async () => {
      page = await site.live(scenario('ept'));
      await select(page, 12);
      const denies = page.locator('.structure.decides.fault .bit.denies');
      assert.deepEqual(await denies.evaluateAll((all) => all.map((each) => each.firstChild?.textContent)), ['R/W']);
      assert.deepEqual(await strip(page), ['GVA']);
      assert.ok((await page.locator('.beneath .unreached').count()) > 0);
    });

    it('draws the shadow tables as a way of their own', async () => {
      page = await site.live(scenario('soft'));
      await select(page, 11);
      assert.deepEqual(await texts(page.locator('.track h4')), ["PT, the guest's, walked by L0 alone", "SPT, L0's, in hardware"]);
      assert.deepEqual(await texts(page.locator('.track').nth(1).locator('.station .space')), ['GVA', 'HPA']);
      assert.deepEqual(await strip(page), ['GVA', 'PT', 'GPA', 'slot 0', 'HVA', 'host page of 4K', 'HPA']);
    });

    it('is of an address that was asked for by itself', async () => {
      page = await site.live(scenario('npt'));
      await page.evaluate(() => window.live.translate(12, '0x40_0123'));
      await page.getByRole('heading', { name: 'Translation of gva 0x40_0123' }).waitFor();
      assert.match(await page.locator('.result .verdict.ok').innerText(), /_?0123$/);
    });

    it('asks for what a rule means', async () => {
      page = await site.live(scenario('ept'));
      await select(page, 12);
      await page.locator('.came-to .explained').click();
      await page.waitForFunction(() => window.live.said.some((each) => each.type === 'explain'));
      assert.deepEqual(
        (await page.evaluate(() => window.live.said)).find((each) => each.type === 'explain'),
        { type: 'explain', section: 'read-only' },
      );
    });
  });

  const MEMORY = ['L1 slot 0', 'L1 page of 4K', 'GPA', 'L0 slot 0', 'HVA', 'L0 page of 4K', 'HPA'];
  const NESTED = [
    { name: 'hard-on-hard', line: 30, tables: ["PT2, L2's, in hardware · EPT02, L0's, in hardware", "EPT12, L1's, walked by L0 alone"] },
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
      assert.deepEqual(await texts(page.locator('.track h4')), tables);
      // Every walk begins and ends with an address of its own: nothing hangs below another's.
      for (const track of await page.locator('.track').all()) {
        const spaces = await texts(track.locator('.station .space'));
        assert.ok(spaces.length >= 2 && !spaces.includes('HVA'), spaces.join());
      }
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
    assert.ok((await texts(page.locator('.strip .address'))).includes('0x90_0000'));
    await page.close();
  });

  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
    it(`can be read in ${theme}`, async () => {
      for (const [kind, line] of [
        ['ept', 11],
        ['ept', 12],
        ['soft', 11],
      ] as const) {
        const page = await site.live(scenario(kind), { theme, width: 1000, height: 900 });
        await select(page, line);
        await page.screenshot({ path: join(SHOTS, `panel-${kind}-${line}-${theme}.png`) });
        await page.setViewportSize({ width: 560, height: 1000 });
        await page.screenshot({ path: join(SHOTS, `panel-${kind}-${line}-${theme}-narrow.png`) });
        const low = await page.evaluate(() => window.live.lowContrast());
        assert.deepEqual(low, []);
        await page.close();
      }
    });
  }
});
