/** Texts that are legal, short, and much work to unroll or to run. */
import { MACHINE } from './scripts';

const under = (kinds: string, body: string): string => `run guest under ${kinds} {\n${body}\n}\n`;
const ALL = 'soft, ept, npt';

export const HEAVY_TEXTS = {
  'a loop in a loop': MACHINE + under(ALL, '  for i in 0 .. 99 { for j in 0 .. 998 { user read 0x40_0000 + (i * 1000 + j) % 256 * 4K } }'),
  'many runs': MACHINE + under(ALL, '  for i in 0 .. 999 { for j in 0 .. 98 { read 0x40_0000 } }').repeat(3),
  'runs of what never runs':
    MACHINE + under(ALL, '  for i in 0 .. 999 { for j in 0 .. 998 { under soft on soft { read 0x40_0000 } } }').repeat(10),
  'loops over nothing': MACHINE + under('soft, ept', `${'for i in 0 .. 2 { '.repeat(60)}${'}'.repeat(60)}`),
  'a machine of many words':
    'vm guest {\n  slot 0 { gpa 0  size 16M }\n  for i in 0 .. 900_000 { word 8 * i = i }\n  vcpu { paging none }\n}\nrun guest { read 0 }\n',
  'an access repeated a billion times': `budget { steps 1_000_000_000  events 50_000_000 }\n${MACHINE}${under('ept', '  user read 0x40_0000 x 1_000_000_000')}`,
} as const;
