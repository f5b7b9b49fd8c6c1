// R's end of an HTTP exchange that the page makes: the answer's head and body come through a ring, as a
// socket's bytes do (js/src/blocking/exchange.js is the page's end).

import { HEAD_LENGTH_BYTES } from '../../blocking/exchange.js';

/** @typedef {import('./urls.js').Wanted} Wanted */
/** @typedef {import('./urls.js').Answer} Answer */
/** @typedef {import('../../blocking/exchange.js').Head} Head */

/** Bytes that are taken out of the ring at once. */
const TAKE_BYTES = 1 << 16;

/** Why there is no answer, or none but its beginning. */
export class ExchangeError extends Error {
	/** @param {string} code  a name of the protocol's table @param {string} text */
	constructor(code, text) {
		super(`${code}: ${text}`);
		this.code = code;
		this.text = text;
	}
}

/** The answer that has taken too long. */
export const TIMED_OUT = 'timeout';

/**
 * Makes the exchange, and waits for its end.
 * @param {import('../../blocking/ring.js').RingConnector} connector
 * @param {Wanted} wanted
 * @param {{ wait: (milliseconds: number) => void, onhead: (head: Head) => void, onbytes: (count: number) => void }} how
 *   wait: blocks until something may have come, may throw; onbytes: bytes of the body that have come so far
 * @returns {Answer}
 */
export function byPage(connector, { url, headers, timeoutMs, roots }, { wait, onhead, onbytes }) {
	const until = performance.now() + timeoutMs;
	const socket = connector.exchange({ url, headers, roots });
	const pieces = new Pieces();
	/** @type {Head | null} */
	let head = null;
	try {
		for (;;) {
			const bytes = socket.recv(TAKE_BYTES);
			if (bytes) {
				pieces.add(bytes);
				if (!head && (head = pieces.takeHead())) onhead(head);
				if (head) onbytes(pieces.length);
				continue;
			}
			if (socket.eof) break;
			const left = until - performance.now();
			if (left <= 0) throw new ExchangeError(TIMED_OUT, '');
			wait(left);
		}
		if (socket.error !== 0) {
			const [, code = 'aborted', text = ''] = /^(\w+): ([^]*)$/.exec(socket.errorText) ?? [];
			throw new ExchangeError(code, text);
		}
		if (!head) throw new ExchangeError('aborted', 'there is no answer');
		return { ...head, body: pieces.join() };
	} finally {
		socket.close();
	}
}

/** What has come, in the order in which it did. */
class Pieces {
	/** @type {Uint8Array[]} */
	#pieces = [];
	length = 0;

	/** @param {Uint8Array} bytes  valid for now */
	add(bytes) {
		this.#pieces.push(bytes.slice());
		this.length += bytes.length;
	}

	/** @returns {ArrayBuffer} */
	join() {
		const all = new Uint8Array(this.length);
		let at = 0;
		for (const piece of this.#pieces) {
			all.set(piece, at);
			at += piece.length;
		}
		return all.buffer;
	}

	/** Takes the head out; null: it is not there yet. @returns {Head | null} */
	takeHead() {
		if (this.length < HEAD_LENGTH_BYTES) return null;
		const all = new Uint8Array(this.join());
		const end = HEAD_LENGTH_BYTES + new DataView(all.buffer).getUint32(0);
		if (all.length < end) return null;
		this.#pieces = [all.subarray(end)];
		this.length = all.length - end;
		return JSON.parse(new TextDecoder().decode(all.subarray(HEAD_LENGTH_BYTES, end)));
	}
}
