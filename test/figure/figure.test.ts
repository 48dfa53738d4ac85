/** The figure of a way: which rows and columns it has, what it says of each entry, how it uses the room that there is, and its SVG. */
import assert from 'node:assert/strict';
import { runScript } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import { figureOf } from '../../server/src/figure/figure';
import type { Box, Figure, Part, Text } from '../../server/src/figure/shapes';
import { svgFile, svgMarkup } from '../../server/src/figure/svg';
import type { TranslationView } from '../../server/src/protocol/translation';
import { accessNamed, translate } from '../../server/src/views/way/way';
import { HH, HH_NPT, L2, SH, SS, nestedRun } from '../views/nested-runs';
import type { NestedKinds } from '../views/nested-runs';
import { holdFigure } from './held';

/** The way of an access at the end of a run. */
function wayOf(kind: string, script: string, address: bigint, access = 'user read', host = 'tlb off', levels = ''): TranslationView {
  const text = `host { ${host} }
vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel ${levels} at 0x1000 {
    0x40_0000 +8K -> 0x20_0000 rw user
    0x40_2000 +4K -> 0x20_2000 ro user
    0x50_0000 +4K -> 0xd000_0000 rw user
  }
  vcpu { ${levels && `paging ${levels}`} cr3 kernel }
}
run guest under ${kind} {
  ${script}
}`;
  const [view] = runScript(openScript(text, 'file:///figure.mmu', { read: () => null }), {});
  return translate(view, { position: view.record.length, vm: 0, vcpu: 0 }, address, 'gva', accessNamed(access));
}

const words = ({ shapes }: Part): string[] => shapes.filter((each): each is Text => each.kind === 'text').map(({ text }) => text);
const ground = ({ shapes }: Part): Box => shapes.find((each): each is Box => each.kind === 'box' && each.look === 'ground')!;

/** Names of what stands in each row of boxes, from left to right. */
function rows({ parts }: Figure): string[] {
  const found = new Map<number, string[]>();
  for (const each of parts) {
    if (!/^(entry|stop)/.test(each.look) || /idle|resting/.test(each.look)) continue;
    const { y } = ground(each);
    const said = each.of
      ? `${each.of.entry.reference ?? ''}${each.of.entry.state === 'cached' ? '○' : ''}${each.of.entry.label}`
      : words(each)[0];
    found.set(y, [...(found.get(y) ?? []), said]);
  }
  return [...found.values()].map((row) => row.join(' '));
}

