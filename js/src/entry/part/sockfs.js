// The layer under Emscripten programs in the page's own thread.

import { createHelper } from '../../sockfs/helper.js';
import { opener, resolver } from '../opener.js';

/** @typedef {(parts: import('../opener.js').Parts, threads?: import('../../sockfs/threads/threads.js').Threads | null) => ReturnType<typeof createHelper>} HelperOf */

/** @type {HelperOf} */
export default (parts, threads) => createHelper({ open: opener(parts), scope: parts.scope, report: parts.report, resolve: resolver(parts), threads });
