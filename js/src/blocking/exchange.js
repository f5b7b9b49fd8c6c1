// The page's end of an HTTP exchange that a blocking worker asks for: a stream whose bytes are the
// answer, a head in JSON behind its length, and the body.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import { IN_BYTES } from './layout.js';

/** @typedef {import('../tunnel/stream.js').Handlers} Handlers */
/** @typedef {import('../sockfs/opener.js').StreamLike} StreamLike */

/** Bytes of the head's length, a number with its highest byte first. */
export const HEAD_LENGTH_BYTES = 4;

/**
 * A GET. roots: certificates of authorities as PEM, absent: the built-in ones.
 * @typedef {{ url: string, headers: [name: string, value: string][], roots?: string }} ExchangeRequest
 */

/** @typedef {{ status: number, url: string, headers: [name: string, value: string][] }} Head */

/**
 * Opens the stream.
 * @param {(request: ExchangeRequest, signal: AbortSignal) => Promise<Response>} fetch
 * @param {ExchangeRequest} request
 * @param {Handlers} handlers
 * @returns {StreamLike}
 */
export function openExchange(fetch, request, { onopen, ondata, oneof, onclose }) {
	const aborter = new AbortController();
	let credit = IN_BYTES;
	let granted = () => {};
	const give = (/** @type {Uint8Array<ArrayBuffer>} */ bytes) => {
		credit -= bytes.length;
		ondata?.(bytes);
	};
	const exchange = async () => {
		const { status, url, headers, body } = await fetch(request, aborter.signal);
		onopen?.({ bound: null, remote: null });
		give(encodeHead({ status, url, headers: [...headers] }));
		for (const reader = body?.getReader(); reader;) {
			while (credit <= 0) {
				await new Promise((resolve) => {
					granted = () => resolve(undefined);
				});
			}
			const { done, value } = await reader.read();
			if (done) break;
			give(value.length === value.buffer.byteLength ? value : value.slice()); // who gets them may take the whole buffer
		}
		oneof?.();
		onclose?.(ending(CODES.ok));
	};
	exchange().catch((error) => {
		if (!aborter.signal.aborted) onclose?.(endingOf(error));
	});
	const abort = () => {
		aborter.abort();
		granted();
	};
	const nothing = () => {};
	return {
		write: nothing, closeWrite: nothing, stop: nothing,
		grant(count) {
			credit += count;
			granted();
		},
		close: abort,
		reset: abort,
	};
}

/** @param {Head} head */
function encodeHead(head) {
	const text = new TextEncoder().encode(JSON.stringify(head));
	const bytes = new Uint8Array(HEAD_LENGTH_BYTES + text.length);
	new DataView(bytes.buffer).setUint32(0, text.length);
	bytes.set(text, HEAD_LENGTH_BYTES);
	return bytes;
}

/** What fetch() has failed with. @param {any} error */
function endingOf(error) {
	const { code, text, message } = error?.cause ?? error ?? {};
	const number = /** @type {Record<string, number>} */ (CODES)[code];
	return number === undefined ? ending(CODES.aborted, `${message ?? error}`) : ending(number, text);
}
