/** Every code of a problem with what it means; the reference (docs/language.md) lists this table. */
import type { ProblemCode as SyntaxCode } from '../syntax/problem';

const OF_TEXT: { readonly [code in SyntaxCode]: string } = {
  'unexpected-character': 'A character that the language does not use.',
  'unterminated-comment': 'A `/*` without its `*/`.',
  'unterminated-string': 'A string without its closing quote.',
  'bad-number': 'Something that begins like a number and is none.',
  'number-too-large': 'A number of more than 64 bits.',
  expected: 'Something is missing here.',
  'expected-close': 'A bracket without its closing one.',
  unexpected: 'Something that cannot stand here.',
  'reserved-word': 'A word of the language where a name is needed.',
  'unknown-setting': 'The block has no such setting.',
  'unknown-choice': 'The setting has no such choice.',
  'unknown-flag': 'There is no such flag here.',
  'unknown-word': 'A word that means nothing here.',
  'ambiguous-range': 'A sum where a length could be meant: write `a +2M`, or `(a + 2M)`.',
  'expression-too-long': 'An expression with too many operators.',
  'too-deep': 'Brackets nested too deep.',
  'too-large': 'The file is too large.',
  'too-many-problems': 'There are more problems than are shown.',
};

const OF_NAMES = {
  'unknown-name': 'Nothing defines this name.',
  'defined-twice': 'Two definitions of a name in one place.',
  'built-in-name': '`shadow`, `tdp` and `tlb` are built in.',
  'not-tables': 'A name that is not that of tables.',
  'unused-name': 'Nothing uses this name.',
  'no-such-file': 'The imported file cannot be read.',
  'not-opened': 'A file that a scenario may not open, that is no regular file, or that is too large (docs/security.md).',
  'import-cycle': 'Files that import each other.',
  'too-many-files': 'More imported files than a scenario may have.',
  'no-vm': 'There is no VM to run.',
  'which-vm': 'There are several VMs; one must be named.',
  'not-in-run': 'The VM, or the tables, are not part of this run.',
  'wrong-arguments': 'A block takes another number of arguments.',
  'call-cycle': 'A block that calls itself.',
};

const OF_VALUES = {
  overflow: 'The value does not fit in 64 bits.',
  'division-by-zero': 'Division by zero.',
  'bad-shift': 'A shift by less than 0 or more than 63 bits.',
  'empty-range': 'A range that ends before it begins.',
  'bad-step': 'A step that is not positive.',
  'constant-cycle': 'A constant that is defined by itself.',
  'too-many-rounds': 'Loops with more rounds than can be unrolled.',
  'too-many-acts': 'A script with more acts than a run can have.',
  'takes-too-long': 'Unrolling the file takes more than its part of the time limit.',
  'out-of-range': 'A number outside of what is possible here.',
  'not-a-switch': 'Something else than on or off.',
  'not-aligned': 'An address or size that is not the multiple it must be.',
  'value-too-large': 'A value that does not fit in the bytes of the access or word.',
};

const OF_MACHINES = {
  'set-twice': 'One thing is set twice.',
  'setting-missing': 'A setting that must be given.',
  'feature-conflict': 'Settings that exclude each other.',
  'not-in-loop': 'An item of a VM that cannot be repeated.',
  'not-nested': 'A setting that only a VM inside a VM has.',
  'slot-twice': 'Two slots with one id.',
  'slot-overlap': 'KVM answers EEXIST: slots overlap in guest-physical memory.',
  'slot-refused': 'KVM_SET_USER_MEMORY_REGION or a dirty-log ioctl fails, with its errno.',
  'no-room-for-slot': 'The VM around has no room for the memory of the slot.',
  'not-in-slot': 'A guest-physical address in no slot.',
  'register-refused': '#GP: the processor refuses this value of a register.',
  'cr3-low-bits': 'Low bits of CR3 that mean nothing here.',
  'impossible-nesting': 'A hard MMU for a guest whose hypervisor has a soft one.',
  'mixed-vendors': 'EPT and NPT in one machine.',
  'too-many-levels': 'More kinds of MMU than there are VMs.',
  'kind-twice': 'A kind of MMU, or a kernel, that is listed twice.',
};

