// TCPSocket in the shape of Direct Sockets (https://wicg.github.io/direct-sockets/).

import { targetFrom } from './address.js';
import { SocketError, shown } from './errors.js';
import { thrownBy } from './exceptions.js';
import { socketOptionsFrom } from './options.js';
import { Socket } from './socket.js';

/**
 * @typedef {object} TCPSocketOptions
 * @property {boolean} [noDelay]  default: false
 * @property {number} [keepAliveDelay]  milliseconds, 1000 or more
 * @property {'ipv4' | 'ipv6'} [dnsQueryType]
 * @property {number} [sendBufferSize]  without effect: the tunnel has flow control of its own
 * @property {number} [receiveBufferSize]  likewise
 */

/** @type {Record<string, 4 | 6>} */
const FAMILIES = { ipv4: 4, ipv6: 6 };

/**
 * Makes the class for a tunnel.
 * @param {Pick<import('../tunnel/tunnel.js').Tunnel, 'open'>} tunnel
 * @param {() => { timeoutMs?: number, optimistic: boolean }} defaults
 */
export function tcpSocketOf(tunnel, defaults) {
	return class TCPSocket {
		/** @type {Promise<{ readable: ReadableStream<Uint8Array<ArrayBuffer>>, writable: WritableStream<BufferSource>, remoteAddress: string | null, remotePort: number | null, localAddress: string | null, localPort: number | null }>} */
		opened;
		/** @type {Promise<void>} */
		closed;

		#socket;
		#open = false;

		/**
		 * @param {string} remoteAddress
		 * @param {number} remotePort
		 * @param {TCPSocketOptions | Socket | null} [options]  a Socket: what TCPServerSocket has accepted
		 */
		constructor(remoteAddress, remotePort, options) {
			const socket = options instanceof Socket ? options : this.#connect(remoteAddress, remotePort, options);
			this.#socket = socket;
			this.opened = socket.opened.then(({ remote, bound }) => {
				this.#open = true;
				return {
					readable: socket.readable, writable: /** @type {WritableStream<BufferSource>} */ (socket.writable),
					remoteAddress: remote && remote.addr, remotePort: remote && remote.port,
					localAddress: bound && bound.addr, localPort: bound && bound.port,
				};
			}, thrown);
			this.closed = socket.closed.catch(thrown);
			for (const promise of [this.opened, this.closed]) promise.catch(() => {}); // it counts as handled: no uncaught error
		}

		/**
		 * @param {string} remoteAddress
		 * @param {number} remotePort
		 * @param {TCPSocketOptions | null} [options]
		 */
		#connect(remoteAddress, remotePort, options) {
			const { noDelay = false, keepAliveDelay, dnsQueryType } = options ?? {};
			const family = dnsQueryType === undefined ? undefined : FAMILIES[dnsQueryType];
			if (dnsQueryType !== undefined && !family) throw new TypeError(`TCPSocket: dnsQueryType ${shown(dnsQueryType)} is neither "ipv4" nor "ipv6"`);
			return new Socket(tunnel, { ...targetFrom(remoteAddress, remotePort), family, socketOptions: socketOptionsFrom({ noDelay, keepAliveDelay }), ...defaults() }, { strings: false });
		}

		/** @returns {Promise<void>} closed; rejects before opened, and where a stream has a reader or a writer */
		async close() {
			const { readable, writable } = this.#socket;
			if (!this.#open) throw new DOMException('the socket is not open', 'InvalidStateError');
			if (readable.locked || writable.locked) throw new DOMException('a stream of the socket is locked', 'InvalidStateError');
			this.#socket.close();
			await this.closed;
		}
	};
}

/**
 * Throws the exception that Direct Sockets has in place of ours.
 * @param {unknown} error
 * @returns {never}
 */
function thrown(error) {
	throw error instanceof SocketError ? thrownBy(error) : error;
}
