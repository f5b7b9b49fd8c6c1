// sockmux.connect(): a TCP connection for the page itself, in the shape of WinterTC's sockets API.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import { joinHostPort } from '../tunnel/target.js';
import { SocketError, socketError } from './errors.js';
import { noTls, socketOptionsFrom } from './options.js';
import { settler } from './settler.js';
import { Sink } from './sink.js';

/** @typedef {import('../tunnel/stream.js').Address} Address */

/** Bytes that wait for the page at most. */
const WINDOW_BYTES = 1024 * 1024;

/**
 * What `opened` resolves to. The addresses are those of the server's socket. They are null if
 * the server does not tell them.
 * @typedef {object} SocketInfo
 * @property {string | null} remoteAddress  host:port, with brackets around an IPv6 address
 * @property {string | null} localAddress
 * @property {null} alpn
 * @property {Address | null} bound  localAddress in parts
 * @property {Address | null} remote  remoteAddress in parts
 */

export class Socket {
	/** Resolves when the target has accepted. @type {Promise<SocketInfo>} */
	opened;
	/**
	 * Resolves after a clean end both ways, rejects with a SocketError otherwise.
	 * @type {Promise<void>}
	 */
	closed;
	/** A byte stream. @type {ReadableStream<Uint8Array<ArrayBuffer>>} */
	readable;
	/** @type {WritableStream<ArrayBuffer | ArrayBufferView | string>} */
	writable;
	/** Whether startTls() has replaced the socket. */
	upgraded = false;

	#target;
	#stream;
	#sink;
	/** @type {ReadableByteStreamController} */
	#controller = /** @type {any} */ (null);
	/** More may be read. */
	#reading = true;
	/** Bytes that the server may send before the page reads. */
	#credit = WINDOW_BYTES;
	#opened = settler();
	#closed = settler();
	/** Why the page's signal has ended it. @type {{ reason: unknown } | null} */
	#aborted = null;
	/** Forgets the signal. */
	#unlisten = () => {};

	/**
	 * @param {Pick<import('../tunnel/tunnel.js').Tunnel, 'open'>} tunnel
	 * @param {import('../tunnel/stream.js').Request} request
	 * @param {{ allowHalfOpen?: boolean, signal?: AbortSignal, strings?: boolean }} [choices]
	 *   allowHalfOpen: the end of the target's direction does not end the page's. strings: writable takes them
	 */
	constructor(tunnel, request, { allowHalfOpen = true, signal, strings } = {}) {
		this.#target = request.name ?? `${request.host}:${request.port}`;
		this.opened = this.#opened.promise;
		this.closed = this.#closed.promise;
		this.#stream = tunnel.open({ ...request, window: WINDOW_BYTES }, {
			onopen: ({ bound, remote }) => {
				this.#opened.resolve({ remoteAddress: joined(remote), localAddress: joined(bound), alpn: null, bound, remote });
				this.#sink.opened();
			},
			ondata: (bytes) => {
				this.#credit -= bytes.length;
				// The stream takes the buffer away, and a view's buffer may have more
				// than the view.
				const whole = bytes.length === bytes.buffer.byteLength;
				this.#controller.enqueue(/** @type {Uint8Array<ArrayBuffer>} */ (whole ? bytes : new Uint8Array(bytes)));
			},
			oneof: () => {
				this.#endReading();
				if (!allowHalfOpen) this.#finish();
			},
			onwritten: () => this.#sink.moved(),
			onclose: (why) => this.#ended(why),
			holds: () => this.#sink.holds,
		});
		this.#sink = new Sink(this.#stream, strings);
		this.readable = this.#source();
		this.writable = this.#sink.writable;
		if (signal) this.#listen(signal);
	}

	/**
	 * Ends the socket: what was written is delivered, what has not been read is dropped.
	 * @param {unknown} [reason]  what `opened`, if it is pending, and later writes reject with
	 * @returns {Promise<void>} closed
	 */
	close(reason) {
		if (reason !== undefined) this.#opened.reject(reason);
		if (this.#sink.holds) this.#stream.stop();
		this.#finish(reason);
		return this.closed;
	}

	/** For `await using`. A browser without the symbol gets a method that it does not call. */
	[Symbol.asyncDispose]() {
		return this.close();
	}

	/** Ends the socket at once. */
	reset() {
		this.#stream.reset();
	}

	/**
	 * Changes options of the target's socket.
	 * @param {import('./options.js').SocketChoices} choices
	 */
	setOptions(choices) {
		this.#stream.setSocketOptions(socketOptionsFrom(choices));
	}

	/** Throws: TLS is not there yet. @returns {Socket} */
	startTls() {
		throw noTls(this.#target);
	}

	/** @returns {ReadableStream<Uint8Array<ArrayBuffer>>} */
	#source() {
		return new ReadableStream(/** @type {UnderlyingByteSource} */ ({
			type: 'bytes',
			start: (controller) => {
				this.#controller = controller;
			},
			pull: ({ desiredSize }) => {
				const more = (desiredSize ?? 0) - this.#credit;
				if (more <= 0) return;
				this.#credit += more;
				this.#stream.grant(more);
			},
			cancel: () => {
				this.#reading = false;
				this.#stream.stop();
			},
		}), { highWaterMark: WINDOW_BYTES });
	}

	/** What the page reads has come to its end. */
	#endReading() {
		if (!this.#reading) return;
		this.#reading = false;
		this.#controller.close();
		this.#controller.byobRequest?.respond(0);
	}

	/**
	 * Ends both directions behind what the page has written.
	 * @param {unknown} [reason]  for what it writes later
	 */
	#finish(reason) {
		this.#sink.finish(() => this.#stream.close(), reason);
	}

	/** @param {import('../wire/codes.js').Ending} why */
	#ended(why) {
		this.#unlisten();
		const clean = why.code === CODES.ok && !this.#aborted;
		const error = this.#aborted ? this.#aborted.reason : new SocketError(this.#target, clean ? ending(CODES.aborted, why.text) : why);
		this.#opened.reject(error);
		if (clean) {
			this.#closed.resolve(undefined);
			this.#endReading();
		} else {
			this.#closed.reject(error);
			if (this.#reading) this.#controller.error(error);
			this.#reading = false;
		}
		this.#sink.ended(clean ? null : { error }); // a signal's reason may be anything
	}

	/** @param {AbortSignal} signal */
	#listen(signal) {
		const abort = () => {
			this.#aborted = { reason: signal.reason ?? socketError(this.#target, CODES.aborted, '') };
			this.#stream.reset();
		};
		if (signal.aborted) abort();
		else signal.addEventListener('abort', abort, { once: true });
		this.#unlisten = () => signal.removeEventListener('abort', abort);
	}
}

/** @param {Address | null} address */
const joined = (address) => address && joinHostPort(address.addr, address.port);
