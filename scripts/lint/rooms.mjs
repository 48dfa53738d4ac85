/**
 * The rooms of the sources, from the ground up: what each holds, and which of those below it it uses. The linter refuses every other import
 * (rooms-rule.mjs), and docs/architecture.md shows this table (npm run generate).
 */

/**
 * @typedef {object} Room
 * @property {string} name
 * @property {readonly string[]} paths  folders and files, from the project's root; the longest that fits says where a file belongs
 * @property {string} holds
 * @property {readonly string[]} uses  rooms below
 * @property {boolean} host  it may use what its host has: clocks, timers, randomness, the network, a page
 * @property {string} [kernel]  where KVM has what a room of KVM holds
 * @property {readonly string[]} packages  installed packages as they are imported; `node:` is all that Node has
 */

const ENGINE_FACTS = ['values', 'journal', 'memory', 'x86', 'vcpu'];

/** KVM's rooms, each of which uses those before it: what they hold, and where the kernel has it. */
const KVM = [
  ['mmu', "the rows of KVM's events", '`mmutrace.h`, `trace.h`'],
  ['mmu/pages', "the VM's shadow pages: roles, sptes, reverse maps, write protection and tracking, unsync, flooding, zapping", '`mmu.c`, `spte.c`, `page_track.c`'],
  ['mmu/contexts', "`struct kvm_mmu`: roles of a vCPU's state, roots with their cache, walks of tables from a root", '`mmu.c`'],
  ['mmu/faults', 'a fault on its way: the host page behind it, its level, the leaf it installs', '`kvm_page_fault`, `kvm_faultin_pfn`, `mmu_set_spte`'],
  ['mmu/soft', 'shadow paging: faults, prefetch, synchronization, also on INVLPG', '`paging_tmpl.h`'],
  ['mmu/hard', 'EPT and NPT: the TDP MMU, direct faults, fast faults', '`tdp_mmu.c`, `direct_page_fault`'],
  ['mmu/logging', 'dirty logging by write protection and PML', '`kvm_mmu_slot_apply_flags`, `vmx_flush_pml_buffer`'],
  ['mmu/vcpu', '`struct kvm_vcpu`: requests, entry and exit, what stands in hardware, the MMIO cache', '`x86.c`'],
  ['mmu/emulation', 'the instruction emulator', '`x86_emulate_instruction`'],
  ['mmu/exits', 'handlers of VM exits: page faults, EPT violations and misconfigurations, register loads, invalidations', '`vmx.c`, `svm.c`, `kvm_mmu_page_fault`'],
  ['mmu/guest', "what a guest does: instructions with their exits, and its kernel's stores and edits of tables", '–'],
  ['mmu/nested', 'a guest that is a hypervisor: its processor, its memory, VM entries and exits, INVEPT and INVVPID', '`nested.c`'],
  ['mmu/vmm', 'slots, MMU notifiers, the setup of a VM and its vCPUs', '`kvm_main.c`'],
  ['mmu/checks', 'invariants between acts', '–'],
  ['mmu/inspection', 'what a table says of an address or a page', '–'],
]; // prettier-ignore
const KVM_NAMES = KVM.map(([name]) => name);

