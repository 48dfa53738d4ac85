/** npm run generate: writes anew what is derived: from the words and the grammar of the language, from the definitions of events, from the rules of kernels, from the texts and rules of traces, and from the rooms of the sources. Tests say when it is due. */
import { readFileSync, writeFileSync } from 'node:fs';
import { withGenerated } from '../test/language/reference/generated';
import { EVENTS_DOCUMENT, eventsDocument } from './events/events-document';
import { KERNELS_DOCUMENT, withRules } from './kernels/kernels-document';
import { ARCHITECTURE, withTables } from './lint/rooms-table';
import { TRACES_DOCUMENT, withTraceTables } from './traces/traces-document';
import { GRAMMAR, textMateGrammar } from './textmate/grammar';

const REFERENCE = new URL('../docs/language.md', import.meta.url);

writeFileSync(GRAMMAR, textMateGrammar());
writeFileSync(REFERENCE, withGenerated(readFileSync(REFERENCE, 'utf8')));
writeFileSync(ARCHITECTURE, withTables(readFileSync(ARCHITECTURE, 'utf8')));
writeFileSync(EVENTS_DOCUMENT, eventsDocument());
writeFileSync(KERNELS_DOCUMENT, withRules(readFileSync(KERNELS_DOCUMENT, 'utf8')));
writeFileSync(TRACES_DOCUMENT, withTraceTables(readFileSync(TRACES_DOCUMENT, 'utf8')));
