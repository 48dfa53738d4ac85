/** npm run generate: writes anew what is derived: from the words and the grammar of the language, and from the rooms of the sources. Tests say when it is due. */
import { readFileSync, writeFileSync } from 'node:fs';
import { ARCHITECTURE, withTables } from './lint/rooms-table';
import { GRAMMAR, textMateGrammar } from './textmate/grammar';

writeFileSync(GRAMMAR, textMateGrammar());
writeFileSync(ARCHITECTURE, withTables(readFileSync(ARCHITECTURE, 'utf8')));
