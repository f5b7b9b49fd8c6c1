// sockmux.connect(): a stream for pages that want TCP themselves, in the form of the web's own streams.

import { CODES, ending } from '../tunnel/codes.js';
import { Sink, shown } from './sink.js';

/** @typedef {import('../tunnel/codes.js').Ending} Ending */
/** @typedef {import('../tunnel/stream.js').Address} Address */

/** Bytes that wait for the page at most. */
const WINDOW_BYTES = 1024 * 1024;

/** Why a socket failed. `code` is a name of the protocol's table, such as "refused". */
export class SocketError extends Error {
	/** @param {string} target @param {Ending} why */
	constructor(target, why) {
		super(`${target}: ${why.name}${why.text === '' ? '' : `: ${why.text}`}`);
		this.name = 'SocketError';
		this.code = why.name;
	}
}

/**
 * Checks what connect() was given, as far as that needs no knowledge of names. Throws a TypeError or a RangeError.
 * @param {unknown} host
 * @param {unknown} port
 * @returns {{ host: string, port: number }}
 */
export function targetFrom(host, port) {
	if (typeof host !== 'string' || host === '') throw new TypeError(`connect: the host ${shown(host)} is not a string that names one: connect("db.example", 5432)`);
	const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;
	if (typeof number !== 'number' || !Number.isInteger(number)) throw new TypeError(`connect: the port ${shown(port)} is not a whole number: connect("db.example", 5432)`);
	if (number < 1 || number > 65535) throw new RangeError(`connect: the port ${number} is not in 1 to 65535`);
	return { host, port: number };
}

/**
 * Options of the socket, by the names of Direct Sockets.
 * @typedef {object} SocketChoices
 * @property {boolean} [noDelay]  TCP_NODELAY
 * @property {number} [keepAliveDelay]  milliseconds of silence after which TCP probes the target; a second or more
 */

/**
 * @param {SocketChoices} choices
 * @returns {import('../tunnel/socket-options.js').SocketOptions}
 */
export function socketOptionsFrom({ noDelay, keepAliveDelay }) {
	if (keepAliveDelay === undefined) return { noDelay };
	if (!(keepAliveDelay >= 1000)) throw new TypeError(`connect: keepAliveDelay ${shown(keepAliveDelay)} is less than 1000 milliseconds`);
	return { noDelay, keepAlive: true, keepIdle: keepAliveDelay / 1000 };
}

export class Socket {
	/** Resolves when the target has accepted, with the server's own end and the address that it dialed. @type {Promise<{ bound: Address | null, remote: Address | null }>} */
	opened;
	/** Resolves after a clean end both ways, rejects with a SocketError otherwise. @type {Promise<void>} */
	closed;
	/** @type {ReadableStream<Uint8Array>} */
	readable;
	/** @type {WritableStream<ArrayBuffer | ArrayBufferView | string>} */
	writable;

	#stream;
	#sink;

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
		let reading = true;
		let credit = WINDOW_BYTES;
		const stream = tunnel.open({ ...request, window: WINDOW_BYTES }, {
			onopen: (ends) => {
				opened.resolve(ends);
				sink.opened();
			},
			ondata: (bytes) => {
				credit -= bytes.length;
				reader.enqueue(bytes);
			},
			oneof: () => {
				if (reading) reader.close();
				reading = false;
			},
			onwritten: () => sink.moved(),
			onclose: (why) => {
				const clean = why.code === CODES.ok;
				const error = new SocketError(target, clean ? ending(CODES.aborted, why.text) : why);
				opened.reject(error);
				if (clean) closed.resolve(undefined);
				else closed.reject(error);
				if (reading && clean) reader.close();
				else if (reading) reader.error(error);
				reading = false;
				sink.ended(clean ? null : error);
			},
			holds: () => sink.holds,
		});
		const sink = new Sink(stream);
		this.#stream = stream;
		this.#sink = sink;
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
		this.writable = sink.writable;
	}

	/** Ends the socket; what was written is delivered, what has not been read is dropped. */
	close() {
		if (this.#sink.holds) this.#stream.stop();
		this.#sink.finish(() => this.#stream.close());
	}

	/** Ends the socket at once. */
	reset() {
		this.#stream.reset();
	}
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
