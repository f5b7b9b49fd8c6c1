// sockmux.connect(): a TCP connection for the page itself, in the shape of WinterTC's sockets API.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import { joinHostPort } from '../tunnel/target.js';
import { SocketError, socketError } from './errors.js';
import { socketOptionsFrom } from './options.js';
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
 * @property {string | null} alpn  the protocol that TLS has agreed on
 * @property {Address | null} bound  localAddress in parts
 * @property {Address | null} remote  remoteAddress in parts
 */

/**
 * What a socket gives to the one that replaces it.
 * @typedef {object} Plain
 * @property {import('../tunnel/stream.js').Stream} stream
 * @property {import('../tunnel/stream.js').Handlers} handlers  of the stream, to be changed
 * @property {Sink} sink
 * @property {ReadableByteStreamController} readable
 * @property {Promise<SocketInfo>} opened
 * @property {() => void} end  ends the old socket
 */

/**
 * Makes a socket with TLS, over what another one has been or over a stream of its own.
 * @typedef {(plain?: Plain, choices?: import('../http/secure.js').SecureChoices) => Socket} Secure
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
	#handlers;
	#secure;
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
	 * @param {{ open: (request: import('../tunnel/stream.js').Request, handlers: import('../tunnel/stream.js').Handlers) => import('../tunnel/stream.js').Stream }} tunnel
	 * @param {import('../tunnel/stream.js').Request} request
	 * @param {{ allowHalfOpen?: boolean, signal?: AbortSignal, strings?: boolean, secure?: Secure }} [choices]
	 *   allowHalfOpen: the end of the target's direction does not end the page's. strings: writable takes them.
	 *   secure: for startTls()
	 */
	constructor(tunnel, request, { allowHalfOpen = true, signal, strings, secure } = {}) {
		this.#secure = secure;
		this.#target = request.name ?? `${request.host}:${request.port}`;
		this.opened = this.#opened.promise;
		this.closed = this.#closed.promise;
		/** @type {import('../tunnel/stream.js').Handlers} */
		this.#handlers = {
			onopen: ({ bound, remote, alpn = null }) => {
				this.#opened.resolve({ remoteAddress: joined(remote), localAddress: joined(bound), alpn, bound, remote });
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
		};
		this.#stream = tunnel.open({ ...request, window: WINDOW_BYTES }, this.#handlers);
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

	/**
	 * Begins TLS behind what was written. The socket that it returns has the connection from then on,
	 * and this one is closed. Throws where secureTransport is not "starttls".
	 * @param {import('../http/secure.js').SecureChoices} [tls]
	 */
	startTls(tls) {
		if (!this.#secure || this.upgraded) throw new TypeError('startTls: secureTransport is not "starttls", or TLS has begun');
		this.upgraded = true;
		this.#sink.finish(() => {});
		return this.#secure({
			stream: this.#stream, handlers: this.#handlers, sink: this.#sink, readable: this.#controller, opened: this.opened,
			end: () => {
				this.#endReading();
				this.#closed.resolve(undefined);
			},
		}, tls);
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
