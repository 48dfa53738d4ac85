/** Entry of the bundle in Node: the language server, and, in the threads that it makes of the same file, its workers. */
import { isMainThread } from 'node:worker_threads';
import { serve } from './serve';
import { work } from './worker';

if (isMainThread) serve();
else work();