describe('the figure of a walk', () => {
  it('has a row for each guest level and a column for each of the second stage, numbered as the processor reads', () => {
    const figure = holdFigure(wayOf('ept', 'user read 0x40_0000', 0x40_0123n));
    assert.deepEqual(rows(figure), [
      'GPA 1EPT4 2EPT3 3EPT2 4EPT1 5PML4',
      'GPA 6EPT4 7EPT3 8EPT2 9EPT1 10PDPT',
      'GPA 11EPT4 12EPT3 13EPT2 14EPT1 15PD',
      'GPA 16EPT4 17EPT3 18EPT2 19EPT1 20PT',
      'GPA 21EPT4 22EPT3 23EPT2 24EPT1 HPA',
      'GVA GPA HVA HPA',
    ]);
    assert.deepEqual([figure.width, figure.height <= 300], [690, true]);
  });

  it('has one row for a walk in one dimension: shadow tables beneath those that they shadow', () => {
    const figure = holdFigure(wayOf('soft', 'user read 0x40_0000', 0x40_0123n));
    assert.deepEqual(rows(figure), ['GVA PML4 PDPT PD PT GPA', 'GVA 1PML4 2PDPT 3PD 4PT HPA', 'GVA GPA HVA HPA']);
    const titles = figure.parts.filter(({ look }) => look === 'title').map(({ name }) => name);
    assert.deepEqual(titles, ["PT, the guest's, walked by L0 alone", "SPT, L0's, in hardware"]);
  });

  it('leaves the column free at which a large page ends the second stage', () => {
    const figure = holdFigure(wayOf('npt', 'user read 0x40_0000', 0x40_0123n, 'user read', 'pages 2M tlb off'));
    assert.equal(rows(figure)[0], 'GPA 1NPT4 2NPT3 3NPT2 4PML4');
  });

  it('strikes the bit that decides through, with the outcome on top', () => {
    const figure = holdFigure(wayOf('ept', 'user write 0x40_2000', 0x40_2000n, 'user write', ''));
    const [top] = figure.parts;
    assert.deepEqual(
      [top.look, top.section, words(top).join(' ')],
      ['verdict fault', 'read-only', '#PF(P W U) : PT[2].R/W = 0, user write'],
    );
    const [deciding, ...more] = figure.parts.filter(({ look }) => look.includes('decides'));
    assert.equal(more.length, 0);
    const struck = deciding.shapes.filter(({ look }) => look === 'bit denies' || look === 'strike');
    assert.deepEqual(struck.map((each) => (each.kind === 'text' ? each.text : each.kind)), ['R/W', 'line']); // prettier-ignore
    // The page's own row is there, and is not come to.
    assert.ok(figure.parts.some(({ look }) => /^stop .*unreached/.test(look)));
  });

  it('says what caches spare, and what exits first', () => {
    const cached = holdFigure(wayOf('ept', 'user read 0x40_0000', 0x40_1000n, 'user read', ''));
    assert.equal(rows(cached)[3], 'GPA ○EPT4 ○EPT3 ○EPT2 ○EPT1 1PT');
    const mmio = holdFigure(wayOf('ept', 'user read 0x50_0000', 0x50_0000n));
    assert.deepEqual(
      mmio.parts.filter(({ look }) => look.startsWith('verdict')).map(({ look, name }) => [look, name]),
      [
        ['verdict mmio', 'MMIO read: gpa 0xd000_0000 is in no slot'],
        ['verdict exit first', 'exits first: EPT misconfiguration: EPT1[0] marks MMIO'],
      ],
    );
  });

  it('is as wide as five levels need, and as there is room for', () => {
    const way = wayOf('ept', 'user read 0x40_0000', 0x40_0123n, 'user read', 'tlb off', '5-level');
    assert.equal(rows(figureOf(way)).length, 7);
    for (const width of [300, 690, 960, 1400]) assert.ok(holdFigure(way, width).width >= width);
    assert.equal(holdFigure(way, 300).width, holdFigure(way, 310).width);
  });

  it('shows the addresses in their spaces to scale on demand, with slot and page', () => {
    const way = wayOf('ept', 'user read 0x40_0000', 0x40_0123n, 'user read', 'pages 2M tlb off');
    assert.deepEqual(
      way.maps.map(({ space, address, from, to, areas }) => [
        space,
        address,
        from,
        to,
        ...areas.map((each) => `${each.label} ${each.start} ${each.size} ${each.holds}`),
      ]),
      [
        ['GPA', '0x20_0123', '0x0', '0x100_0000', 'slot 0 0x0 0x100_0000 true'],
        ['HVA', '0x7f00_0020_0123', '0x7f00_0000_0000', '0x7f00_0100_0000', 'slot 0 0x7f00_0000_0000 0x100_0000 true'],
        ['HPA', way.stations.at(-1)!.address, '0x0', way.maps[2].to, `page of 2M ${way.maps[2].areas[0].start} 0x20_0000 true`],
      ],
    );
    const figure = figureOf(way, { scale: true });
    const bars = figure.parts.filter(({ look }) => look.startsWith('scale'));
    assert.deepEqual(bars.map(({ look }) => look), ['scale gpa', 'scale hva', 'scale hpa']); // prettier-ignore
    const [gpa, hva] = bars.map(({ shapes }) => shapes.find((each) => each.look === 'mark'));
    assert.ok(gpa?.kind === 'line' && hva?.kind === 'line' && Math.abs(gpa.points[0][0] - hva.points[0][0]) < 0.01);
  });

  const nestings: readonly (readonly [string, NestedKinds, readonly string[]])[] = [
    ['soft on soft', SS, ["PT2, L2's, walked by L1 alone", "SPT12, L1's, walked by L0 alone", "SPT02, L0's, in hardware"]],
    ['soft on ept', SH, ["PT2, L2's, walked by L1 alone", "SPT12, L1's, in hardware · EPT01g, L0's, in hardware"]],
    [
      'ept on ept',
      HH,
      ["PT2, L2's, in hardware · EPT02, L0's, in hardware", "EPT12, L1's, walked by L0 alone", "EPT01, L0's, not used while L2 runs"],
    ],
    [
      'npt on npt',
      HH_NPT,
      ["PT2, L2's, in hardware · NPT02, L0's, in hardware", "NPT12, L1's, walked by L0 alone", "NPT01, L0's, not used while L2 runs"],
    ],
  ];
  for (const [name, kinds, tables] of nestings) {
    it(`shows each table of a guest's guest, whose it is and who walks it (${name})`, () => {
      const view = nestedRun(kinds);
      const figure = holdFigure(translate(view, { position: view.record.length, ...L2 }, 0x40_0123n, 'gva'));
      assert.deepEqual(figure.parts.filter(({ look }) => look === 'title').map((each) => each.name), tables); // prettier-ignore
      assert.equal(rows(figure).at(-1), 'NGVA NGPA GPA HVA HPA');
      assert.ok(figure.height <= 300);
    });
  }
});

describe('SVG of a figure', () => {
  const figure = figureOf(wayOf('ept', 'user write 0x40_2000', 0x40_2000n, 'user write'));

  it('names every entry, and says which part each is', () => {
    const markup = svgMarkup(figure);
    const named = [...markup.matchAll(/<g class="entry [^>]* aria-label="([^"]+)" data-part="(\d+)"/g)];
    assert.equal(named.length, figure.parts.filter(({ of }) => of !== null).length);
    for (const [, name, index] of named) assert.equal(figure.parts[Number(index)].name!.replaceAll('&', '&amp;'), name);
    assert.ok(named.some(([, name]) => /^20\. PT PT\[2\] at gpa 0x4010; 0x20_2005: P U\/S; .*decides: R\/W clear$/.test(name)));
  });

  it('has one colour for each look in both themes, and stacks several figures', () => {
    const file = svgFile([
      { title: 'a < b', figure },
      { title: 'c', figure },
    ]);
    assert.match(file, /prefers-color-scheme:dark/);
    assert.match(file, /a &lt; b/);
    assert.equal(file.match(/<svg/g)!.length, 3);
    const height = Number(/height="(\d+)"/.exec(file)![1]);
    assert.ok(height > 2 * figure.height);
    const used = new Set([...file.matchAll(/var\(--([a-z]+)\)/g)].map(([, name]) => name));
    for (const name of used) assert.ok(file.includes(`--${name}:`), name);
  });
});
