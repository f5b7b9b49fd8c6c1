// Answers as Response objects.

/** Statuses whose answers have no body. */
const NULL_BODY = [204, 205, 304];

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} reason
 * @property {[name: string, value: string][]} headers
 * @property {BodyInit | null} body
 * @property {() => { error: unknown } | null} failed  what the body has failed with
 */

/**
 * Reads the head of an answer, as wasm/https/client/exchange.go writes it.
 * @param {Uint8Array} bytes
 * @returns {Pick<Answer, 'status' | 'reason' | 'headers'>}
 */
export function decodeHead(bytes) {
	// By characters up to U+00FF, as the standard has it. TextDecoder knows no such encoding.
	let text = '';
	for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
	const [status, reason, ...rest] = text.split('\0');
	/** @type {[string, string][]} */
	const headers = [];
	for (let i = 0; i + 1 < rest.length; i += 2) headers.push([rest[i], rest[i + 1]]);
	return { status: Number(status), reason, headers };
}

/** Whether the answer to a method has no body. @param {string} method @param {number} status */
export const hasNoBody = (method, status) => method === 'HEAD' || NULL_BODY.includes(status);

/**
 * Makes the Response. What its constructor does not take is defined at the object.
 * @param {Answer} answer
 * @param {{ url: string, redirected: boolean, allHeaders: boolean }} about  allHeaders: Set-Cookie is shown
 */
export function responseOf({ status, reason, headers: list, body, failed }, { url, redirected, allHeaders }) {
	const headers = new Headers();
	for (const [name, value] of list) {
		try {
			headers.append(name, value);
		} catch {
			// What no page could read is left out, as in browsers.
		}
	}
	if (!allHeaders) headers.delete('set-cookie');
	// Some servers answer with numbers that the constructor refuses.
	const usual = status >= 200 && status <= 599;
	const init = { status: usual ? status : 200, headers };
	let response;
	try {
		response = new Response(body, { ...init, statusText: reason });
	} catch {
		response = new Response(body, init);
	}
	const location = new URL(url);
	location.hash = '';
	/** @type {Record<string, unknown>} */
	const own = { url: location.href, redirected, type: 'basic' };
	if (!usual) Object.assign(own, { status, ok: false, statusText: reason });
	if (allHeaders) own.headers = headers;
	return dressed(response, own, failed);
}

/** Methods that read the body. Browsers have one error for each failure of a page's stream. */
const READERS = /** @type {const} */ (['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text']);

/**
 * @param {Response} response
 * @param {Record<string, unknown>} own
 * @param {Answer['failed']} failed
 * @returns {Response}
 */
function dressed(response, own, failed) {
	for (const [name, value] of Object.entries(own)) Object.defineProperty(response, name, { get: () => value, configurable: true });
	const define = (/** @type {string} */ name, /** @type {() => unknown} */ value) => Object.defineProperty(response, name, { value, configurable: true, writable: true });
	for (const name of READERS) {
		const read = /** @type {any} */ (Response.prototype)[name];
		if (read) define(name, () => read.call(response).catch((/** @type {unknown} */ error) => Promise.reject((failed() ?? { error }).error)));
	}
	define('clone', () => dressed(Response.prototype.clone.call(response), own.headers ? { ...own, headers: new Headers(/** @type {Headers} */ (own.headers)) } : own, failed));
	return response;
}
