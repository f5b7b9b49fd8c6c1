// Redirects by the rules of the Fetch standard (https://fetch.spec.whatwg.org/#http-redirect-fetch).

const MAX_REDIRECTS = 20;

const STATUSES = [301, 302, 303, 307, 308];

/** Headers that say something about a body. */
const OF_BODY = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];

/** Headers that are for one origin only. */
const OF_ORIGIN = ['authorization', 'proxy-authorization', 'cookie', 'host'];

/** @param {number} status */
export const isRedirect = (status) => STATUSES.includes(status);

/**
 * The next request behind a redirect, or null where the answer has no Location. Throws a
 * TypeError where the standard has a network error.
 * @param {import('./request.js').Outgoing} request
 * @param {{ status: number, location: string | null }} answer
 * @param {number} count  of redirects before this one
 * @returns {import('./request.js').Outgoing | null}
 */
export function redirected(request, { status, location }, count) {
	if (location === null) return null;
	let url;
	try {
		url = new URL(location, request.url);
	} catch {
		throw new TypeError(`the redirect to ${JSON.stringify(location)} is no URL`);
	}
	const before = new URL(request.url);
	if (!/^https?:$/.test(url.protocol)) throw new TypeError(`a redirect to ${url.protocol} is not followed`);
	if (count >= MAX_REDIRECTS) throw new TypeError(`there are more than ${MAX_REDIRECTS} redirects`);
	if (url.username !== '' || url.password !== '') throw new TypeError('a redirect to a URL with a user name or password is not followed');
	if (status !== 303 && request.body && !request.body.again) throw new TypeError(`the redirect ${status} would send a stream again`);
	if (url.hash === '') url.hash = before.hash;
	const headers = new Headers(request.headers);
	let { method, body } = request;
	if (((status === 301 || status === 302) && method === 'POST') || (status === 303 && method !== 'GET' && method !== 'HEAD')) {
		method = 'GET';
		body = null;
		for (const name of OF_BODY) headers.delete(name);
	}
	if (url.origin !== before.origin) for (const name of OF_ORIGIN) headers.delete(name);
	return { ...request, url: url.href, method, headers, body: body && body.again ? body.again() : body };
}
