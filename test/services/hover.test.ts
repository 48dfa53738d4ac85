import { strict as assert } from 'node:assert';
import { hover } from '../../server/src/services/hover';
import { ran } from '../support/runs';
import { MACHINE, opened } from '../support/scripts';

function textOf(fixture: string, run = false): string | null {
  const { analysis, cursor } = opened(fixture);
  const found = hover(analysis, run ? ran(fixture).views : [], cursor);
  return found && (found.contents as { value: string }).value;
}

function check(fixture: string, ...expected: readonly (RegExp | null)[]): void {
  const text = textOf(fixture);
  for (const each of expected) {
    if (each === null) assert.equal(text, null);
    else assert.match(text ?? '', each);
  }
}

function checkRun(body: string, ...expected: readonly RegExp[]): void {
  const text = textOf(`${MACHINE}${body}`, true) ?? '';
  for (const each of expected) assert.match(text, each);
}

describe('hover on words', () => {
  const inRun = (body: string): string => `${MACHINE}run guest under soft, ept {\n  ${body}\n}\n`;

  it('says what a keyword is', () => check('v<|>m guest { }', /\*\*vm\*\* · declaration/));
  it('says what a setting is, with its default', () => check('host { mem<|>ory 64M }', /setting of `host` · default `what the slots need/));
  it('tells settings of the same name apart', () => {
    check('host { pag<|>es 2M }', /setting of `host`/);
    check('vm a { slot 0 { pag<|>es 2M } }', /setting of `slot`/);
  });
  it('says what a setting of a register bit is', () => check('vm a { vcpu { cr0.w<|>p off } }', /CR0\.WP/));
  it('says what a choice is', () => check('vm a { vcpu { paging 4-lev<|>el } }', /48-bit linear addresses/));
  it('says what a flag of a mapping is', () => check('vm a { tables t {\n 0 +4K -> 0x5000 rw n<|>x\n} }', /\*\*nx\*\* · flag/));
  it('says what a kind after under is', () => check('run a under so<|>ft { }', /Shadow page tables|shadow page tables/));
  it('says what a register is', () => check(inRun('cr<|>3 = kernel'), /\*\*cr3\*\* · register/));
  it('says what a bit of a register is', () => check(inRun('cr0.w<|>p = 0'), /Write protect/));
  it('says what a bit of an entry is', () => check(inRun('kernel[0x40_0000].writ<|>able = no'), /R\/W, bit 1/));
  it('says what an instruction does', () => check(inRun('invl<|>pg 0x40_0000'), /INVLPG/));
  it('says what an access is', () => check(inRun('user re<|>ad 0x40_0000'), /data read/));
  it('says what an expectation is', () => check(inRun('read 0x40_0000 expect ex<|>its 1'), /Number of VM exits/));
  it('says what an error code is', () => {
    check(inRun('read 0x40_0000 expect #P<|>F(P W)'), /page fault that the guest sees/);
    check(inRun('read 0x40_0000 expect #PF(P <|>W)'), /Bit 1: the access was a write/);
  });
  it('says what an exit reason is', () => check(inRun('read 0x40_0000 expect exits 1 of EPT_VIO<|>LATION'), /EPT does not allow/));
  it('says what an event is', () => check(inRun('expect events kvm_pa<|>ge_fault'), /KVM's tracepoint/));
  it('says what an act of the host is', () => check(inRun('host recl<|>aim gpa 0x20_0000'), /MMU notifier/));
  it('says what the built-in tables are', () =>
    check(inRun('read 0x40_0000 expect tl<|>b[0x40_0000] present'), /the translation of a linear address is cached/));
  it('says where a slot lies', () => {
    check(
      'vm g { sl<|>ot 1 { gpa 0x1000  size 8K  hva 0x7f00_0000_0000  readonly } }',
      /gpa `0x1000` to `0x2fff`/,
      /`8K` · readonly/,
      /KVM_SET_USER_MEMORY_REGION/,
    );
    check('vm g { slot <|>1 { gpa 0x1000  size 8K } }', /gpa `0x1000` to `0x2fff`/);
  });
  it('says nothing in comments', () => check('// vm gu<|>est\n', null));
  it('says nothing where nothing is', () => check('host { }\n<|>\n', null));
});

describe('hover on names', () => {
  it('shows the definition, the value and the comment above it', () =>
    check(
      '// Bytes of a page.\nconst page = 4K\nconst two = 2 * pa<|>ge\n',
      /const page = 4K/,
      /`0x1000` · `4096` · `4K`/,
      /Bytes of a page\\\./,
    ));
  it('shows blocks with their parameters', () => check('block touch(a, b) { read a }\nrun g { tou<|>ch(1, 2) }', /block touch\(a, b\)/));
  it('shows tables with their root', () => check('vm a { tables t at 0x1000 { }\n vcpu { cr3 <|>t } }', /Root at gpa `0x1000`/));
  it('shows a parameter', () => check('block touch(a) { read <|>a }', /Parameter `a`/));
});

describe('hover on numbers', () => {
  it('shows the forms of a number', () => check('host { maxphyaddr 4<|>0 }', /`0x28`/, /`40` = `0b10_1000`/));
  it('shows sizes', () => check('host { memory 64<|>M }', /`0x400_0000`/, /`67108864` = `64M`/));
  it('shows a guest-virtual address by its levels', () =>
    check('run g { read 0xffff_8000_0040_<|>1234 }', /guest-virtual/, /PML4\[256\] PDPT\[0\] PD\[2\] PT\[1\], offset `0x234`/));
  it('says when an address is not canonical', () => check('run g { read 0x8000_0000_0000_00<|>00 }', /Not canonical/));
  it('shows a guest-physical address by its page', () =>
    check('vm g { word 0x5<|>008 = 1 }', /guest-physical/, /page `0x5`, offset `0x8`/));
  it('shows the value of a whole expression', () => check('const page = 4K\nrun g { read 3 <|>* page + 8 }', /`0x3008`/));
});

describe('hover on addresses', () => {
  it('shows the whole way at that point of the script', () =>
    checkRun(
      'run guest under ept {\n user read 0x40_0<|>123\n}\n',
      /PML4\[0\]/,
      /\bPT\[0\]/,
      /GVA 0x40_0123 → GPA 0x20_0123 → HVA 0x7f00_0020_0123 → HPA 0x1020_0123/,
    ));

  it('shows the tables as they are then, not as they will be', () => {
    const body = (first: string, second: string): string =>
      `run guest under ept {\n user write 0x40_${first}\n kernel[0x40_0000].writable = no\n invlpg 0x40_0000\n user write 0x40_${second}\n}\n`;
    checkRun(body('00<|>00', '0000'), /\bPT\[0\] at gpa 0x4000: 0x20_0007 → 0x20_0067, P R\/W/);
    const later = textOf(`${MACHINE}${body('0000', '00<|>00')}`, true) ?? '';
    assert.match(
      later,
      /^\*\*\\#PF\\\(P W U\\\)\\: PT\\\[0\\\]\\\.R\\\/W \\= 0\\, user write\*\*\n\n```text\nbefore this statement\nGVA 0x40_0000\n/,
    );
    assert.match(later, /^PT\[0\] at gpa 0x4000: 0x20_0065, P U\/S A D, without R\/W$/m);
  });

  it('says once what all kinds of MMU agree on, and of which the rest is', () => {
    const text = textOf(`${MACHINE}run guest under soft, ept {\n user read 0x40_0000\n user read 0x40_1<|>000\n}\n`, true) ?? '';
    assert.equal(text.match(/^GVA 0x40_1000 → /gm)?.length, 1);
    assert.match(text, /^before this statement \(→ after it\)$/m);
    assert.match(text, /^soft: exits first: exit #PF\(U\): shadow PT\[1\]\.P = 0$/m);
    assert.match(text, /^ept: exits first: EPT violation: EPT1\[1\] is not present$/m);
    assert.match(text, /^ept: EPT1\[1\] at hpa \S+: 0x0 → 0x/m);
    assert.doesNotMatch(textOf(`${MACHINE}run guest under ept {\n user read 0x40_0<|>000\n}\n`, true) ?? '', /ept:/);
  });

  it('takes at most eleven lines of eighty columns, however much the kinds differ', () => {
    const body = `run guest under soft, ept, npt {\n user write 0x40_0000\n kernel[0x40_1000].writable = no\n user write 0x40_1<|>000\n}\n`;
    const fixture = `${MACHINE}${body}`;
    const { analysis, cursor } = opened(fixture);
    const { value } = hover(analysis, ran(fixture).views, cursor, true)!.contents as { value: string };
    const lines = value
      .replace(/\]\([^)]*\)/g, ']')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('```'));
    assert.ok(lines.length <= 11 && lines.every((line) => line.length <= 80), value);
    assert.match(lines.at(-1)!, /Show in the trace/);
  });

  it('shows the slot and the page behind an address of the VMM', () =>
    checkRun(
      'run guest under ept {\n read 0x40_0000\n read 0x40_0008 expect hva 0x7f00_0020_0<|>008\n}\n',
      /before this statement: {2}\n`slot 0 → gpa 0x20_0008 · host page of 4K → hpa 0x/,
    ));

  it("shows what registers, VMs and hypervisors' tables are at that point", () => {
    const body = (statement: string, kinds = 'soft, ept'): string => `run guest under ${kinds} {\n read 0x40_0000\n ${statement}\n}\n`;
    checkRun(body('cr<|>3 = kernel'), /\*\*cr3\*\*/, /before this statement: {2}\n`CR3 = 0x1000 · root at gpa 0x1000`/);
    checkRun(body('read 0x40_0000 expect td<|>p[0x20_0000] present', 'ept'), /`EPT: root at hpa 0x\S+, 4 levels`/);
    checkRun(body('read 0x40_0000 expect sha<|>dow[0x40_0000] present', 'soft'), /`SPT: root at hpa 0x\S+, 4 levels`/);
    checkRun(body('read 0x40_0000 expect tl<|>b[0x40_0000] present'), /translations? cached/);
    checkRun(
      body('read 0x40_0000').replace('run guest', 'run gue<|>st'),
      /when the script begins: {2}\n`1 slot of \S+ · vCPU 0: 4-level paging, CR3 0x1000`/,
    );
  });

  it('links to the trace there and to what the outcome means, where the client says that it can', () => {
    const fixture = `${MACHINE}run guest under ept {\n user read 0x60_0<|>000\n}\n`;
    const { analysis, cursor } = opened(fixture);
    const { value } = hover(analysis, ran(fixture).views, cursor, true)!.contents as { value: string };
    const links = [...value.matchAll(/\[([^\]]+)\]\(command:([\w.]+)\?([^)]*)\)/g)].map(([, text, command, args]) => [
      text,
      command,
      JSON.parse(decodeURIComponent(args)),
    ]);
    const { line } = analysis.locate(analysis.uri, { start: cursor, end: cursor }).range.start;
    assert.deepEqual(links, [
      ['Show in the trace', 'mmu.showTrace', [analysis.uri, 0, line]],
      ['What that means', 'mmu.explain', ['not-present']],
    ]);
    assert.doesNotMatch(textOf(fixture, true) ?? '', /command:/);
  });

  it('shows addresses of the machine as they are when the script begins', () =>
    checkRun('run guest under ept { read 0x40_0000 }\n'.replace('0x40', '0x4<|>0'), /GPA 0x20_0000/));

  it('shows what stands in a loop at its first round', () =>
    checkRun('run guest under ept {\n for i in 1 .. 3 { user read 0x40_0000 <|>+ 0x1000 * i }\n}\n', /GVA 0x40_1000 → GPA 0x20_1000/));

  it('shows guest-physical addresses', () =>
    checkRun('run guest under ept {\n read 0x40_0000 expect hpa of gpa 0x20_0<|>000\n}\n', /GPA 0x20_0000 → HVA 0x7f00_0020_0000/));

  it('shows what the statement came to, on its first word', () =>
    checkRun('run guest under ept {\n user re<|>ad 0x40_0000\n}\n', /Here: gpa `0x20_0000`/, /exit/));
});
