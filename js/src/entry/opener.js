// Opens the sockets of programs that do not make them with the page's WebSocket: what the
// rule gives the tunnel, and the rest by the browser.

import { openNative } from '../facade/native.js';
import { createOpener } from '../sockfs/opener.js';

/**
 * What a layer works with.
 * @typedef {object} Parts
 * @property {import('../tunnel/tunnel.js').Tunnel} tunnel
 * @property {import('../api/config.js').Config} config
 * @property {any} scope  the page's global object
 * @property {typeof WebSocket} Native  the page's own WebSocket
 * @property {(...args: any[]) => Promise<Response>} fetch  sockmux.fetch()
 * @property {import('../facade/rule.js').Rule} rule
 * @property {(text: string) => void} report  tells the user, one line
 */

/** @param {Parts} parts */
export function opener({ tunnel, config, Native, rule }) {
	return createOpener({ tunnel, rule, openNative: (url, handlers) => openNative(Native, url, handlers), listen: config.listen, timeoutMs: config.timeoutMs });
}

/**
 * Returns what makes HTTP exchanges for workers, through the tunnel.
 * @param {Parts} parts
 * @returns {import('../blocking/bridge.js').Exchange}
 */
export const exchanger = ({ fetch }) => ({ url, headers, roots }, signal) =>
	fetch(url, { headers, signal, sockmux: { allHeaders: true, ...(roots !== undefined && { roots, onlyRoots: true }) } });

/**
 * Returns what asks the server whether a name exists.
 * @param {Parts} parts
 * @returns {import('../tunnel/resolve.js').Resolve}
 */
export const resolver = ({ tunnel }) => (name) => tunnel.resolve(name);
