/**
 * Breaks rules of the engine's MMU one at a time, in a copy of the checkout, and says which test notices: `node
 * scripts/mutate-engine.mjs [--all] [WORD…]`. With words, only rules that contain one; with `--all` the tests do not stop at the
 * first that fails. Ends with the rules that nobody watches, and status 1 when there are some. Not part of `npm test`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MMU = 'server/src/engine/mmu';
/** Plain tests first, as they are quick to notice and say what. */
const TESTS = [
  'worked-examples',
  'options',
  'rules',
  'vcpu/several-vcpus',
  'large-and-wide',
  'logging/pml-from-start',
  'worlds',
  'metamorphic',
  'properties',
  'paging-modes',
  'journal-truth',
].map((name) => `test/engine/mmu/${name}.test.ts`);

/** Rule, file, the text that keeps it, and what is put in its place. */
const MUTATIONS = [
  ['S3: a new table is write-protected', 'pages/get-page.ts', '  if (protectFrame(kvm, gfn)) kvm.flushRemoteTlbs(gfn, 1);', ''],
  ['S3: an upper table is write-protected', 'pages/get-page.ts', '    if (protectFrame(kvm, gfn)) kvm.flushRemoteTlbs();', ''],
  [
    'L5: flush behind the protection of a new table',
    'pages/get-page.ts',
    'if (protectFrame(kvm, gfn)) kvm.flushRemoteTlbs(gfn, 1);',
    'protectFrame(kvm, gfn);',
  ],
  ['S3: an upper table is tracked', 'pages/get-page.ts', '    kvm.track.add(gfn);', ''],
  [
    'S5: parents learn of an unsync page when it is linked',
    'pages/get-page.ts',
    '  if (child.unsync || child.unsyncChildren > 0) markEntryUnsync(kvm, at);',
    '',
  ],
  ['S5: parents learn of a page that becomes unsync', 'pages/unsync.ts', '    markParentsUnsync(kvm, page);\n  }', '  }'],
  [
    'M2: a prefetch makes no table unsync',
    'pages/unsync.ts',
    'if (prefetch || !kvm.options.unsync) return true;',
    'if (!kvm.options.unsync) return true;',
  ],
  ['S4: tracked frames are never unsync', 'pages/unsync.ts', '  if (kvm.track.tracked(gfn)) return true;', ''],
  [
    '5.6: synchronization protects the table again',
    'pages/unsync.ts',
    'for (const page of pages) isProtected = protectFrame(kvm, page.gfn) || isProtected;',
    '',
  ],
  ['5.6: an entry that is not usable is dropped', 'soft/sync.ts', '  if (!entry.usable(guestFormat)) {', '  if (false) {'],
  ['5.6: another frame is dropped', 'soft/sync.ts', '|| gfn !== page.gfnAt(index)) {', ') {'],
  ['C4: rights are made anew by synchronization', 'soft/sync.ts', '  return updateSpte(kvm, at, format.lo, format.hi);', '  return false;'],
  ['C1: INVLPG drops the entry', 'soft/sync.ts', '      zapEntry(kvm, page, walk.at, null);\n', ''],
  ['L5: INVLPG flushes', 'soft/sync.ts', '      if (format.present(entryLo)) kvm.flushRemoteTlbs(page.gfn, 1);', ''],
  ['C1: INVLPG prefetches', 'soft/sync.ts', '      prefetchEntry(kvm, mmu, page, indexOf(walk.at), false);', ''],
  ['C1: INVLPG leaves tables in step alone', 'soft/sync.ts', '      if (!page.unsync) return;\n', ''],
  [
    'M5: INVLPG looks into previous roots',
    'vcpu/kvm-vcpu.ts',
    'if (all) for (const root of mmu.roots.previous)',
    'if (false) for (const root of mmu.roots.previous)',
  ],
  [
    'D tracking: a clean page is mapped read-only',
    'soft/shadow-page-fault.ts',
    '  if (!fault.write && (walker.rights & Rights.dirty) === 0) access &= ~Acc.write;',
    '',
  ],
  [
    '5.7: W without U under CR0.WP=0',
    'soft/shadow-page-fault.ts',
    'access = (access | Acc.write) & ~Acc.user;',
    'access = access | Acc.write;',
  ],
  ['5.7: SMEP: such a page is not executable', 'soft/shadow-page-fault.ts', '    if (vcpu.smep) access &= ~Acc.exec;', ''],
  ['C15: a write clears the counts of its own way', 'soft/shadow-page-fault.ts', '    clearFlooding(kvm, mmu, fault);\n', ''],
  [
    '5.4: the guest entry is read again before a table is linked',
    'soft/shadow-page-fault.ts',
    '    if (guestEntryChanged(kvm, mmu, fault, level - 1)) return RetPf.retry;',
    '',
  ],
  ['5.4: direct tables serve one set of rights', 'soft/shadow-page-fault.ts', '    dropDirectOfOtherRights(kvm, at, access);', ''],
  [
    '5.4: unsync pages below a table are synchronized before it is linked',
    'soft/shadow-page-fault.ts',
    "    if (child !== 'linked' && child.unsyncChildren > 0) syncChildren(kvm, child, mmu.sync);",
    '',
  ],
  [
    'M1: prefetch stops at an entry that was not used',
    'soft/prefetch.ts',
    '    if (!prefetchEntry(kvm, mmu, page, i, true)) return;',
    '    prefetchEntry(kvm, mmu, page, i, true);',
  ],
  ['M1: prefetch spares the dirty log', 'soft/prefetch.ts', '(sparesLog && slot.dirtyLog !== null)', 'false'],
  ['M7: a writable leaf marks its page dirty', 'pages/leaf.ts', 'slot.dirtyLog.mark(gfn - slot.gfn);', ';'],
  ['C5: D comes with W', 'pages/leaf.ts', '    if (!refused && (!wasWritable || kvm.mainline)) format.addDirty();', ''],
  ['L5: losing W flushes', 'pages/leaf.ts', '(format.mmuWritable(oldLo, oldHi) && !format.writable(lo)) ||', ''],
  [
    'S8: a dropped leaf leaves the reverse map',
    'pages/leaf.ts',
    '  if (present) kvm.rmap.remove(page.gfnAt(indexOf(at)), page.level, at);',
    '',
  ],
  ['5.6: an emulated write clears the entry', 'pages/write-flooding.ts', '      zapEntry(kvm, page, at, null);', ''],
  ['L5: an emulated write flushes', 'pages/write-flooding.ts', 'if (kvm.format.present(kvm.tables.low(at))) flush = true;', ''],
  [
    '5.6: a write across entries zaps the table',
    'pages/write-flooding.ts',
    'if (crossesEntries(page, gpa, bytes) || floods(kvm, page)) {',
    'if (floods(kvm, page)) {',
  ],
  [
    '5.6: 32-bit: another quadrant is not meant',
    'pages/write-flooding.ts',
    '    if (Math.floor(offset / 4096) !== page.quadrant) return [];',
    '',
  ],
  ['5.6: 32-bit: a directory entry has two shadows', 'pages/write-flooding.ts', '      count = 2;', ''],
  ['5.10: zapping unlinks from parents', 'pages/zap.ts', '  for (const at of page.parents) kvm.setSpte(at, 0, kvm.format.emptyHi);', ''],
  [
    '5.10: zapping ends tracking',
    'pages/zap.ts',
    '    if (page.level > 1) track.remove(page.gfn);\n    else track.allowLarge(page.gfn);',
    '',
  ],
  [
    '5.10: freed tables are flushed',
    'pages/zap.ts',
    '  if (invalid.length === 0) return;\n  kvm.flushRemoteTlbs();',
    '  if (invalid.length === 0) return;',
  ],
  ['5.10: a zapped root is reloaded', 'pages/zap.ts', '  if (zappedRoot) kvm.freeObsoleteRoots();', ''],
  ['5.10: recycling spares roots', 'pages/zap.ts', 'if (page.rootCount > 0 || page.invalid) continue;', 'if (page.invalid) continue;'],
  [
    '5.9: zap all frees obsolete roots',
    'pages/zap.ts',
    '  tdpMmu?.invalidateRoots();\n  kvm.freeObsoleteRoots();',
    '  tdpMmu?.invalidateRoots();',
  ],
  ['6.2: TDP roots are taken down', 'pages/zap.ts', '  tdpMmu?.zapInvalidRoots();', ''],
  [
    'M10: the notifier drops leaves',
    'vmm/hypervisor.ts',
    'for (const block of kvm.rmap.blocks(gfn, endGfn, level)) flush = zapFrame(kvm, block, level) || flush;',
    '',
  ],
  ['M10: the notifier drops TDP leaves', 'vmm/hypervisor.ts', '      flush = kvm.tdpMmu?.zapRange(gfn, endGfn) || flush;', ''],
  [
    'L5: the notifier flushes',
    'vmm/hypervisor.ts',
    '    if (flush) kvm.flushRemoteTlbs();\n    journal.actor = actor;',
    '    journal.actor = actor;',
  ],
  ['4.4: GET arms the log again', 'vmm/hypervisor.ts', 'if (!kvm.options.dirtyLogInitiallySet) rearmLogging(kvm, slot, pages);', ''],
  ['4.2: deleting zaps everything', 'vmm/hypervisor.ts', '  flushShadow(): void {\n    zapAllFast(this.kvm);', '  flushShadow(): void {'],
  ['6.5: PML is drained at exits', 'vcpu/kvm-vcpu.ts', '    if (kvm.pmlActive) drainPml(kvm, this);', ''],
  ['6.5: huge leaves are divided when logging starts', 'logging/dirty-logging.ts', '  tdpMmu?.splitHuge(slot.gfn, end);', ''],
  ['6.5: leaves are protected when logging starts', 'logging/dirty-logging.ts', '  tdpMmu?.protectSlot(slot, byProtectionFrom);', ''],
  [
    '5.12: soft leaves are protected when logging starts',
    'logging/dirty-logging.ts',
    'for (const gfn of kvm.rmap.blocks(slot.gfn, end, level)) protectLeaves(kvm, gfn, level, false);',
    '',
  ],
  [
    'L5: starting to log flushes',
    'logging/dirty-logging.ts',
    '  tdpMmu?.protectSlot(slot, byProtectionFrom);\n  kvm.flushRemoteTlbs(slot.gfn, slot.pages);',
    '  tdpMmu?.protectSlot(slot, byProtectionFrom);',
  ],
  ['L5: arming again flushes', 'logging/dirty-logging.ts', '  if (pages.length > 0) kvm.flushRemoteTlbs(slot.gfn, slot.pages);', ''],
  [
    '6.5: CLEAR divides huge leaves',
    'logging/dirty-logging.ts',
    '  if (kvm.options.dirtyLogInitiallySet) protectHuge(kvm, slot, pages);',
    '',
  ],
  ['4.2: huge leaves come back when logging ends', 'logging/dirty-logging.ts', '  kvm.tdpMmu?.zapCollapsible(slot, largest);', ''],
  [
    '4.6: no large leaf over a shadowed table',
    'faults/fault-in.ts',
    '!(slot.fits(gfn, level) && kvm.track.largeAllowed(gfn, level))',
    '!slot.fits(gfn, level)',
  ],
  [
    '4.6: no large leaf beyond the slot',
    'faults/fault-in.ts',
    '!(slot.fits(gfn, level) && kvm.track.largeAllowed(gfn, level))',
    '!kvm.track.largeAllowed(gfn, level)',
  ],
  ['4.6: no large leaf in a logging slot', 'faults/fault-in.ts', ' || fault.slot.dirtyLog !== null) return;', ') return;'],
  ['M7: the fast path marks the page dirty', 'hard/fast-page-fault.ts', 'fault.slot.dirtyLog?.mark(fault.gfn - fault.slot.gfn);', ';'],
  [
    'T3: no fast path where logging is on and the leaf is huge',
    'hard/fast-page-fault.ts',
    '    if (level > 1 && logs) return RetPf.invalid;',
    '',
  ],
  [
    '5.8: MOV CR3 synchronizes',
    'exits/register-loads.ts',
    "  vcpu.request('sync');\n  vcpu.request('flushCurrent');\n  if (pcide) mmu",
    "  vcpu.request('flushCurrent');\n  if (pcide) mmu",
  ],
  [
    '5.8: MOV CR3 lets go of roots of its PCID',
    'exits/register-loads.ts',
    '  if (pcide) mmu.roots.freePrevious((root) => (root.pgdLo & 0xfff) === (lo & 0xfff));',
    '',
  ],
  ['5.8: bit 63 of CR3 spares the flush', 'exits/register-loads.ts', '  if (pcide && hi < 0) return;', ''],
  [
    '5.8: INVPCID of another PCID lets go of its roots',
    'exits/register-loads.ts',
    'if ((vcpu.registers.lo(Register.cr4) & Cr4.pcide) !== 0) vcpu.mmu.roots.freePrevious((root) => (root.pgdLo & 0xfff) === pcid);',
    '',
  ],
  [
    '5.8: INVPCID of an address looks into its PCID’s roots',
    'exits/register-loads.ts',
    ' && (pcide ? root.pgdLo & 0xfff : 0) === pcid) invalidateAddress',
    ' && false) invalidateAddress',
  ],
  ['5.8: full flush synchronizes previous roots', 'vcpu/kvm-vcpu.ts', '        this.syncPreviousRoots();', ''],
  ['5.8: CR0.WP makes new roots', 'exits/register-loads.ts', 'else if ((changed & (Cr0.pg | Cr0.wp)) !== 0) vcpu.resetMmu();', ''],
  [
    '3.12: requests flush before entry',
    'vcpu/kvm-vcpu.ts',
    '    if (requests.flushAll || requests.flushCurrent) this.flushHardware();',
    '',
  ],
  [
    '5.11: MMIO sptes of an old generation are stale',
    'exits/page-fault.ts',
    '  if (generation !== kvm.mmioGeneration) return RetPf.invalid;',
    '',
  ],
  ['5.1.2: WP is part of the role', 'contexts/cpu-role.ts', '  if (wp) role |= Role.cr0Wp;', ''],
  [
    '5.1.2: SMEP without WP is part of the role',
    'contexts/cpu-role.ts',
    '  if (!wp && (cr4 & Cr4.smep) !== 0) role |= Role.smepAndNotWp;',
    '',
  ],
  [
    '5.1.2: rights of the way are part of the role',
    'pages/role.ts',
    'withLevel(parent, levelOf(parent) - 1), access)',
    'withLevel(parent, levelOf(parent) - 1), 7)',
  ],
  [
    '5.1.2: the half of a 32-bit table is part of the role',
    'pages/role.ts',
    'role = withQuadrant(role, index & 1);',
    'role = withQuadrant(role, 0);',
  ],
  [
    'S3: protection reaches all large leaves',
    'pages/write-protect.ts',
    'for (let level = fromLevel; level <= 3; level++) changed',
    'for (let level = fromLevel; level <= 1; level++) changed',
  ],
  ['M5: protection for shadows takes MMU-W', 'pages/spte.ts', 'WRITABLE | (forShadow ? this.mmuWritableLo : 0)', 'WRITABLE | 0'],
  [
    '5.8: the MMIO cache forgets at MOV CR3',
    'vcpu/kvm-vcpu.ts',
    "    this.request('loadRoot');\n    this.mmio.forgetAllGva();",
    "    this.request('loadRoot');",
  ],
  ['5.8: the MMIO cache forgets at INVLPG', 'vcpu/kvm-vcpu.ts', '    this.mmio.forgetGva(lo, hi);\n', ''],
  ['4.2: the MMIO cache forgets with the generation', 'vcpu/mmio-cache.ts', 'return this.generation === this.now();', 'return true;'],
  ['M4: a page that the host lets be read is mapped read-only', 'hard/tdp-mmu.ts', 'hostWritable: mapWritable,', 'hostWritable: true,'],
  [
    'M4: so it is in soft MMU',
    'soft/shadow-page-fault.ts',
    'hostWritable: mapWritable, prefetch: false, write });',
    'hostWritable: true, prefetch: false, write });',
  ],
  [
    '5.3 P4: a write to a tracked page is emulated',
    'soft/shadow-page-fault.ts',
    '!fault.reserved && fault.present && fault.write',
    'false && fault.write',
  ],
  [
    'M7: a READONLY slot is emulated, never written',
    'emulation/emulator.ts',
    'const address = kvm.guest.address(gpa, true);',
    'const address = kvm.guest.address(gpa, false);',
  ],
  ['M7: emulated writes are in the dirty log', 'emulation/emulator.ts', '        kvm.guest.markDirty(Math.floor(gpa / 4096));\n', ''],
  ['M7: the walker’s flags are in the dirty log', 'vcpu/kvm-vcpu.ts', '  kvm.guest.markDirty(Math.floor(gpa / 4096));', ''],
  [
    '6.5: fast path restores W alone where MMU-W is',
    'hard/fast-page-fault.ts',
    'if (fault.write && format.mmuWritable(lo, hi)) {',
    'if (fault.write) {',
  ],
  ['T2: one root of a role', 'hard/tdp-mmu.ts', '    if (known !== undefined) return known;', ''],
  [
    '6.2 T6: pieces of a divided leaf map its parts',
    'pages/spte.ts',
    'this.setFrame(this.pfn(lo, hi) + index * step);',
    'this.setFrame(this.pfn(lo, hi));',
  ],
  ['5.9: roots are counted', 'contexts/roots.ts', '    page.rootCount--;\n    if', '    if'],
];

