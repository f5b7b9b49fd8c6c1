// Entry of sockmux.mjs: nothing happens until install() is called.

import { partLoader } from './parts.js';
import { refuseServiceWorker, start } from './start.js';

export { ConfigError } from '../api/config.js';
export { SocketError } from '../api/errors.js';

/**
 * Installs sockmux in this page, before the runtime is started. A second call gives what
 * the first has installed.
 * @type {typeof import('../../types/sockmux.d.ts').install}
 */
export const install = (options = {}) => {
	refuseServiceWorker(globalThis);
	return start({ ...options }, { script: import.meta.url, pinned: true, load: partLoader }); // a module cannot know
};
