import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { printKernelText, readKernelText } from '../../server/src/events/kernel-text/kernel-text';
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
  const dialect = { vendor: 'amd', ept: false } as const;
  for (const { name, said } of lines) {
    const values = readKernelText(name, said, kernel, dialect);
    assert.ok(values, `${kernel} ${name}: ${said}`);
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

  it('of one kernel is not that of another', () => {
    const amd = { vendor: 'amd', ept: false } as const;
    const fault = 'vcpu 0 gva 800000 error_code P|W|U|0x100000000 sptep 00000000deadbeef old 0x0 new 0 spurious 0 fixed 0';
    const read = (name: string, said: string, kernel: Release): unknown => readKernelText(name, said, kernel, amd);
    assert.equal(read('kvm_set_spte_hva', 'mmu notifier set pte hva: 0x007f0000005000', '6.12'), null);
    assert.equal(read('kvm_nested_vmrun', 'rip: 0x0000000000010000', '6.1'), null);
    assert.equal(read('kvm_entry', 'vcpu 0, rip 0x10 intr_info 0x00000000 error_code 0x00000000', '6.12'), null);
    assert.ok(read('kvm_entry', 'vcpu 0, rip 0x10 intr_info 0x00000000 error_code 0x00000000', '6.18'));
    // What 6.1 keeps of an error code has 32 bits.
    const values = readKernelText('fast_page_fault', fault, '6.12', amd)!;
    assert.equal(printKernelText('fast_page_fault', values, '6.1', amd), fault.replace('|0x100000000', ''));
  });

  it('gives values by the names of our fields', () => {
    const intel = { vendor: 'intel', ept: true } as const;
    const read = (name: string, said: string): unknown => readKernelText(name, said, '6.1', intel);
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
      { vcpu: 1, reason: 48, rip: 0x10n, info1: 0x181n, info2: 0n, intr_info: 0n, error_code: 0n },
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
});
