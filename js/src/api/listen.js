// Listening at the server: listen() of the page, and the sockets of TCPServerSocket.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import * as KIND from '../wire/generated/kind.js';
import { Records, backlogBytes } from '../tunnel/incoming.js';
import { isIPv6, joinHostPort } from '../tunnel/target.js';
import { hostOf } from './address.js';
import { shown } from './errors.js';
import { thrownBy } from './exceptions.js';
import { settler } from './settler.js';

/** @typedef {import('../entry/part/direct.js').Shared} Shared */
/** @typedef {import('../tunnel/incoming.js').Incoming} Incoming */
/** @typedef {import('../tunnel/stream.js').Address} Address */
/** @typedef {import('./socket.js').Socket} Socket */
/** @typedef {InstanceType<Shared['TCPSocket']>} TCPSocket */
/** @typedef {{ host: string, port: number, family?: 4 | 6, backlog: number }} Request */

/** Connections that wait at the server, if the page does not say. */
const BACKLOG = 128;

/** Bytes of records that the server may send before the page takes connections. */
const WINDOW_BYTES = 4096;

/**
 * @typedef {object} ListenOptions
 * @property {number} [backlog]  connections that wait at the server; default: 128
 * @property {4 | 6} [family]
 * @property {boolean} [allowHalfOpen]  of the connections; default: true
 * @property {AbortSignal} [signal]  ends the listener at any time
 */

/**
 * Options of a TCPServerSocket.
 * @typedef {object} TCPServerSocketOptions
 * @property {number} [localPort]  default: any
 * @property {number} [backlog]
 * @property {boolean} [ipv6Only]  of the localAddress '::' only
 */

/**
 * A listener. The readable has no queue of its own: connections wait at the server.
 * @template T
 */
class Listener {
	/** @type {Promise<Address | null>} */
	opened;
	/** @type {Promise<void>} */
	closed;
	/** @type {ReadableStream<T>} */
	readable;
	#stream;
	#records = new Records();
	/** @type {ReadableStreamDefaultController<T>} */
	#controller = /** @type {any} */ (null);
	#accept;
	/** The page wants a connection. */
	#wanted = false;
	#over = false;

	/**
	 * @param {Shared} shared
	 * @param {Request} request
	 * @param {(incoming: Incoming) => T} accept
	 * @param {(why: import('../wire/codes.js').Ending) => unknown} errorOf
	 */
	constructor({ tunnel, defaults }, { backlog, ...request }, accept, errorOf) {
		this.#accept = accept;
		/** @type {ReturnType<typeof settler<Address | null>>} */
		const opened = settler();
		/** @type {ReturnType<typeof settler<void>>} */
		const closed = settler();
		this.opened = opened.promise;
		this.closed = closed.promise;
		this.readable = new ReadableStream({
			start: (controller) => {
				this.#controller = controller;
			},
			pull: () => {
				this.#wanted = true;
				this.#pass();
			},
			cancel: () => {
				this.#over = true;
				this.#stream.close();
			},
		}, { highWaterMark: 0 });
		this.#stream = tunnel.open({ ...request, kind: KIND.listen, timeoutMs: defaults.timeoutMs, window: WINDOW_BYTES }, {
			onopen: ({ bound }) => opened.resolve(bound),
			ondata: (bytes) => {
				this.#records.put(bytes);
				this.#pass();
			},
			oneof: () => this.#stream.reset(CODES.aborted),
			onclose: (why) => {
				const byPage = this.#over;
				this.#over = true;
				const error = errorOf(why.code === CODES.ok ? ending(CODES.aborted, why.text) : why);
				opened.reject(error);
				if (byPage) closed.resolve();
				else {
					closed.reject(error);
					this.#controller.error(error);
				}
			},
		});
		this.#stream.write(backlogBytes(backlog));
	}

	/** Hands out a connection if the page wants one and there is one. */
	#pass() {
		if (!this.#wanted || this.#over) return;
		const incoming = this.#records.queue.shift();
		if (!incoming) return;
		this.#wanted = false;
		this.#stream.grant(incoming.bytes);
		this.#controller.enqueue(this.#accept(incoming));
	}

	/** Ends it: a pending read is done, and the server frees the port. */
	close() {
		if (!this.#over) {
			this.#over = true;
			this.#controller.close();
			this.#stream.close();
		}
		return this.closed;
	}

	/** Ends it with an error. */
	abort() {
		this.#stream.reset();
	}
}

/**
 * Reads what both forms take; throws a SocketError or a TypeError.
 * @param {Shared} shared
 * @param {unknown} host
 * @param {unknown} port
 * @param {{ backlog?: number, family?: 4 | 6 }} options
 * @returns {Request}
 */
