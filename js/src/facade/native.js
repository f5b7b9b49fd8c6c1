// A native WebSocket in the form of a stream of the tunnel: for sockets of webR that the
// rule leaves alone.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';

/** @typedef {import('../tunnel/stream.js').Handlers} Handlers */

/**
 * @param {typeof WebSocket} Native
 * @param {string} url
 * @param {Handlers} handlers
 */
export function openNative(Native, url, handlers) {
	/** What was written before the open. @type {Uint8Array<ArrayBuffer>[]} */
	let waiting = [];
	let ended = false;
	let stopped = false;
	/** @type {WebSocket} */
	let socket;
	try {
		socket = new Native(url, 'binary');
	} catch (error) {
		queueMicrotask(() => handlers.onclose?.(ending(CODES.invalid_request, String(error))));
		const nothing = () => {};
		return { write: nothing, closeWrite: nothing, stop: nothing, close: nothing, reset: nothing, grant: nothing };
	}
	/** @param {Uint8Array<ArrayBuffer>} bytes */
	const send = (bytes) => {
		socket.send(bytes);
		handlers.onwritten?.(bytes.length);
	};
	let opened = false;
	socket.binaryType = 'arraybuffer';
	socket.onopen = () => {
		opened = true;
		handlers.onopen?.({ bound: null, remote: null });
		for (const bytes of waiting) send(bytes);
		waiting = [];
		if (ended) socket.close();
	};
	socket.onmessage = ({ data }) => {
		if (stopped) return;
		handlers.ondata?.(data instanceof ArrayBuffer ? new Uint8Array(data) : new TextEncoder().encode(data));
	};
	socket.onclose = ({ code, reason, wasClean }) => {
		if (wasClean && !stopped) handlers.oneof?.();
		// The browser tells a script no more than this about a connection that did not come about.
		handlers.onclose?.(wasClean ? ending(CODES.ok) : ending(opened ? CODES.reset : CODES.refused, `${url}: ${reason || `close code ${code}`}`));
	};
	/** A WebSocket has no half-close: the end of one direction is the end of both. */
	const end = () => {
		ended = true;
		if (opened) socket.close();
	};
	return {
		/** @param {Uint8Array} bytes */
		write(bytes) {
			if (ended) return;
			const own = bytes.slice();
			if (opened) send(own);
			else waiting.push(own);
		},
		closeWrite: end,
		stop() {
			stopped = true;
		},
		close() {
			stopped = true;
			end();
		},
		reset() {
			stopped = ended = true;
			waiting = [];
			socket.close();
		},
		/** The browser reads as fast as it can. */
		grant() {},
	};
}