const OF_TABLES = {
  'non-canonical': 'An address that the paging mode cannot translate.',
  'no-such-page-size': 'The format has no pages of this size.',
  'flag-not-here': 'Entries of this format or level have no such flag.',
  'flags-clash': 'Flags that contradict each other.',
  'unknown-bit': 'Entries of this format have no such bit.',
  'entry-too-wide': 'A value of more than 4 bytes for a 4-byte entry.',
  'entry-twice': 'An entry with two values.',
  'reserved-bits': 'A present entry with reserved bits: every use of it faults.',
  'format-mismatch': 'Tables of another format than is needed.',
  'mappings-overlap': 'One address is mapped twice.',
  'mapped-to-no-slot': 'The mapping leads to addresses without memory: MMIO.',
  'tables-overlap': 'Two tables in one page, or a table where other memory lies.',
  'tables-clash': 'One table, or entry, that would have to be two.',
  'table-in-no-slot': 'A table at an address without memory.',
  'no-room-for-tables': 'Guest memory has no room for further tables.',
  'tables-too-large': 'Tables of too many pages.',
  'way-blocked': 'A raw entry, or a larger page, in the way of a mapping.',
  'no-entry-here': 'Rights for an entry that does not exist.',
  'share-cycle': 'Tables that share entries with each other.',
  'address-cycle': 'Tables whose place depends on itself.',
};

const OF_SCRIPTS = {
  'no-effect': 'Something that changes nothing.',
  'nothing-to-do': 'A run without statements.',
  'not-editable': "The hypervisor's tables and the TLB cannot be edited.",
  'not-loadable': 'A register that a script cannot load.',
  'host-in-handler': 'An act of the host in code of the guest.',
  'handler-in-handler': 'A handler inside a handler.',
  'cr2-in-repetition': '`cr2` in the handler of a repeated access.',
  'no-range': 'A range where one address is needed.',
  'not-a-hypervisor': 'An instruction of hypervisors, in a VM without guests.',
  'not-by-script': 'What only a hypervisor that is played by the script does.',
  'other-vendor': "A word of the other vendor's processors.",
  'never-runs': 'A part for kinds of MMU under which, or kernels with which, nothing runs.',
};

const OF_EXPECTATIONS = {
  'nothing-before': 'An expectation of an act, and there is none before it.',
  'not-of-this-act': 'The act cannot end so.',
  contradiction: 'Expectations that cannot hold together.',
  'impossible-error-code': 'A #PF error code that does not exist.',
  'no-such-tables': 'EPT or NPT under soft MMU, or shadow tables under hard MMU.',
  'not-of-tlb': 'A translation in the TLB is present or absent, no more.',
  'no-such-slot': 'There is no such slot at this point.',
  'no-dirty-log': 'The slot does not log dirty pages at this point.',
  'unknown-field': 'The event has no such field.',
};

const OTHERS = { 'not-supported-yet': 'The language can say it; the engine cannot run it yet.' };

export const PROBLEM_CODES = {
  Text: OF_TEXT,
  'Names and files': OF_NAMES,
  Values: OF_VALUES,
  Machines: OF_MACHINES,
  Tables: OF_TABLES,
  Scripts: OF_SCRIPTS,
  Expectations: OF_EXPECTATIONS,
  Others: OTHERS,
};

/** Stable name of a kind of problem. */
export type ProblemCode =
  | SyntaxCode
  | keyof typeof OF_NAMES
  | keyof typeof OF_VALUES
  | keyof typeof OF_MACHINES
  | keyof typeof OF_TABLES
  | keyof typeof OF_SCRIPTS
  | keyof typeof OF_EXPECTATIONS
  | keyof typeof OTHERS;
