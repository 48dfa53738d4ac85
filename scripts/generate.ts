/** npm run generate: writes what is derived from the words and the grammar of the language anew. Tests say when it is due. */
import { writeFileSync } from 'node:fs';
import { GRAMMAR, textMateGrammar } from './textmate/grammar';

writeFileSync(GRAMMAR, textMateGrammar());
