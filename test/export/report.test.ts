/** Reports: pages that load nothing and run nothing, whatever stands in a scenario; bounded, and saying what was left out; with what views say. */
import assert from 'node:assert/strict';
import { report } from '../../server/src/export/report/report';
import { markup } from '../../server/src/export/report/html';
import { totals } from '../../server/src/views/totals/totals';
import { ran } from '../support/runs';
import { wellFormed } from '../support/well-formed';

const HOSTILE = `// </code></td><script>alert(1)</script><img src=x onerror=alert(1)> & "quotes" ' \u202e reversed
const evil = 0x40_0000 // --></style><style>body{display:none}
vm guest {
  slot 0 { gpa 0 size 16M }
  tables kernel at 0x1000 { 0x40_0000 +64K -> 0x20_0000 rw user  0x50_0000 +4K -> 0xd000_0000 rw user }
  vcpu { cr3 kernel }
}
run guest under soft, ept {
  user write evil x 4 step 4K // <svg onload=alert(1)>
  user read 0x50_0000   expect mmio read
  user fetch 0x60_0000  expect ok
}
`;

const pageOf = (text: string, bounds = {}): string => {
  const { views } = ran(text);
  return [...report({ file: 'dir/<b>evil.mmu', uri: 'file:///scenarios/test.mmu', text, views, bounds })].join('');
};

describe('a report', () => {
  const page = pageOf(HOSTILE);

  it('is a whole document, well-formed', () => {
    assert.match(page, /^<!DOCTYPE html>\n<html lang="en">/);
    assert.deepEqual(wellFormed(page), []);
  });

  it('escapes whatever a scenario says', () => {
    assert.match(page, /<h1>&#60;b&#62;evil\.mmu<\/h1>/);
    assert.match(page, /&#60;\/code&#62;&#60;\/td&#62;&#60;script&#62;alert\(1\)/);
    assert.doesNotMatch(page, /<script|<img|<svg onload|<b>evil|\u202e/);
  });

  it('loads nothing and runs nothing', () => {
    assert.match(page, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'/);
    assert.doesNotMatch(page, /\s(?:src|srcset|data|action|formaction|on\w+)\s*=\s*"/);
    assert.doesNotMatch(page, /@import|url\(/);
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target);
    assert.ok(links.length > 0 && links.every((target) => target.startsWith('#')), links.join());
    const addresses = [...page.matchAll(/https?:[^"<\s]*/g)].map(([address]) => address);
    assert.deepEqual(new Set(addresses), new Set(['http://www.w3.org/2000/svg']));
  });

  it('has outcomes beside statements, figures, folded steps and totals', () => {
    const { views } = ran(HOSTILE);
    assert.equal([...page.matchAll(/<section id="run-/g)].length, 2);
    assert.match(page, /<td class="number">10<\/td>[^\n]*MMIO read[^\n]*✓/);
    assert.match(page, /<td class="number">11<\/td>[^\n]*✗ ok: got #PF\(U I\)/);
    assert.ok([...page.matchAll(/<figure>/g)].length >= 4);
    assert.match(page, /<details><summary>\d+ steps<\/summary>/);
    for (const view of views)
      for (const { name, count } of totals(view).whole.exits)
        assert.ok(page.includes(`<th scope="row">${name}</th><td class="count">${count}</td>`), name);
  });

  it('is bounded, and says what was left out', () => {
    const short = pageOf(HOSTILE, { executions: 2, steps: 5, figures: 0 });
    assert.match(short, /1 more execution of statements left out/);
    assert.match(short, /\d+ more steps left out/);
    assert.doesNotMatch(short, /<figure>/);
  });

  it('of a run of many steps stays small', () => {
    const long = pageOf(HOSTILE.replace('x 4 step 4K', 'x 4 step 4K\n  for i in 0..3000 { user read evil }'));
    assert.ok(long.length < 3_000_000, `${long.length} characters`);
    assert.match(long, /more executions of statements left out/);
  });
});

describe('HTML as text', () => {
  it('escapes text, also in attributes, and what no document can have', () => {
    assert.equal(
      markup`<a title="${'"><b>'}">${'a & b'}${['<', markup`<i></i>`]}${null}${7}</a>`.text,
      '<a title="&#34;&#62;&#60;b&#62;">a &#38; b&#60;<i></i>7</a>',
    );
    assert.equal(markup`${'\u0000\u0008\u009f'}`.text, '\ufffd\ufffd\ufffd');
  });
});