/** @type {readonly Room[]} */
export const ROOMS = [
  room('protocol', 'server/src/protocol', 'every message beyond plain LSP, typed; shared by server, client and panel', [], ['vscode-languageserver-types']),

  room('figure', 'server/src/figure', 'the way of an address as a figure: its layout as plain data, and SVG of it; for panel, command and reports', ['protocol']),

  room('values', ['server/src/engine/bits.ts', 'server/src/engine/program.ts', 'server/src/engine/result.ts', 'server/src/engine/inspection.ts'], 'halves of 64 bits; a program, the results of its acts, and what can be asked of a machine, as plain data'),
  room('journal', 'server/src/engine/journal', 'kinds of events with their fields, the journal, the state at a row', ['values']),
  room('memory', 'server/src/engine/memory', "host-physical memory, the VMM's virtual memory, memory slots, dirty logs", ['values', 'journal']),
  room('x86', 'server/src/engine/x86', 'facts of the architecture: entry layouts, formats, permissions, fault codes, exit reasons, and the one walker', ['values', 'journal', 'memory']),
  room('vcpu', 'server/src/engine/vcpu', 'registers and the rules of their loads, the processor with its TLB and paging-structure caches, invalidations', ['values', 'journal', 'memory', 'x86']),
  room('exit names', 'server/src/engine/mmu/exit-names.ts', "KVM's names of exits", ['x86']),
  room('kernel rules', 'server/src/engine/mmu/kernel-rules.ts', 'which rule of KVM holds in which kernel', ['values']),
  ...KVM.map(([name, holds, kernel], i) => ({ ...room(name, `server/src/engine/${name}`, holds, [...ENGINE_FACTS, 'exit names', 'kernel rules', ...KVM_NAMES.slice(0, i)]), kernel })),
  room('machine', 'server/src/engine', 'the machine of a program: performs acts', ['values', 'journal', 'memory', 'vcpu', 'exit names', 'mmu/pages', 'mmu/vcpu', 'mmu/exits', 'mmu/guest', 'mmu/nested', 'mmu/vmm', 'mmu/checks', 'mmu/inspection']),

  room('language', 'server/src/language', "tokens, grammar, tree, words, scopes, values, checks; scenario to program; `analysis.ts` is its face", [...ENGINE_FACTS, 'exit names', 'kernel rules'], ['chevrotain']),
  room('events', 'server/src/events', 'journal rows read as events, and what they, entries and numbers are called', ['protocol', 'values', 'journal', 'x86', 'vcpu', 'exit names', 'mmu/pages']),
  room('run', 'server/src/run', 'executing programs under their budgets, and judging what they expect', ['values', 'journal', 'x86', 'vcpu', 'machine', 'language', 'events']),
  room('views', 'server/src/views', 'steps, details, translations, outcomes: pure functions of a run', ['protocol', ...ENGINE_FACTS, 'mmu/pages', 'language', 'events', 'run']),
  room('export', 'server/src/export', 'text, JSON, ftrace, HTML', ['protocol', 'values', 'journal', 'vcpu', 'language', 'events', 'run', 'views', 'figure']),
  room('import', 'server/src/import', 'traces of real machines: lines to events, events to episodes, and what follows from them', ['values', 'journal', 'x86', 'exit names', 'mmu/pages', 'events', 'export']),
  room('api', 'server/src/api', '`mmu-scenarios/language` and `mmu-scenarios/engine`: parse, run and view; `mmu-scenarios/traces`: explain a trace; for whoever embeds them', ['protocol', 'figure', 'values', 'kernel rules', 'language', 'run', 'views', 'export', 'import']),
  room('services', 'server/src/services', 'an editor feature a file: (analysis, runs, position) → result', ['protocol', 'values', 'journal', 'language', 'events', 'run', 'views'], ['vscode-languageserver-types']),
  room('worker', 'server/src/worker', 'what a worker does for the server: scripts unrolled, run and looked at in steps; its messages', ['protocol', 'language', 'run', 'views', 'api', 'services'], ['vscode-languageserver-types']),
  room('workspace', 'server/src/workspace', 'documents → analyses and runs, a pool of workers, settings', ['protocol', 'language', 'services', 'worker'], ['vscode-languageserver-types', 'vscode-languageserver-textdocument']),
  room('routes', ['server/src/routes', 'server/src/server.ts'], 'what the client says, and who answers; guards, progress', ['protocol', 'language', 'services', 'worker', 'workspace'], ['vscode-languageserver', 'vscode-languageserver-textdocument']),
  room('node', 'server/src/node', 'the server as a process: files, timers and workers of Node; traces of files and standard input', ['language', 'import', 'worker', 'workspace', 'routes'], ['node:', 'vscode-languageserver/node'], true),
  room('cli', 'server/src/cli', 'the command `mmu`', ['values', 'events', 'api', 'node'], ['node:'], true),
  room('browser', 'server/src/browser', 'the server in a web worker', ['worker', 'workspace', 'routes'], ['vscode-languageserver/browser'], true),

  room('client', 'client/src', 'VS Code glue, one folder a feature', ['protocol'], ['vscode', 'vscode-languageclient', 'vscode-languageclient/node', 'vscode-languageclient/browser'], true),
  room('webview', 'client/webview', "the trace panel's page, which runs in any browser", ['protocol', 'figure'], [], true),
]; // prettier-ignore

function room(name, paths, holds, uses = [], packages = [], host = false) {
  return { name, paths: [paths].flat(), holds, uses, packages, host };
}

const BY_PATH = ROOMS.flatMap((room) => room.paths.map((path) => ({ path, room }))).sort((a, b) => b.path.length - a.path.length);

/**
 * The room of a file, by its path from the project's root, with or without `.ts`.
 * @returns {Room | null}
 */
export function roomOf(file) {
  return BY_PATH.find(({ path }) => file === path || `${file}.ts` === path || file.startsWith(`${path}/`))?.room ?? null;
}
