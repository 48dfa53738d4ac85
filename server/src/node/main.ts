/** Entry of the language server's bundle in Node. */
import { serve } from './serve';

serve();
