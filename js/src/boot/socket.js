// sockmux.connect(): a stream for pages that want TCP themselves, in the form of the web's own streams.

import { CODES } from '../tunnel/codes.js';

/** @typedef {import('../tunnel/codes.js').Ending} Ending */
/** @typedef {import('../tunnel/stream.js').Address} Address */

/** Bytes that wait for the page at most, and bytes written that wait for the line before `writer.ready` does. */
const WINDOW_BYTES = 1024 * 1024;
const WRITE_AHEAD_BYTES = 256 * 1024;

/** Why a socket failed. `code` is a name of the protocol's table, such as "refused". */
export class SocketError extends Error {
	/** @param {string} target @param {Ending} why */
	constructor(target, why) {
		super(`${target}: ${why.name}${why.text === '' ? '' : `: ${why.text}`}`);
		this.name = 'SocketError';
		this.code = why.name;
	}
}

export class Socket {
	/** Resolves when the target has accepted, with the server's own end and the address that it dialled. @type {Promise<{ bound: Address | null, remote: Address | null }>} */
	opened;
	/** Resolves after a clean end both ways, rejects with a SocketError otherwise. @type {Promise<void>} */
	closed;
	/** @type {ReadableStream<Uint8Array>} */
	readable;
	/** @type {WritableStream<ArrayBuffer | ArrayBufferView | string>} */
	writable;

	#stream;

	/**
	 * @param {Pick<import('../tunnel/tunnel.js').Tunnel, 'open'>} tunnel
	 * @param {import('../tunnel/stream.js').Request} request
	 */
	constructor(tunnel, request) {
		const target = `${request.host}:${request.port}`;
		const opened = settler();
		const closed = settler();
		this.opened = opened.promise;
		this.closed = closed.promise;
		/** @type {ReadableStreamDefaultController<Uint8Array>} */
		let reader;
		/** @type {WritableStreamDefaultController} */
		let writer;
		let reading = true;
		let credit = WINDOW_BYTES;
		/** Waits for room. @type {(() => void) | null} */
		let room = null;
		const stream = tunnel.open({ ...request, window: WINDOW_BYTES }, {
			onopen: (ends) => opened.resolve(ends),
			ondata: (bytes) => {
				credit -= bytes.length;
				reader.enqueue(bytes);
			},
			oneof: () => {
				if (reading) reader.close();
				reading = false;
			},
			onwritten: () => {
				if (stream.buffered < WRITE_AHEAD_BYTES) room?.();
			},
			onclose: (why) => {
				const error = new SocketError(target, why);
				opened.reject(error);
				if (why.code === CODES.ok) closed.resolve(undefined);
				else closed.reject(error);
				if (reading && why.code === CODES.ok) reader.close();
				else if (reading) reader.error(error);
				reading = false;
				writer.error(error);
				room?.();
			},
		});
		this.#stream = stream;
		this.readable = new ReadableStream(/** @type {UnderlyingDefaultSource<Uint8Array>} */ ({
			start: (controller) => {
				reader = controller;
			},
			pull: ({ desiredSize }) => {
				const more = (desiredSize ?? 0) - credit;
				if (more <= 0) return;
				credit += more;
				stream.grant(more);
			},
			cancel: () => {
				reading = false;
				stream.stop();
			},
		}), new ByteLengthQueuingStrategy({ highWaterMark: WINDOW_BYTES }));
		this.writable = new WritableStream({
			start: (controller) => {
				writer = controller;
			},
			write: (chunk) => {
				stream.write(bytesOf(chunk));
				if (stream.buffered < WRITE_AHEAD_BYTES) return undefined;
				return new Promise((resolve) => {
					room = () => {
						room = null;
						resolve(undefined);
					};
				});
			},
			close: () => stream.closeWrite(),
			abort: () => stream.reset(),
		});
	}

	/** Ends the socket; what was written is delivered, what has not been read is dropped. */
	close() {
		this.#stream.close();
	}

	/** Ends the socket at once. */
	reset() {
		this.#stream.reset();
	}
}

/** @param {ArrayBuffer | ArrayBufferView | string} chunk */
function bytesOf(chunk) {
	if (typeof chunk === 'string') return new TextEncoder().encode(chunk);
	if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
	return new Uint8Array(chunk);
}

/** A promise to settle from outside; a rejection that nobody asks for is no uncaught error. */
function settler() {
	/** @type {(value: any) => void} */
	let resolve = () => {};
	/** @type {(error: Error) => void} */
	let reject = () => {};
	/** @type {Promise<any>} */
	const promise = new Promise((yes, no) => {
		resolve = yes;
		reject = no;
	});
	promise.catch(() => {});
	return { promise, resolve, reject };
}
