// Entry of sockmux-sockfs.js: the layer under Emscripten programs in the page's own thread.

import { createHelper } from '../sockfs/helper.js';
import { opener, resolver } from './opener.js';
import { handOver } from './parts.js';

/** @typedef {(parts: import('./opener.js').Parts, threads?: import('../sockfs/threads/threads.js').Threads | null) => ReturnType<typeof createHelper>} HelperOf */

/** @type {HelperOf} */
const helperOf = (parts, threads) => createHelper({ open: opener(parts), scope: parts.scope, report: parts.report, resolve: resolver(parts), threads });

handOver(helperOf);
