// Entry of the npm package in browsers. Its other files are named in the two forms that
// bundlers follow: import() and new URL().

import { builtFiles } from './npm-files.js';
import { refuseServiceWorker, start } from './start.js';

export { ConfigError } from '../api/config.js';
export { SocketError } from '../api/errors.js';

/** @type {Record<string, () => Promise<{ default: unknown }>>} */
const PARTS = {
	engine: () => import('./part/engine.js'),
	remote: () => import('./part/remote.js'),
	websockets: () => import('./part/websockets.js'),
	sockfs: () => import('./part/sockfs.js'),
	direct: () => import('./part/direct.js'),
	http: () => import('./part/http.js'),
	blocking: () => import('./part/blocking.js'),
};

/** What stays a file: other threads run it, or this one before it goes on. */
const files = () => ({
	tunnel: new URL('./assets/sockmux-tunnel-worker.js', import.meta.url),
	https: new URL('./assets/sockmux-https.wasm', import.meta.url),
	httpsWorker: new URL('./assets/sockmux-https-worker.js', import.meta.url),
	sockfs: new URL('./assets/sockmux-sockfs.js', import.meta.url),
	pthread: new URL('./assets/sockmux-pthread.js', import.meta.url),
	webrWorker: new URL('./assets/sockmux-webr-worker.js', import.meta.url),
	blockingWorker: new URL('./assets/sockmux-blocking-worker.js', import.meta.url),
});

/**
 * Installs sockmux in this page or worker, before the runtime is started. A second call
 * gives what the first has installed.
 * @type {typeof import('../../types/sockmux.d.ts').install}
 */
export const install = (options = {}) => {
	refuseServiceWorker(globalThis);
	return start({ ...options }, {
		script: null, pinned: false, built: builtFiles(options, files), load: () => async (name) => (await PARTS[name]()).default,
	});
};
