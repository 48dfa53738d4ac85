import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from '../../../server/src/language/syntax/parse';
import { outline } from './outline';

function items(text: string): string[] {
  const { tree, errors } = parse(text);
  assert.deepEqual(errors, [], text);
  return tree.items.map(outline);
}

/** Statements of a script, without what is always there. */
function script(text: string): string {
  const [run] = items(`run {\n${text}\n}`);
  return run!.slice('run{body:{'.length, -'}}'.length);
}

const inVm = (text: string): string => items(`vm a {\n${text}\n}`)[0]!.slice('vm{name:a body:{'.length, -'}}'.length);
const inTables = (text: string): string => inVm(`tables k {\n${text}\n}`).slice('tables{name:k body:{'.length, -'}}'.length);
const value = (text: string): string => items(`const a = ${text}`)[0]!.slice('const{name:a value:'.length, -1);
const expectation = (text: string): string => script(`expect ${text}`).slice('expect{of:['.length, -']}'.length);

function each(read: (text: string) => string, cases: { readonly [text: string]: string }): void {
  for (const [text, expected] of Object.entries(cases)) it(text.replace(/\n/g, ' ⏎ '), () => assert.equal(read(text), expected));
}

describe('parse: the file', () => {
  each((text) => items(text).join(' | '), {
    'import "a.mmu"': 'import{path:"a.mmu"}',
    'const page = 4K': 'const{name:page value:4K}',
    'block touch(a, n) { read a }': 'block{name:touch parameters:[a, n] body:{access{access:read address:a}}}',
    'block none() {}': 'block{name:none body:{}}',
    'run {}': 'run{body:{}}',
    'run guest under ept with kernel 6.1, 6.12 {}': 'run{vm:guest under:under{kinds:[mmu-kinds{levels:[ept]}] kernels:[6.1, 6.12]} body:{}}',
    'run with kernel 6.1 {}': 'run{under:under{kernels:[6.1]} body:{}}',
    'run vm1 "title" under soft, ept on ept {}': 'run{vm:vm1 title:"title" under:under{kinds:[mmu-kinds{levels:[soft]}, mmu-kinds{levels:[ept, ept]}]} body:{}}',
    'budget { steps 1000 }': 'budget{body:{setting{name:steps value:1000}}}',
    'host { memory 64M  cpu { nx off }  tlb { l1 16 x 4 }  tlb off  kvm { kernel 6.1 } }':
      'host{body:{setting{name:memory value:64M}; setting{name:cpu body:{setting{name:nx value:off}}}; ' +
      'setting{name:tlb body:{setting{name:l1 value:16 second:4}}}; setting{name:tlb value:off}; setting{name:kvm body:{setting{name:kernel value:6.1}}}}}',
  }); // prettier-ignore

  for (const file of readdirSync('samples', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mmu'))) {
    it(`samples/${file}`, () => assert.deepEqual(parse(readFileSync(`samples/${file}`, 'utf8')).errors, []));
  }
});

describe('parse: the machine', () => {
  each(inVm, {
    'mmu soft': 'setting{name:mmu value:soft}',
    'slot 0 { gpa 0 size 16M hva 0x7f00_0000_0000 readonly }':
      'slot{id:0 body:{setting{name:gpa value:0}; setting{name:size value:16M}; setting{name:hva value:0x7f00_0000_0000}; setting{name:readonly}}}',
    'vcpu { cr3 kernel\n cr0.wp off  paging 4-level }':
      'vcpu{body:{setting{name:cr3 value:kernel}; setting{name:cr0 bit:wp value:off}; setting{name:paging value:4-level}}}',
    'vcpu 1 {}': 'vcpu{name:1 body:{}}',
    'vcpu boot { on fault { read 1 } }': 'vcpu{name:boot body:{handler{body:{access{access:read address:1}}}}}',
    'word 0x4000 = 0x4003': 'memory-word{gpa:0x4000 value:0x4003}',
    'word (1 + 2) = 3 size 4': 'memory-word{gpa:(1 + 2) value:3 size:4}',
    'load "guest.dump" at 0x10_0000': 'load{path:"guest.dump" at:0x10_0000}',
    'vm l2 { mmu ept }': 'vm{name:l2 body:{setting{name:mmu value:ept}}}',
    'for i in 0 .. 15 step 2 { word i = 1 }': 'for{name:i over:0..15 step:2 body:{memory-word{gpa:i value:1}}}',
    'tables kernel at 0x1000 {}': 'tables{name:kernel at:0x1000 body:{}}',
    'tables ept12 ept at 0x1000 +64K {}': 'tables{name:ept12 format:ept at:0x1000+64K body:{}}',
    'tables low 4-level {}': 'tables{name:low format:4-level body:{}}',
  }); // prettier-ignore
  each(inTables, {
    '0x40_0000 +2M -> 0x20_0000 rw user pages 2M': 'mapping{from:0x40_0000+2M to:0x20_0000 flags:[flag{name:rw}, flag{name:user}, flag{name:pages value:2M}]}',
    'a + b .. c -> d not dirty key 3': 'mapping{from:(a + b)..c to:d flags:[flag{not:true name:dirty}, flag{name:key value:3}]}',
    '1 +4K -> 2 rw\n  user\n3 +4K -> 4': 'mapping{from:1+4K to:2 flags:[flag{name:rw}, flag{name:user}]}; mapping{from:3+4K to:4 flags:[]}',
    '1 +4K -> 2 rw\nx +4K -> 3': 'mapping{from:1+4K to:2 flags:[flag{name:rw}]}; mapping{from:x+4K to:3 flags:[]}',
    'entry 0x40_0000 level 2 = 0x4007': 'raw-entry{address:0x40_0000 level:2 value:0x4007}',
    'upper 0x40_0000 +1G level 3 ro user': 'upper{address:0x40_0000+1G level:3 flags:[flag{name:ro}, flag{name:user}]}',
    'table 0x40_0000 level 1 at 0x4000': 'placement{address:0x40_0000 level:1 at:0x4000}',
    'share kernel 0xffff_8000_0000_0000 +512G level 4': 'share{tables:kernel address:0xffff_8000_0000_0000+512G level:4}',
    'share kernel 0': 'share{tables:kernel address:0}',
    'const a = 1\nfor i in 0 .. 1 { i +4K -> i }': 'const{name:a value:1}; for{name:i over:0..1 body:{mapping{from:i+4K to:i flags:[]}}}',
  }); // prettier-ignore
});

describe('parse: scripts', () => {
  each(script, {
    'user read 0x40_0123 x 16 step 4K': 'access{privilege:user access:read address:0x40_0123 count:16 step:4K}',
    'write 1 = 2 size 4 ac on': 'access{access:write address:1 value:2 size:4 ac:on}',
    'rmw 1 += 2 x (3 + 4)': 'access{access:rmw address:1 value:2 count:(3 + 4)}',
    'implicit read 1': 'access{privilege:implicit access:read address:1}',
    'supervisor fetch l1.kernel': 'access{privilege:supervisor access:fetch address:l1.kernel}',
    'user write 1 on fault { kernel[1].writable = yes } expect ok':
      'access{privilege:user access:write address:1 handler:handler{body:{edit{entry:entry{table:kernel address:1} bit:writable value:yes}}} expects:[expect{of:[expect-ok]}]}',
    'kernel[1 level 2] = 0': 'edit{entry:entry{table:kernel address:1 level:2} value:0}',
    'l1.ept12[1].user = no': 'edit{entry:entry{vm:l1 table:ept12 address:1} bit:user value:no}',
    'word 1 = 2': 'memory-word{gpa:1 value:2}',
    'word (1) = 2 expect ok': 'memory-word{gpa:1 value:2 expects:[expect{of:[expect-ok]}]}',
    'cr3 = user_root | 3': 'register-load{register:cr3 value:(user_root | 3)}',
    'cr0.wp = 0': 'register-load{register:cr0 bit:wp value:0}',
    'invlpg a': 'invalidate{instruction:invlpg address:a}',
    'invpcid a pcid p': 'invalidate{instruction:invpcid address:a tag:p}',
    'invpcid pcid p': 'invalidate{instruction:invpcid tag:p}',
    'invpcid all': 'invalidate{instruction:invpcid scope:all}',
    'invpcid non_global': 'invalidate{instruction:invpcid scope:non_global}',
    'invept vmcs12': 'invalidate{instruction:invept address:vmcs12}',
    'invept all': 'invalidate{instruction:invept scope:all}',
    'invvpid a vpid 2': 'invalidate{instruction:invvpid address:a tag:2}',
    'invvpid vpid 2': 'invalidate{instruction:invvpid tag:2}',
    'invvpid all': 'invalidate{instruction:invvpid scope:all}',
    'invvpid non_global vpid 2': 'invalidate{instruction:invvpid scope:non_global tag:2}',
    'vmlaunch l2': 'enter{instruction:vmlaunch vm:l2}',
    'vmresume\nl2: read 1': 'enter{instruction:vmresume}; performed{vm:l2 statement:access{access:read address:1}}',
    'vmrun expect ok': 'enter{instruction:vmrun expects:[expect{of:[expect-ok]}]}',
    'touch(1, 2 + 3)': 'call{block:touch arguments:[1, (2 + 3)]}',
    'touch(\n  1,\n  2\n)': 'call{block:touch arguments:[1, 2]}',
    'l2 vcpu 1: { read 1 }': 'performed{vm:l2 vcpu:1 body:{access{access:read address:1}}}',
    'vcpu boot: read 1': 'performed{vcpu:boot statement:access{access:read address:1}}',
    'for i in 0 .. 3 { read i }': 'for{name:i over:0..3 body:{access{access:read address:i}}}',
    'same': 'same',
    'same under soft, ept': 'same{under:under{kinds:[mmu-kinds{levels:[soft]}, mmu-kinds{levels:[ept]}]}}',
    'check invariants': 'check-invariants',
    'under soft { read 1 }': 'under-statement{under:under{kinds:[mmu-kinds{levels:[soft]}]} body:{access{access:read address:1}}}',
    'read 1 expect ok under ept\nunder soft { read 2 }':
      'access{access:read address:1 expects:[expect{of:[expect-ok] under:under{kinds:[mmu-kinds{levels:[ept]}]}}]}; ' +
      'under-statement{under:under{kinds:[mmu-kinds{levels:[soft]}]} body:{access{access:read address:2}}}',
    'read 1 expect ok\nunder soft on ept { read 2 }':
      'access{access:read address:1 expects:[expect{of:[expect-ok]}]}; under-statement{under:under{kinds:[mmu-kinds{levels:[soft, ept]}]} body:{access{access:read address:2}}}',
    'same with kernel 6.1, 6.12': 'same{under:under{kernels:[6.1, 6.12]}}',
    'read 1 expect ok under ept with kernel 6.1\nwith kernel 6.12 { read 2 }':
      'access{access:read address:1 expects:[expect{of:[expect-ok] under:under{kinds:[mmu-kinds{levels:[ept]}] kernels:[6.1]}}]}; ' +
      'under-statement{under:under{kernels:[6.12]} body:{access{access:read address:2}}}',
    'read 1 expect ok under soft\nwith kernel 6.1 { read 2 }':
      'access{access:read address:1 expects:[expect{of:[expect-ok] under:under{kinds:[mmu-kinds{levels:[soft]}]}}]}; ' +
      'under-statement{under:under{kernels:[6.1]} body:{access{access:read address:2}}}',
    'read 1\n  expect ok\n  expect exits 0': 'access{access:read address:1 expects:[expect{of:[expect-ok]}, expect{of:[expect-count{what:exits compare:== count:0}]}]}',
    'read 1\nx(2)': 'access{access:read address:1}; call{block:x arguments:[2]}',
  }); // prettier-ignore

  describe('host acts', () =>
    each((text) => script(text).slice('host-acts{act:host-act{'.length, -2), {
      'host create slot 2 { size 4K }': 'act:create slot:slot{id:2 body:{setting{name:size value:4K}}}',
      'host delete slot 2': 'act:delete id:2',
      'host move slot 2 to 0x100_0000': 'act:move id:2 to:0x100_0000',
      'host resize slot 2 to 8M': 'act:resize id:2 to:8M',
      'host flags slot 2 log_dirty readonly': 'act:flags id:2 flags:[flag{name:log_dirty}, flag{name:readonly}]',
      'host flags slot 2 none': 'act:flags id:2 flags:[flag{name:none}]',
      'host get dirty log slot 0': 'act:get-dirty-log id:0',
      'host clear dirty log slot 0': 'act:clear-dirty-log id:0',
      'host clear dirty log slot 0 pages 0 .. 63': 'act:clear-dirty-log id:0 pages:0..63',
      'host reclaim gpa 0x5000 +8K': 'act:reclaim area:host-area{space:gpa area:0x5000+8K}',
      'host split hva 0x5000': 'act:split area:host-area{space:hva area:0x5000}',
      'host collapse gpa 1': 'act:collapse area:host-area{space:gpa area:1}',
      'host protect hva 1 +2M ro': 'act:protect area:host-area{space:hva area:1+2M} flags:[flag{name:ro}]',
      'host write gpa 0x5000 = 7': 'act:write area:host-area{space:gpa area:0x5000} value:7',
      'host zap all': 'act:zap-all',
      'host nr_mmu_pages 64 expect ok': 'act:nr-mmu-pages pages:64 expects:[expect{of:[expect-ok]}]',
    })); // prettier-ignore

  it('host acts in a body', () =>
    assert.equal(
      script('host { delete slot 1 expect ok\n write gpa 1 = 2 }'),
      'host-acts{body:{host-act{act:delete id:1 expects:[expect{of:[expect-ok]}]}; host-act{act:write area:host-area{space:gpa area:1} value:2}}}',
    ));
});

describe('parse: expectations', () => {
  each(expectation, {
    ok: 'expect-ok',
    '#PF': 'expect-fault{fault:#PF}',
    '#PF()': 'expect-fault{fault:#PF flags:[]}',
    '#PF(P W U)': 'expect-fault{fault:#PF flags:[P, W, U]}',
    '#PF(0x7)': 'expect-fault{fault:#PF code:0x7}',
    '#PF(code + 1)': 'expect-fault{fault:#PF code:(code + 1)}',
    '#GP': 'expect-fault{fault:#GP}',
    mmio: 'expect-mmio',
    'mmio read': 'expect-mmio{access:read}',
    'mmio write': 'expect-mmio{access:write}',
    'error EEXIST': 'expect-error{errno:EEXIST}',
    'value 5': 'expect-value{value:5}',
    'gpa 1, hva 2': 'expect-address{space:gpa address:1}, expect-address{space:hva address:2}',
    'hpa of gpa 0x5000': 'expect-address{space:hpa ofGpa:true address:0x5000}',
    'exits 1': 'expect-count{what:exits compare:== count:1}',
    'exits <= 3 of EPT_VIOLATION': 'expect-count{what:exits compare:<= count:3 reason:EPT_VIOLATION}',
    'exits 1 of #PF': 'expect-count{what:exits compare:== count:1 reason:#PF}',
    'exits 1 of invlpg': 'expect-count{what:exits compare:== count:1 reason:invlpg}',
    'references >= 24': 'expect-count{what:references compare:>= count:24}',
    'kernel[a] = 0x5067': 'expect-entry{entry:entry{table:kernel address:a} value:0x5067 flags:[]}',
    'shadow[a].writable = no': 'expect-entry{entry:entry{table:shadow address:a} bit:writable value:no flags:[]}',
    'tdp[a level 2] absent': 'expect-entry{entry:entry{table:tdp address:a level:2} flags:[flag{name:absent}]}',
    'l1.kernel[a] rw user not dirty': 'expect-entry{entry:entry{vm:l1 table:kernel address:a} flags:[flag{name:rw}, flag{name:user}, flag{not:true name:dirty}]}',
    'page 0x4000 write_protected': 'expect-page{gpa:0x4000 state:write_protected}',
    'page 0x4000 not unsync': 'expect-page{gpa:0x4000 not:true state:unsync}',
    'dirty slot 0 [0x5000, 0x6000 +8K]': 'expect-dirty{slot:0 gpas:[0x5000, 0x6000+8K]}',
    'dirty slot 0 []': 'expect-dirty{slot:0}',
    'word 0x5000 = 7': 'expect-word{gpa:0x5000 value:7}',
    'cr2 = 1, cr0.wp = on': 'expect-register{register:cr2 value:1}, expect-register{register:cr0 bit:wp value:on}',
    'ok, events kvm_exit(EPT_VIOLATION), kvm_page_fault, kvm_mmu_get_page(gfn 5, role a)':
      'expect-ok, expect-events{events:[event{name:kvm_exit fields:[event-field{value:EPT_VIOLATION}]}, event{name:kvm_page_fault}, ' +
      'event{name:kvm_mmu_get_page fields:[event-field{name:gfn value:5}, event-field{name:role value:a}]}]}',
  }); // prettier-ignore
});

describe('parse: expressions', () => {
  each(value, {
    '1 + 2 * 3': '(1 + (2 * 3))',
    '1 - 2 - 3': '((1 - 2) - 3)',
    '(1 + 2) * 3': '((1 + 2) * 3)',
    'a << 12 | 0x63 & 1': '((a << 12) | (0x63 & 1))',
    '1 + 2 << 3': '((1 + 2) << 3)',
    '-1 + ~2': '(-1 + ~2)',
    'a +4K': '(a + 4K)',
    'a+4K': '(a + 4K)',
    'a +\n 4K': '(a + 4K)',
    'l1.kernel % 2 / 3': '((l1.kernel % 2) / 3)',
    on: 'on',
  });
  it('keeps sums apart from lengths by the space', () => {
    assert.equal(inTables('a + 4K .. b -> c'), 'mapping{from:(a + 4K)..b to:c flags:[]}');
    assert.equal(inTables('a +4K -> c'), 'mapping{from:a+4K to:c flags:[]}');
    assert.equal(inTables('(a +4K) +8K -> c'), 'mapping{from:(a + 4K)+8K to:c flags:[]}');
  });
});
