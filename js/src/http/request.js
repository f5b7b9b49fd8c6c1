// What fetch() is given, as it is sent.

import { tlsSettings } from './options.js';

/**
 * A request's body. Its bytes come once; again() gives another one with the same bytes, where that
 * is possible.
 * @typedef {object} Body
 * @property {ReadableStream<any>} stream
 * @property {number} length  -1: not known
 * @property {(() => Body) | null} again
 */

/**
 * A request as it is sent.
 * @typedef {object} Outgoing
 * @property {string} url
 * @property {string} method
 * @property {Headers} headers
 * @property {Body | null} body
 * @property {import('./client.js').TlsSettings} tls
 */

/**
 * @typedef {object} Wanted
 * @property {Request} request
 * @property {Outgoing} outgoing
 * @property {boolean} allHeaders
 */

/** Bytes of a Request's body that are read ahead, for a Content-Length and for redirects. */
const PEEK_BYTES = 1024 * 1024;

/** How long that may take. A body that takes longer is a stream. */
const PEEK_MS = 50;

/** The length of a body is that of its bytes. */
const OWN = ['content-length', 'transfer-encoding'];

/**
 * Reads the arguments of fetch() as the browser's Request does. Rejects with a TypeError.
 * @param {any} input
 * @param {any} init
 * @param {any} scope
 * @returns {Promise<Wanted>}
 */
export async function requestFrom(input, init, scope) {
	const { allHeaders = false, ...tls } = init?.sockmux ?? {};
	const settings = tlsSettings(tls, 'fetch: sockmux', ['allHeaders']);
	const request = new Request(input, init ?? undefined);
	const headers = new Headers(request.headers);
	if (allHeaders) addForbidden(headers, init?.headers ?? (input instanceof Request ? input.headers : {}));
	for (const name of OWN) headers.delete(name);
	addDefaults(headers, scope);
	const body = await bodyOf(request, init?.body ?? null);
	return { request, outgoing: { url: request.url, method: request.method, headers, body, tls: settings }, allHeaders };
}

/** @param {Headers} headers @param {any} given */
function addForbidden(headers, given) {
	for (const [name, value] of new Headers(given)) if (!headers.has(name)) headers.append(name, value);
}

/**
 * What a browser adds.
 * @param {Headers} headers
 * @param {any} scope
 */
function addDefaults(headers, { navigator }) {
	const add = (/** @type {string} */ name, /** @type {string} */ value) => {
		if (!headers.has(name)) headers.set(name, value);
	};
	add('accept', '*/*');
	if (navigator?.languages?.length) add('accept-language', languages(navigator.languages));
	add('user-agent', navigator?.userAgent ?? 'sockmux');
	// Parts of an encoded body would be of no use.
	add('accept-encoding', headers.has('range') ? 'identity' : 'gzip, deflate, br, zstd');
}

/** The languages with weights, as browsers send them. @param {readonly string[]} list */
const languages = (list) => list.slice(0, 9).map((language, i) => (i === 0 ? language : `${language};q=${(1 - i / 10).toFixed(1)}`)).join(',');

/**
 * @param {Request} request
 * @param {any} given  the body in init; null: there is none, or that of a Request
 * @returns {Promise<Body | null>}
 */
async function bodyOf(request, given) {
	if (given instanceof ReadableStream) return { stream: /** @type {ReadableStream} */ (request.body ?? given), length: -1, again: null };
	if (given instanceof Blob) return ofBlob(given);
	if (given !== null) return ofBytes(new Uint8Array(await request.arrayBuffer()));
	if (request.body) return peek(request.body);
	if (request.body === null) return null;
	const bytes = new Uint8Array(await request.arrayBuffer()); // Firefox shows no body
	return bytes.length > 0 ? ofBytes(bytes) : null;
}

/** @param {Blob} blob @returns {Body} */
const ofBlob = (blob) => ({ stream: blob.stream(), length: blob.size, again: () => ofBlob(blob) });

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Body} */
const ofBytes = (bytes) => ofBlob(new Blob([bytes]));

/**
 * Reads the beginning of a body that may be all of it.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @returns {Promise<Body>}
 */
async function peek(stream) {
	const reader = stream.getReader();
	/** @type {Uint8Array<ArrayBuffer>[]} */
	const pieces = [];
	let length = 0;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	const late = new Promise((resolve) => {
		timer = setTimeout(resolve, PEEK_MS, null);
	});
	/** A read that goes on. @type {Promise<any> | null} */
	let reading = null;
	try {
		while (length < PEEK_BYTES) {
			reading = reader.read();
			const read = await Promise.race([reading, late]);
			if (!read) break;
			reading = null;
			if (read.done) return ofBlob(new Blob(pieces));
			pieces.push(read.value);
			length += read.value.length;
		}
	} finally {
		clearTimeout(timer);
	}
	reading?.catch(() => {});
	return {
		stream: new ReadableStream({
			async pull(controller) {
				const piece = pieces.shift();
				if (piece) {
					controller.enqueue(piece);
					return;
				}
				const { done, value } = await (reading ?? reader.read());
				reading = null;
				if (done) controller.close();
				else controller.enqueue(value);
			},
			cancel: (why) => reader.cancel(why),
		}),
		length: -1,
		again: null,
	};
}
