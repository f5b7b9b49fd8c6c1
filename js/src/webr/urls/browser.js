// A request of R's worker by the browser itself, as webR makes it: at once, with its CORS and its cache.

/** @typedef {import('./urls.js').Wanted} Wanted */
/** @typedef {import('./urls.js').Answer} Answer */

/** Header fields that browsers keep for themselves (Fetch standard, forbidden request-header). */
const FORBIDDEN = /^(accept-charset|accept-encoding|access-control-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|proxy-.*|referer|sec-.*|te|trailer|transfer-encoding|upgrade|via)$/i;

/** Reports whether a browser would leave out one of the fields. @param {Wanted} wanted */
export const leavesOut = ({ headers }) => headers.some(([name]) => FORBIDDEN.test(name));

/**
 * @param {any} scope
 * @param {Wanted} wanted
 * @returns {Answer | null}  null: the browser refuses, or the network does
 */
export function byBrowser(scope, { url, headers, timeoutMs }) {
	const request = new scope.XMLHttpRequest();
	try {
		request.open('GET', url, false);
		request.responseType = 'arraybuffer';
		if (Number.isFinite(timeoutMs)) request.timeout = timeoutMs;
		for (const [name, value] of headers) request.setRequestHeader(name, value);
		request.send(null);
	} catch (error) {
		if (/** @type {any} */ (error)?.name === 'TimeoutError') throw error;
		return null;
	}
	const fields = `${request.getAllResponseHeaders()}`.split('\r\n').filter((line) => line !== '').map((line) => /** @type {[string, string]} */ (/^(.*?): ?(.*)$/.exec(line)?.slice(1) ?? [line, '']));
	return { status: request.status, url: request.responseURL, headers: fields, body: request.response ?? new ArrayBuffer(0) };
}
