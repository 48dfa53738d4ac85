import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { printersOf, printKernelText, readAnyText, readKernelText } from '../../server/src/events/kernel-text/kernel-text';
import { readFieldList } from '../../server/src/events/kernel-text/field-lists';
import type { Release } from '../../server/src/events/kernel-text/versions';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const RECORDED = here('../../../shared/kvm-6.12/trace-text');

interface Line {
  readonly name: string;
  readonly said: string;
}

/** Events of a trace as `cat trace` prints it. */
function linesOf(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    const found = /^\s*\S+-\d+\s+\[\d+\] \S+\s+\d+\.\d+: (\w+): (.*)$/.exec(line);
    return found ? [{ name: found[1], said: found[2] }] : [];
  });
}

/** Every line is read, and what was read prints as the same line. */
function roundTrip(lines: readonly Line[], kernel: Release): void {
  for (const { name, said } of lines) {
    const values = readKernelText(name, said, kernel);
    assert.ok(values, `${kernel} ${name}: ${said}`);
    const dialect = { vendor: values.isa === 1 ? 'intel' : 'amd', ept: false } as const;
    assert.equal(printKernelText(name, values, kernel, dialect), said, name);
  }
}

describe("the kernel's text", () => {
  for (const kernel of ['6.1', '6.12'] as const) {
    it(`of ${kernel} is read and printed alike`, () => {
      const lines = linesOf(readFileSync(here(`kernel-text/${kernel}.trace`), 'utf8'));
      assert.ok(lines.length > 40);
      roundTrip(lines, kernel);
    });

    it(`of ${kernel} is that of its recordings`, function () {
      if (!existsSync(RECORDED)) return this.skip();
      const files = readdirSync(`${RECORDED}/${kernel}`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.trace'));
      const lines = files.flatMap((name) => linesOf(readFileSync(`${RECORDED}/${kernel}/${name}`, 'utf8')));
      assert.ok(lines.length > 5000, `${lines.length} lines`);
      roundTrip(lines, kernel);
    });
  }

  for (const kernel of ['4.8', '5.9', '5.15', '6.18'] as const) {
    it(`of ${kernel} is read and printed alike, though no scenario follows it`, () => {
      const lines = linesOf(readFileSync(here(`kernel-text/${kernel}.trace`), 'utf8'));
      assert.ok(lines.length > 6);
      roundTrip(lines, kernel);
    });
  }

  it('is read from lists of fields: numbers by our names, and nothing of what is none', () => {
    assert.deepEqual(readFieldList('kvm_exit', ' exit_reason=0x30 guest_rip=0x1000 isa=1 stack=ARRAY[01, 02] comm=qemu error=-5'), {
      reason: 0x30n,
      rip: 0x1000n,
      isa: 1n,
      error: -5n,
    });
    assert.deepEqual(readFieldList('kvm_cr', '[FAILED TO PARSE] rw=1 cr=3 val=0x1000'), { write: 1n, cr: 3n, value: 0x1000n });
    assert.equal(readFieldList('kvm_cr', 'cr_write 3 = 0x1000'), null);
  });

  it('is read without its trailing blank, which mailers take away', () => {
    assert.deepEqual(readAnyText('kvm_mmu_pagetable_walk', 'addr 500000 pferr 0'), { addr: 0x50_0000n, pferr: 0n });
    assert.deepEqual(readAnyText('kvm_mmu_pagetable_walk', 'addr 500000 pferr 2'), { addr: 0x50_0000n, pferr: 2n });
  });

  it('of one kernel is not that of another', () => {
    const amd = { vendor: 'amd', ept: false } as const;
    const fault = 'vcpu 0 gva 800000 error_code P|W|U|0x100000000 sptep 00000000deadbeef old 0x0 new 0 spurious 0 fixed 0';
    const read = (name: string, said: string, kernel: Release): unknown => readKernelText(name, said, kernel);
    assert.equal(read('kvm_set_spte_hva', 'mmu notifier set pte hva: 0x007f0000005000', '6.12'), null);
    assert.equal(read('kvm_nested_vmrun', 'rip: 0x0000000000010000', '6.1'), null);
    assert.equal(read('kvm_entry', 'vcpu 0, rip 0x10 intr_info 0x00000000 error_code 0x00000000', '6.12'), null);
    assert.ok(read('kvm_entry', 'vcpu 0, rip 0x10 intr_info 0x00000000 error_code 0x00000000', '6.18'));
    // What 6.1 keeps of an error code has 32 bits.
    const values = readKernelText('fast_page_fault', fault, '6.12')!;
    assert.equal(printKernelText('fast_page_fault', values, '6.1', amd), fault.replace('|0x100000000', ''));
  });

  it('gives values by the names of our fields', () => {
    const read = (name: string, said: string): unknown => readKernelText(name, said, '6.1');
    assert.deepEqual(read('kvm_mmu_get_page', 'sp gen 1 gfn 4 l1 4-byte q1 direct -ux invalid !nxe !ad root 2 unsync existing'), {
      mmu_valid_gen: 1,
      gfn: 4n,
      role: 1 | (1 << 4) | (1 << 5) | (1 << 7) | (5 << 8) | (1 << 11) | (1 << 16),
      root_count: 2,
      unsync: 1,
      created: 0,
    });
    assert.deepEqual(
      read(
        'kvm_exit',
        'vcpu 1 reason EPT_VIOLATION rip 0x10 info1 0x0000000000000181 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000',
      ),
      { vcpu: 1, reason: 48, isa: 1, failed_vmentry: 0, rip: 0x10n, info1: 0x181n, info2: 0n, intr_info: 0n, error_code: 0n },
    );
    assert.deepEqual(read('kvm_emulate_insn', '0:7000:48 89 03 (prot64)'), {
      csbase: 0n,
      rip: 0x7000n,
      length: 3,
      bytes: 0x03_8948n,
      code_mode: 4,
      failed: 0,
    });
  });

  it('says of each text which kernels print it', () => {
    const bounds = (name: string, said: string): string =>
      printersOf(name, said)
        .map(({ by, since, until }) => `${by} ${since ?? ''}..${until ?? ''}`)
        .join(' ');
    assert.equal(bounds('kvm_entry', 'vcpu 0'), 'kernel ..5.10');
    assert.equal(bounds('kvm_entry', 'vcpu 0, rip 0x10'), 'kernel 5.10..6.14');
    assert.equal(bounds('kvm_page_fault', 'address 84d000 error_code 4'), 'kernel ..6.0');
    assert.equal(bounds('kvm_exit', 'reason EXIT_NPF rip 0x10 info 200000006 f88eb2ff8'), 'kernel ..5.5 plugin ..');
    assert.equal(bounds('kvm_entry', 'vcpu 0, ri'), '');
  });

  describe('of the plugin of trace-cmd', () => {
    const read = (name: string, said: string): unknown => readAnyText(name, said);

    it('names exits its own way, which say whose they are', () => {
      const npf = { reason: 0x400, isa: 2, failed_vmentry: 0, rip: 0x10n, info1: 0x2_0000_0006n, info2: 0xf_88eb_2ff8n };
      assert.deepEqual(read('kvm_exit', 'reason EXIT_NPF rip 0x10 info 200000006 f88eb2ff8'), npf);
      for (const [name, reason, isa] of [
        ['EXIT_EXCP_PF', 0x4e, 2],
        ['EXIT_INTR', 0x60, 2],
        ['EXIT_IOIO', 0x7b, 2],
        ['EXIT_VMMCALL', 0x81, 2],
        ['EXIT_ERR', 0xffff, 2],
        ['PENDING_INTERRUPT', 7, 1],
        ['EPT_VIOLATION', 48, 1],
      ] as const) {
        const values = readAnyText('kvm_exit', `reason ${name} rip 0x10 info 0 0`)!;
        assert.deepEqual([values.reason, values.isa], [reason, isa], name);
      }
      const unknown = readAnyText('kvm_exit', 'reason UNKNOWN (77) rip 0x10 info 0 0')!;
      assert.deepEqual([unknown.reason, unknown.isa], [77, undefined]);
      const strange = readAnyText('kvm_exit', 'reason NO_SUCH_EXIT rip 0x10 info 0 0')!;
      assert.equal(strange.reason, 'NO_SUCH_EXIT');
    });

    it('has functions of the guest, instructions with and without a disassembler', () => {
      const insn = { csbase: 0n, rip: 0x100_053dn, length: 3, bytes: 0xc0_220fn, failed: 0 };
      assert.deepEqual(read('kvm_emulate_insn', '0:100053d: 0f 22 c0'), insn);
      assert.deepEqual(read('kvm_emulate_insn', '0:100053d memcpy+0x12: 0f 22 c0 FAIL'), { ...insn, function: 'memcpy+0x12', failed: 1 });
      assert.deepEqual(read('kvm_emulate_insn', '0:10: movl %eax, (%rdi)'), {
        csbase: 0n,
        rip: 0x10n,
        instruction: 'movl %eax, (%rdi)',
        failed: 0,
      });
      assert.deepEqual(read('kvm_entry', 'vcpu 2 rip 0x10 native_safe_halt+0xe'), {
        vcpu: 2,
        rip: 0x10n,
        function: 'native_safe_halt+0xe',
      });
    });

    it('has roles of its own', () => {
      const role = 1 | (1 << 4) | (1 << 7) | (7 << 8);
      assert.deepEqual(read('kvm_mmu_get_page', 'new sp gfn ffe00 1 q0 direct wux pae !nxe !wp root 0 sync'), {
        created: 1,
        gfn: 0xf_fe00n,
        role,
        smm: 0,
        root_count: 0,
        unsync: 0,
      });
      assert.deepEqual(read('kvm_mmu_prepare_zap_page', '1 q0 direct wux pae !nxe !wp root 0 sync'), {
        role,
        smm: 0,
        root_count: 0,
        unsync: 0,
      });
    });

    it('says what it cannot find; lists of fields are read by their names', () => {
      assert.deepEqual(read('kvm_nested_vmexit', '<CANT FIND FIELD rip>'), { missing: 'rip' });
      assert.deepEqual(read('kvm_mmu_get_page', '[FAILED TO PARSE] mmu_valid_gen=0x0 gfn=0x400 role=387 root_count=0 unsync=0 created=1'), {
        mmu_valid_gen: 0n,
        gfn: 0x400n,
        role: 387n,
        root_count: 0n,
        unsync: 0n,
        created: 1n,
      });
      assert.deepEqual(read('kvm_exit', 'exit_reason=48 guest_rip=0x10 isa=1 info1=0x181 info2=0x0'), {
        reason: 48n,
        rip: 0x10n,
        isa: 1n,
        info1: 0x181n,
        info2: 0n,
      });
    });
  });
});
