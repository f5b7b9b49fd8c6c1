// Entry of sockmux/service-worker: what a service worker needs is in the module, because
// it may load nothing later.

import { Go } from '../../build/go.js';
import { taskQueue } from '../engine/tasks.js';
import { compileWasm } from '../engine/wasm.js';
import { serve } from '../http/host.js';
import { startHere } from '../http/start.js';
import { builtFiles } from './npm-files.js';
import direct from './part/direct.js';
import engine from './part/engine.js';
import { filesOf, httpOf } from './part/http.js';
import { start } from './start.js';

export { ConfigError } from '../api/config.js';
export { SocketError } from '../api/errors.js';

/** A service worker starts no workers: HTTP and TLS run beside its own work. */
const http = httpOf(({ config }) => startHere(() => compileWasm(filesOf(config).https), (port) => serve({ port, Go }), taskQueue()));

/**
 * Installs sockmux in this service worker. A second call gives what the first has installed.
 * @type {typeof import('../../types/sockmux.d.ts').install}
 */
export const install = (options = {}) => start({ ...options }, {
	script: null,
	pinned: false,
	built: builtFiles(options, () => ({ https: new URL('./assets/sockmux-https.wasm', import.meta.url) })),
	load: () => async (name) => {
		if (name === 'engine') return engine;
		if (name === 'direct') return direct;
		if (name === 'http') return http;
		throw new Error(`sockmux/service-worker has no part ${name}: pages and other workers import "sockmux"`);
	},
});
