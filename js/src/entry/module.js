// Entry of sockmux.mjs: nothing happens until install() is called.

import { start } from './start.js';

export { ConfigError } from '../api/config.js';
export { SocketError } from '../api/errors.js';

/**
 * Installs sockmux in this page, before the runtime is started. A second call gives what the first has installed.
 * @type {typeof import('../../types/sockmux.d.ts').install}
 */
export const install = (options = {}) => start({ ...options }, import.meta.url, true); // a module cannot know
