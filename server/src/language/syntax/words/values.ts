/** What values are, by their places: as forms of statements name them, and what that is. */
import type { ValueOf } from '../grammar/rule';

interface ValueWord {
  readonly name: string;
  readonly about: string;
}

export const VALUE_WORDS: { readonly [of in ValueOf]: ValueWord } = {
  value: { name: 'value', about: 'A number, a name or an expression.' },
  linear: { name: 'linear address', about: 'A linear address of the guest; of EPT and NPT, which an L1 keeps, an address of its guest.' },
  gpa: { name: 'guest-physical address', about: 'A guest-physical address of the VM.' },
  hva: { name: 'host-virtual address', about: 'An address of the VMM.' },
  address: { name: 'address', about: 'An address.' },
  end: { name: 'end', about: 'The last address or number of the range, which is in it.' },
  length: { name: 'length', about: 'The length of the range, as `+2M`: with a space before the sign and none behind.' },
  size: { name: 'size', about: 'Bytes, as `4K`, `2M` or `1G`.' },
  number: { name: 'number', about: 'A number.' },
  switch: { name: 'on or off', about: '`on` or `yes`, `off` or `no`.' },
  bit: { name: 'on or off', about: 'The value of the bit: 1 or 0, `yes` or `no`.' },
  level: { name: 'level', about: 'A paging level: 1 is the page table, whose entries map 4K.' },
  slot: { name: 'id', about: 'The id of a memory slot.' },
  step: { name: 'step', about: 'The distance from one to the next.' },
  repetitions: { name: 'count', about: 'How many times, each a step further.' },
  'access-size': { name: 'bytes', about: '1, 2, 4 or 8; the default is 8.' },
  'error-code': { name: 'error code', about: 'The #PF error code as a number.' },
  entry: { name: 'entry', about: 'The value of the entry as it lies in memory.' },
  pcid: { name: 'pcid', about: 'A process-context identifier, 0 to 4095.' },
  vpid: { name: 'vpid', about: 'A virtual-processor identifier, 1 to 65535.' },
  eptp: { name: 'eptp', about: 'An EPT pointer: the root of the tables with its attributes.' },
  key: { name: 'key', about: 'A protection key, 0 to 15.' },
  memtype: { name: 'memory type', about: 'A memory type of EPT: 6 is WB, 0 is UC.' },
  'page-numbers': { name: 'pages', about: 'Numbers of pages, counted from the beginning of the slot.' },
  exits: { name: 'number', about: 'How many VM exits.' },
  references: { name: 'number', about: 'How many entries the processor reads.' },
  total: { name: 'number', about: 'How many in the run up to here.' },
  sets: { name: 'sets', about: 'How many sets.' },
  ways: { name: 'ways', about: 'How many ways a set has.' },
  argument: { name: 'value', about: 'The value of a parameter.' },
  'event-field': { name: 'value', about: 'The value that the field must have.' },
  root: { name: 'root', about: 'The address of the root of tables, or their name.' },
  loop: { name: 'value', about: 'The first value of the loop.' },
};