function copy() {
  const to = mkdtempSync(join(tmpdir(), 'mutated-engine-'));
  for (const name of ['server', 'test', 'package.json', 'tsconfig.json']) cpSync(join(ROOT, name), join(to, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'));
  // The first counterexample will do.
  writeFileSync(join(to, 'setup.mjs'), "import fc from 'fast-check';\nfc.configureGlobal({ endOnFailure: true });\n");
  return to;
}

/** @returns titles of tests that failed; an empty list: nobody noticed */
function noticed(directory, all) {
  const options = [
    '-n',
    'import=tsx',
    '-n',
    'conditions=import',
    '--require',
    './setup.mjs',
    '--reporter',
    'json',
    '--timeout',
    '0',
    '--exit',
  ];
  const mocha = join(directory, 'node_modules', 'mocha', 'bin', 'mocha.js');
  const args = [mocha, '--no-config', ...options, ...(all ? [] : ['--bail']), ...TESTS];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8', timeout: 600_000, maxBuffer: 1 << 28 });
  try {
    return JSON.parse(stdout.slice(stdout.indexOf('{\n'))).failures.map(({ fullTitle }) => fullTitle);
  } catch {
    return status === 0 ? [] : [status === null ? 'the tests did not end' : 'the tests could not run'];
  }
}

const words = process.argv.slice(2).filter((word) => word !== '--all');
const all = process.argv.includes('--all');
const chosen = MUTATIONS.filter(([rule]) => words.length === 0 || words.some((word) => rule.includes(word)));
const directory = copy();
const unnoticed = [];
try {
  for (const [rule, name, text, instead] of chosen) {
    const file = join(directory, MMU, name);
    const source = readFileSync(file, 'utf8');
    if (source.split(text).length !== 2) {
      console.log(`?  ${rule}: ${name} has this text ${source.split(text).length - 1} times`);
      unnoticed.push(rule);
      continue;
    }
    writeFileSync(
      file,
      source.replace(text, () => instead),
    );
    const tests = noticed(directory, all);
    writeFileSync(file, source);
    console.log(`${tests.length > 0 ? 'ok' : '--'} ${rule}${tests.map((test) => `\n     ${test}`).join('')}`);
    if (tests.length === 0) unnoticed.push(rule);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
console.log(
  `${chosen.length - unnoticed.length} of ${chosen.length} rules are watched${unnoticed.map((rule) => `\n  not: ${rule}`).join('')}`,
);
process.exitCode = unnoticed.length > 0 ? 1 : 0;
