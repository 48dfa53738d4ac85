/** Snippets: whole constructs to fill in, by the body where they can stand, with names and addresses of the machine at hand. */

/** What a body holds. */
export type SnippetPlace = 'file' | 'vm' | 'tables' | 'script';

/** What snippets name, of what is declared; what is not, is as in the first scenario of the reference. */
export interface SnippetFacts {
  readonly hasVm: boolean;
  readonly vm: string;
  readonly tables: string;
  /** A linear address that is mapped, and where it leads. */
  readonly linear: string;
  readonly target: string;
  /** Ids of a slot that there is, and of one that there is not. */
  readonly slot: string;
  readonly nextSlot: string;
  /** Guest-physical space in no slot. */
  readonly free: string;
  /** Guest-physical page for the root of further tables. */
  readonly root: string;
  /** The next linear address and memory to map it to. */
  readonly nextLinear: string;
  readonly nextTarget: string;
}

interface Snippet {
  readonly label: string;
  readonly about: string;
  readonly body: (facts: SnippetFacts) => readonly string[];
  /** It is not offered where this says no. */
  readonly fits?: (facts: SnippetFacts) => boolean;
}

const WHO = '${1|user,supervisor|}';

export const SNIPPETS: { readonly [place in SnippetPlace]: readonly Snippet[] } = {
  file: [
    {
      label: 'scenario',
      about: 'A VM, its page tables, and a run under each kind of MMU virtualization',
      fits: ({ hasVm }) => !hasVm,
      body: () => [
        '// ${1:What does the first access to a page cost?}',
        '',
        'host { memory ${2:64M} }',
        '',
        'vm ${3:guest} {',
        '\tslot 0 { gpa 0  size ${4:16M} }',
        '',
        '\ttables ${5:kernel} at ${6:0x1000} {',
        '\t\t${7:0x40_0000} +${8:2M}  -> ${9:0x20_0000}  rw user',
        '\t}',
        '\tvcpu { cr3 ${5:kernel} }',
        '}',
        '',
        'run ${3:guest} under soft, ept, npt {',
        '\tuser read ${7:0x40_0000}  expect ok$0',
        '}',
      ],
    },
    {
      label: 'vm { … }',
      about: 'A VM with a slot, page tables and a vCPU',
      body: () => [
        'vm ${1:guest} {',
        '\tmmu ${2|ept,npt,soft|}',
        '',
        '\tslot 0 { gpa 0  size ${3:16M} }',
        '',
        '\ttables ${4:kernel} at ${5:0x1000} {',
        '\t\t${6:0x40_0000} +${7:2M}  -> ${8:0x20_0000}  rw user$0',
        '\t}',
        '\tvcpu { cr3 ${4:kernel} }',
        '}',
      ],
    },
    {
      label: 'vm { … vm { … } }',
      about: 'L1 that behaves as KVM does, with L2 inside',
      body: () => [
        'vm ${1:l1} {',
        '\tmmu ${2|ept,npt,soft|}',
        '',
        '\tslot 0 { gpa 0  size ${3:64M} }',
        '',
        '\ttables ${4:host1} at ${5:0x1000} {',
        '\t\t0 +${3:64M}  -> 0  rw',
        '\t}',
        '\tvcpu { cr3 ${4:host1} }',
        '',
        '\tvm ${6:l2} {',
        '\t\tmmu ${7|ept,npt,soft|}',
        '',
        '\t\tslot 0 { gpa 0  size ${8:8M}  hva ${9:0x200_0000} }',
        '',
        '\t\ttables ${10:guest} at ${11:0x1000} {',
        '\t\t\t${12:0x40_0000} +${13:64K}  -> ${14:0x20_0000}  rw user',
        '\t\t}',
        '\t\tvcpu { cr3 ${10:guest} }',
        '\t}',
        '}',
        '',
        'run ${1:l1} {',
        '\t${6:l2}: user read ${12:0x40_0000}  expect ok$0',
        '}',
      ],
    },
    {
      label: 'vm { hypervisor script … }',
      about: 'A guest hypervisor whose every act the script writes, with its EPT for L2',
      body: () => [
        'vm ${1:l1} {',
        '\tmmu ept',
        '\thypervisor script',
        '',
        '\tslot 0 { gpa 0  size ${2:64M} }',
        '',
        '\ttables ${3:ept12} ept at ${4:0x10_0000} {',
        '\t\t0 +${5:8M}  -> ${6:0x200_0000}  rwx',
        '\t}',
        '\tvcpu { paging none }',
        '',
        '\tvm ${7:l2} {',
        '\t\tmmu ept',
        '\t\troot ${3:ept12}',
        '\t\t$0',
        '\t}',
        '}',
      ],
    },
    {
      label: 'run { … }',
      about: 'A script, run under some kinds of MMU virtualization',
      fits: ({ hasVm }) => hasVm,
      body: ({ vm }) => [`run \${1:${vm}} under \${2:soft, ept, npt} {`, '\t$0', '}'],
    },
    {
      label: 'block { … }',
      about: 'Named statements with parameters',
      body: () => ['block ${1:touch}(${2:address}) {', '\tuser read ${2:address}  expect ok$0', '}'],
    },
  ],
  vm: [
    {
      label: 'slot { … }',
      about: 'KVM_SET_USER_MEMORY_REGION: guest-physical addresses backed by memory of the VMM',
      body: ({ nextSlot, free }) => [`slot \${1:${nextSlot}} { gpa \${2:${free}}  size \${3:16M} }`],
    },
    {
      label: 'tables { … }',
      about: 'Page tables with a mapped range',
      body: ({ root, linear, nextTarget }) => [
        `tables \${1:name} at \${2:${root}} {`,
        `\t\${3:${linear}} +\${4:2M}  -> \${5:${nextTarget}}  \${6:rw user}$0`,
        '}',
      ],
    },
    {
      label: 'vcpu { … }',
      about: 'A virtual processor and its paging mode',
      body: ({ tables }) => ['vcpu {', '\tpaging ${1|4-level,5-level,pae,32-bit,none|}', `\tcr3 \${2:${tables}}$0`, '}'],
    },
  ],
  tables: [
    {
      label: 'mapping',
      about: 'A mapped range of linear addresses',
      body: ({ nextLinear, nextTarget }) => [`\${1:${nextLinear}} +\${2:4K}  -> \${3:${nextTarget}}  \${4:rw user}`],
    },
  ],
  script: [
    {
      label: 'read … expect',
      about: 'An access and what must come of it',
      body: ({ linear }) => [`${WHO} \${2|read,write,fetch|} \${3:${linear}}  expect \${4:ok}`],
    },
    {
      label: 'read … x … step',
      about: 'Repeated accesses, a page apart',
      body: ({ linear }) => [`${WHO} \${2|read,write,fetch|} \${3:${linear}} x \${4:16} step \${5:4K}  expect ok`],
    },
    {
      label: 'write … expect #PF',
      about: 'An access that ends in a page fault',
      body: ({ linear }) => [`${WHO} \${2|write,read,fetch|} \${3:${linear}}  expect #PF(\${4:P W U})`],
    },
    {
      label: 'write … on fault { … }',
      about: "An access with the guest's handler of a page fault, and the retry",
      body: ({ linear, tables }) => [
        `${WHO} \${2|write,read,fetch|} \${3:${linear}} on fault {`,
        `\t\${4:${tables}}[cr2].\${5|writable,present,user,executable|} = yes`,
        '\tinvlpg cr2$0',
        '}',
      ],
    },
    {
      label: 'change an entry',
      about: 'The guest kernel changes an entry of its tables, and flushes',
      fits: ({ hasVm }) => hasVm,
      body: ({ tables, linear }) => [
        `\${1:${tables}}[\${2:${linear}}].\${3|writable,present,user,accessed,dirty,executable|} = \${4|no,yes|}`,
        `invlpg \${2:${linear}}$0`,
      ],
    },
    {
      label: 'expect events …',
      about: 'Events in this order, others between them allowed',
      body: () => ['expect events ${1:kvm_exit}, ${2:kvm_page_fault}'],
    },
    {
      label: 'under { … }',
      about: 'Statements of these kinds of MMU virtualization only',
      body: () => ['under ${1:soft} {', '\t$0', '}'],
    },
    {
      label: 'for { … }',
      about: 'A loop over a range, its end included',
      body: () => ['for ${1:i} in ${2:0} .. ${3:15} {', '\t$0', '}'],
    },
    {
      label: 'host create slot',
      about: 'The VMM makes a slot while the guest runs',
      body: ({ nextSlot, free }) => [`host create slot \${1:${nextSlot}} { gpa \${2:${free}}  size \${3:1M} }  expect ok`],
    },
    {
      label: 'host reclaim',
      about: 'The host takes a page back',
      body: ({ target }) => [`host reclaim gpa \${1:${target}}`],
    },
    {
      label: 'dirty log',
      about: 'Dirty logging is switched on, the guest writes, the log is fetched',
      body: ({ slot, linear, target }) => [
        `host flags slot \${1:${slot}} log_dirty`,
        `user write \${2:${linear}}`,
        `host get dirty log slot \${1:${slot}}  expect dirty slot \${1:${slot}} [\${3:${target}}]`,
      ],
    },
    {
      label: 'same under',
      about: 'The guest sees the same under these kinds of MMU virtualization',
      body: () => ['same under ${1:soft, ept, npt}'],
    },
  ],
};
