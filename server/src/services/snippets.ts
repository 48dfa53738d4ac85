/** Snippets that completion offers, by the place where they can stand. */

export interface Snippet {
  readonly body: string;
  readonly about: string;
}

type Snippets = { readonly [label: string]: Snippet };

export const SNIPPETS: { readonly [place in 'file' | 'vm' | 'tables' | 'script']: Snippets } = {
  file: {
    'scenario': {
      about: 'A whole scenario: machine and run',
      body: [
        'vm ${1:guest} {',
        '\tslot 0 { gpa 0  size ${2:16M} }',
        '\ttables ${3:kernel} at ${4:0x1000} {',
        '\t\t${5:0x40_0000 +2M} -> ${6:0x20_0000}  rw user',
        '\t}',
        '\tvcpu { cr3 ${3:kernel} }',
        '}',
        '',
        'run ${1:guest} under ${7:soft, ept, npt} {',
        '\tuser read ${8:0x40_0000}  expect ok$0',
        '}',
      ].join('\n'),
    },
    'run under': { about: 'A script under several kinds of MMU', body: 'run ${1:guest} under ${2:soft, ept, npt} {\n\t$0\n}' },
  },
  vm: {
    'slot { }': { about: 'A memory slot', body: 'slot ${1:0} { gpa ${2:0}  size ${3:16M} }' },
    'tables { }': { about: 'Guest page tables', body: 'tables ${1:kernel} at ${2:0x1000} {\n\t${3:0x40_0000 +2M} -> ${4:0x20_0000}  rw user$0\n}' },
    'vcpu { }': { about: 'A vCPU', body: 'vcpu { cr3 ${1:kernel} }' },
  },
  tables: {
    'mapping': { about: 'A mapped range', body: '${1:0x40_0000} +${2:4K} -> ${3:0x20_0000}  ${4:rw user}' },
  },
  script: {
    'user read … expect': { about: 'An access with what must come of it', body: 'user read ${1:0x40_0000}  expect ${2:ok}' },
    'for { }': { about: 'A loop', body: 'for ${1:i} in ${2:0} .. ${3:15} {\n\t$0\n}' },
    'on fault { }': { about: "The guest's handler of a #PF", body: 'on fault {\n\t$0\n}' },
  },
}; // prettier-ignore
