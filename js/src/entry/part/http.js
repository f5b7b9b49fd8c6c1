// fetch(), and TLS for connect().

import { HTTPS_FILES } from '../build.js';
import { Client } from '../../http/client.js';
import { fetchOf } from '../../http/fetch.js';
import { secureOf } from '../../http/secure.js';
import { startHttps } from '../../http/start.js';

/**
 * What the script has already, and the part must share.
 * @typedef {object} Shared
 * @property {import('../../tunnel/tunnel.js').Tunnel} tunnel
 * @property {{ timeoutMs?: number }} defaults
 * @property {typeof import('../../api/errors.js').SocketError} SocketError  the class that pages compare with
 * @property {any} scope  the page's global object
 * @property {{ Worker?: typeof Worker, fetch: typeof fetch }} own  the browser's, from before the page's were replaced
 * @property {import('../../api/config.js').Config} config
 */

/**
 * Makes the part with a way to start the program.
 * @param {(shared: Shared) => Promise<import('../../http/client.js').Started>} start
 * @param {number} [restMs]  see Client
 */
export const httpOf = (start, restMs) => (/** @type {Shared} */ shared) => {
	const { tunnel, defaults, SocketError, scope, own } = shared;
	const client = new Client({ tunnel, timeoutMs: defaults.timeoutMs, start: () => start(shared), restMs });
	tunnel.on('state', ({ state }) => {
		if (state === 'closed') client.stop('sockmux was uninstalled');
	});
	return { fetch: fetchOf({ client, SocketError, scope, native: own.fetch }), secure: secureOf(client, tunnel) };
};

/**
 * The files of the part, beside its own.
 * @param {import('../../api/config.js').Config} config
 * @returns {Record<keyof typeof HTTPS_FILES, import('../parts.js').File>}
 */
export function filesOf({ files }) {
	const beside = (/** @type {import('../build.js').BuiltFile} */ { name, integrity }) => ({ url: new URL(name, files.http.url).href, integrity });
	const https = files.https ?? beside(HTTPS_FILES.https);
	// The wasm is checked where the other one is (api/config.js).
	return { https: files.wasm.integrity ? https : { url: https.url }, httpsWorker: files.httpsWorker ?? beside(HTTPS_FILES.httpsWorker) };
}

export default httpOf(({ config, own, scope }) => startHttps(filesOf(config), own.Worker, scope));
