// sockmux.fetch(): the Fetch standard's fetch() over the tunnel, without CORS.

import { joinHostPort } from '../tunnel/target.js';
import { exchange } from './exchange.js';
import { matches } from './integrity.js';
import { isRedirect, redirected } from './redirect.js';
import { requestFrom } from './request.js';
import { responseOf } from './response.js';

/** Schemes that the browser serves from the page itself. */
const LOCAL = /^(data|blob|about):$/;

/**
 * Makes fetch().
 * @param {{ client: import('./client.js').Client, SocketError: typeof import('../api/errors.js').SocketError, scope: any, native: typeof fetch }} parts
 *   native is the page's own fetch
 * @returns {(input: any, init?: any) => Promise<Response>}
 */
export const fetchOf = ({ client, SocketError, scope, native }) => async (input, init) => {
	const { request, outgoing, allHeaders } = await requestFrom(input, init, scope);
	const first = new URL(request.url);
	const { signal, integrity } = request;
	signal.throwIfAborted();
	if (LOCAL.test(first.protocol)) return native.call(scope, input, init);
	if (!/^https?:$/.test(first.protocol)) throw networkError(request.url, new TypeError(`${first.protocol} is neither http: nor https:`));
	if (request.mode === 'same-origin' && first.origin !== scope.origin) throw networkError(request.url, new TypeError('the mode is same-origin, and the URL has another origin'));

	let sent = outgoing;
	for (let redirects = 0; ; redirects++) {
		const { url } = sent;
		const received = await exchange(client, sent, { signal, failed: (why) => networkError(url, new SocketError(targetOf(url), why)) });
		const { status, headers } = received;
		const about = { url, redirected: redirects > 0, allHeaders };
		if (!isRedirect(status) || request.redirect === 'manual') return finished(received, about, integrity);
		/** @type {import('./request.js').Outgoing | null} */
		let next;
		try {
			if (request.redirect === 'error') throw new TypeError(`the answer is the redirect ${status}, and redirect is "error"`);
			const location = headers.find(([name]) => name.toLowerCase() === 'location')?.[1] ?? null;
			next = redirected(sent, { status, location: location && utf8(location) }, redirects);
		} catch (error) {
			received.discard();
			throw networkError(url, error);
		}
		if (!next) return finished(received, about, integrity);
		received.discard();
		sent = next;
	}
};

/**
 * @param {import('./exchange.js').Received} received
 * @param {{ url: string, redirected: boolean, allHeaders: boolean }} about
 * @param {string} integrity
 */
async function finished(received, about, integrity) {
	if (!integrity) return responseOf(received, about);
	const bytes = await responseOf(received, about).arrayBuffer();
	if (!await matches(bytes, integrity)) throw networkError(about.url, new TypeError('the body is not what integrity says'));
	return responseOf({ ...received, body: received.body && bytes }, about);
}

/**
 * What fetch() rejects with: a TypeError, as the standard has it, whose cause says why.
 * @param {string} url
 * @param {unknown} cause
 */
const networkError = (url, cause) => new TypeError(`fetch of ${url} failed: ${cause instanceof Error ? cause.message : cause}`, { cause });

/** @param {string} url */
function targetOf(url) {
	const { hostname, port, protocol } = new URL(url);
	return joinHostPort(hostname.replace(/^\[(.*)\]$/, '$1'), Number(port) || (protocol === 'https:' ? 443 : 80));
}

/** A header's characters are bytes, and servers write UTF-8 in Location. @param {string} bytes */
const utf8 = (bytes) => new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