function requestOf({ SocketError }, host, port, { backlog = BACKLOG, family }) {
	const refuse = (/** @type {string} */ why) => {
		throw new SocketError(`listen on ${shown(host)}`, ending(CODES.invalid_request, why));
	};
	if (family !== undefined && family !== 4 && family !== 6) throw new TypeError(`the family ${shown(family)} is neither 4 nor 6`);
	if (!Number.isInteger(backlog) || backlog < 0 || backlog > 0xffffffff) throw new TypeError(`the backlog ${shown(backlog)} is not a whole number in 0 to 4294967295`);
	if (!Number.isInteger(port) || Number(port) < 0 || Number(port) > 65535) return refuse(`port ${shown(port)} is not a whole number in 0 to 65535`);
	const six = family === 6;
	/** @type {Record<string, string>} */
	const named = { '': family === 4 ? '0.0.0.0' : '::', localhost: six ? '::1' : '127.0.0.1' };
	const bare = typeof host === 'string' ? host.replace(/^\[(.*)\]$/, '$1') : '';
	const addr = typeof host === 'string' && Object.hasOwn(named, host) ? named[host] : bare;
	const is6 = isIPv6(addr);
	if (!is6 && !(/^\d+(\.\d+){3}$/.test(addr) && hostOf(addr) === addr)) return refuse('it is not an address of the server');
	if (family !== undefined && is6 !== six) return refuse(`it is not an address of IPv${family}`);
	return { host: addr, port: Number(port), family, backlog };
}

/**
 * Returns listen().
 * @param {Shared} shared
 */
export const listenOf = (shared) => async (/** @type {unknown} */ host, /** @type {unknown} */ port, /** @type {ListenOptions} */ { backlog, family, allowHalfOpen = true, signal } = {}) => {
	if (signal !== undefined && typeof signal?.addEventListener !== 'function') throw new TypeError(`listen: ${shown(signal)} is no AbortSignal`);
	signal?.throwIfAborted();
	const { SocketError, Socket, tunnel, defaults } = shared;
	const request = requestOf(shared, host, port, { backlog, family });
	const name = joinHostPort(request.host, request.port);
	/** @type {Listener<Socket>} */
	const listener = new Listener(shared, request, ({ number, addr, port: from }) => new Socket(
		tunnel, { kind: KIND.accept, host: '', port: number, name: joinHostPort(addr, from), timeoutMs: defaults.timeoutMs }, { allowHalfOpen },
	), (why) => (signal?.aborted ? signal.reason : new SocketError(name, why)));
	const abort = () => listener.abort();
	signal?.addEventListener('abort', abort, { once: true });
	const forget = () => signal?.removeEventListener('abort', abort);
	listener.closed.then(forget, forget);
	const bound = await listener.opened;
	const close = () => listener.close();
	return { bound, localAddress: bound && joinHostPort(bound.addr, bound.port), readable: listener.readable, closed: listener.closed, close, [Symbol.asyncDispose]: close };
};

/**
 * Returns what makes the sockets of TCPServerSocket.
 * @param {Shared} shared
 */
export const serverOf = (shared) => async (/** @type {unknown} */ localAddress, /** @type {TCPServerSocketOptions | null | undefined} */ options) => {
	const { localPort = 0, backlog, ipv6Only } = options ?? {};
	const { SocketError, Socket, TCPSocket, tunnel, defaults } = shared;
	if (ipv6Only !== undefined && localAddress !== '::') throw new TypeError('TCPServerSocket: ipv6Only is for the localAddress "::"');
	const request = requestOf(shared, localAddress, localPort, { backlog, family: ipv6Only ? 6 : undefined });
	const name = joinHostPort(request.host, request.port);
	/** @type {Listener<TCPSocket>} */
	const listener = new Listener(shared, request, ({ number, addr, port }) => {
		const socket = new Socket(tunnel, { kind: KIND.accept, host: '', port: number, name: joinHostPort(addr, port), timeoutMs: defaults.timeoutMs }, { strings: false });
		return new TCPSocket(addr, port, socket);
	}, (why) => thrownBy(new SocketError(name, why)));
	let isOpen = false;
	const opened = listener.opened.then((bound) => {
		isOpen = true;
		return { readable: listener.readable, localAddress: bound && bound.addr, localPort: bound && bound.port };
	});
	return {
		opened,
		closed: listener.closed,
		async close() {
			if (!isOpen) throw new DOMException('the socket is not open', 'InvalidStateError');
			if (listener.readable.locked) throw new DOMException('the readable of the socket is locked', 'InvalidStateError');
			return listener.close();
		},
	};
};

