import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from '../../../server/src/language/syntax/parse';
import { format } from '../../../server/src/language/syntax/print';

function prints(text: string, expected: string): void {
  assert.equal(format(text), expected);
  assert.equal(format(expected), expected);
}

describe('print', () => {
  for (const file of readdirSync('samples', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mmu'))) {
    it(`leaves samples/${file} as it is`, () => {
      const text = readFileSync(`samples/${file}`, 'utf8');
      assert.equal(format(text), text);
    });
  }

  it('says null to a text with errors', () => {
    assert.equal(format('run {'), null);
    assert.equal(format(parse('vm guest { mmu sfot }')), null);
  });

  it('a line for each item, two spaces for each body', () =>
    prints(
      'vm   guest{mmu soft\nvm l2{ mmu ept\ntables k at 0x1000{1 +4K->2 rw\n3 +4K -> 4}}}\nrun guest under soft ,ept{l2 vcpu 1 :{read 1\nread 2}}',
      `vm guest {
  mmu soft
  vm l2 {
    mmu ept
    tables k at 0x1000 {
      1 +4K  -> 2  rw
      3 +4K  -> 4
    }
  }
}
run guest under soft, ept {
  l2 vcpu 1: {
    read 1
    read 2
  }
}
`,
    ));

  it('bodies stay on one line when they are written so and are short', () => {
    prints('host {  memory 64M   maxphyaddr 40 }', 'host { memory 64M  maxphyaddr 40 }\n');
    prints('host {\nmemory 64M maxphyaddr 40 }', 'host {\n  memory 64M\n  maxphyaddr 40\n}\n');
    prints('host { kvm { prefetch off  unsync off } }', 'host { kvm { prefetch off  unsync off } }\n');
    prints('host { memory 64M /* c */ }', 'host {\n  memory 64M  /* c */\n}\n');
    prints('vm a {\n\n}', 'vm a {}\n');
    prints('run { read 1 }', 'run { read 1 }\n');
    prints('run { read 1 read 2 }', 'run {\n  read 1\n  read 2\n}\n');
    prints('run { read 1 expect ok expect exits 1 }', 'run {\n  read 1  expect ok\n          expect exits 1\n}\n');
    prints('run { under soft { read 1  expect ok } }', 'run { under soft { read 1  expect ok } }\n');
    prints('run { write 1 on fault { k[1].user = yes }   expect ok }', 'run { write 1 on fault { k[1].user = yes }  expect ok }\n');
    const long = `block f(${Array.from({ length: 30 }, (_, index) => `p${index}`).join(', ')}) {`;
    prints(`${long} read 1 }`, `${long}\n  read 1\n}\n`);
  });

  it('columns of slots and mappings', () =>
    prints(
      `vm a {
  slot 0 { gpa 0 size 16M hva 0x7f00_0000_0000 }
  slot 10 { gpa 0x100_0000 size 64K hva 1 readonly }

  slot 2 { gpa 0 size 4K }
  slot 3 { size 64K gpa 0x1000 }
  tables k {
    0x40_0000 +2M -> 0x20_0000 rw user // 512 pages
    // a window
    0x1000 .. 0x1fff -> 0x9000 rw // one page
    for i in 0 .. 1 { i * 4K +4K -> 0 }
    1 +4K -> 2 rw
  }
}
`,
      `vm a {
  slot 0 { gpa 0            size 16M  hva 0x7f00_0000_0000 }
  slot 10 { gpa 0x100_0000  size 64K  hva 1  readonly }

  slot 2 { gpa 0  size 4K }
  slot 3 { size 64K  gpa 0x1000 }
  tables k {
    0x40_0000 +2M     -> 0x20_0000  rw user  // 512 pages
    // a window
    0x1000 .. 0x1fff  -> 0x9000     rw  // one page
    for i in 0 .. 1 { i * 4K +4K -> 0 }
    1 +4K  -> 2  rw
  }
}
`,
    ));

  it('the expects of neighbours', () =>
    prints(
      `run {
  user read 0x40_0123 expect ok expect exits 1 under soft
  invlpg 0x40_0000
  kernel[0x40_0000].writable = no expect exits 0

  read 1 expect ok
  host create slot 3 { gpa 0x300_0000 size 64K hva 0x7f00_0020_0000 readonly } expect error EEXIST expect exits 0
  write 1 on fault {
    invlpg 1
  } expect ok
    expect exits 1
  expect tlb[1] present
}
`,
      `run {
  user read 0x40_0123              expect ok
                                   expect exits 1 under soft
  invlpg 0x40_0000
  kernel[0x40_0000].writable = no  expect exits 0

  read 1  expect ok
  host create slot 3 { gpa 0x300_0000  size 64K  hva 0x7f00_0020_0000  readonly }  expect error EEXIST
          expect exits 0
  write 1 on fault {
    invlpg 1
  } expect ok
    expect exits 1
    expect tlb[1] present
}
`,
    ));

  it('signs and operators', () =>
    prints(
      'const a=-1+~2*( 3-4 )<<5|b .k&- -6\nrun{touch ( 1,2 )expect #PF ( P  W ),exits<=3 of EPT_VIOLATION ,dirty slot 0[ 1,2 +8K ],kernel [ 1 level 2 ] . user=0,events kvm_exit ( reason 5 )\n}',
      `const a = -1 + ~2 * (3 - 4) << 5 | b.k & --6
run {
  touch(1, 2)  expect #PF(P W), exits <= 3 of EPT_VIOLATION, dirty slot 0 [1, 2 +8K], kernel[1 level 2].user = 0, events kvm_exit(reason 5)
}
`,
    ));

  it('a sum with a narrow sign is still a sum', () => prints('const a = b +4K', 'const a = b + 4K\n'));

  it('comments and empty lines', () =>
    prints(
      `

// first


/* block
   as it is */
host { // opens
  // own


  memory 64M // one

  tlb off /* two */ // three
  // last

} // closed
run { read 1 /* inline */ x 2   // end
  read /* a */ (1 + // b
    2)
  read 3
    // between
    expect ok
}
// end`,
      `// first

/* block
   as it is */
host {  // opens
  // own

  memory 64M  // one

  tlb off  /* two */ // three
  // last
}  // closed
run {
  read 1 /* inline */ x 2  // end
  read /* a */ (1 +        // b
      2)
  read 3
      // between
      expect ok
}
// end
`,
    ));

  it('line ends and byte-order mark stay', () => {
    prints('\uFEFFhost {\r\n memory 64M\r\n}', '\uFEFFhost {\r\n  memory 64M\r\n}\r\n');
    prints('// a\r\n/* b\r\n * c */\r\n', '// a\r\n/* b\r\n * c */\r\n');
    assert.equal(format(''), '');
    assert.equal(format('\n\n'), '');
  });
});
