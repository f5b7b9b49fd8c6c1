// Entry of sockmux/service-worker: what a service worker needs is in the module, because
// it may load nothing later.

import { builtFiles } from './npm-files.js';
import direct from './part/direct.js';
import engine from './part/engine.js';
import { start } from './start.js';

export { ConfigError } from '../api/config.js';
export { SocketError } from '../api/errors.js';

/**
 * Installs sockmux in this service worker. A second call gives what the first has installed.
 * @type {typeof import('../../types/sockmux.d.ts').install}
 */
export const install = (options = {}) => start({ ...options }, {
	script: null,
	pinned: false,
	built: builtFiles(options, () => ({})),
	load: () => async (name) => {
		if (name === 'engine') return engine;
		if (name === 'direct') return direct;
		throw new Error(`sockmux/service-worker has no part ${name}: pages and other workers import "sockmux"`);
	},
});
