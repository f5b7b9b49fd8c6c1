// The layer under Emscripten programs in the page's own thread.

import { createHelper } from '../../sockfs/helper.js';
import { LocalConnector } from '../../sockfs/local.js';
import { opener, resolver } from '../opener.js';

/** @typedef {(parts: import('../opener.js').Parts, threads?: import('../../sockfs/threads/threads.js').Threads | null) => ReturnType<typeof createHelper>} HelperOf */

/** @type {HelperOf} */
export default (parts, threads) => createHelper({
	connector: new LocalConnector(opener(parts), parts.report, resolver(parts), parts.config.listen), scope: parts.scope, report: parts.report, threads,
});
