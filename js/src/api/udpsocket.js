// UDPSocket in the shape of Direct Sockets (https://wicg.github.io/direct-sockets/). What it does
// is a part of its own (udp.js), loaded with the first socket.

/**
 * @typedef {object} UDPSocketOptions
 * @property {string} [remoteAddress]  with remotePort: a connected socket
 * @property {number} [remotePort]
 * @property {string} [localAddress]  '0.0.0.0' or '::': a bound socket
 * @property {number} [localPort]  default: any. A server refuses another one, unless its operator allows it
 * @property {'ipv4' | 'ipv6'} [dnsQueryType]  connected only
 * @property {boolean} [ipv6Only]  bound to '::' only
 * @property {(error: any) => void} [onerror]  called for what the network or the server says of a datagram, with its remoteAddress and remotePort where the socket is not connected; it ends nothing
 * @property {number} [sendBufferSize]  without effect
 * @property {number} [receiveBufferSize]  likewise
 */

/**
 * Makes the class for a tunnel.
 * @param {() => Promise<(options?: UDPSocketOptions) => import('./udp.js').OpenSocket>} load
 */
export const udpSocketOf = (load) => class UDPSocket {
	/** @type {import('./udp.js').OpenSocket['opened']} */
	opened;
	/** @type {Promise<void>} */
	closed;
	#socket;

	/** @param {UDPSocketOptions} [options] */
	constructor(options) {
		this.#socket = load().then((open) => open(options));
		this.opened = this.#socket.then((socket) => socket.opened);
		this.closed = this.#socket.then((socket) => socket.closed);
		for (const promise of [this.opened, this.closed]) promise.catch(() => {}); // it counts as handled
	}

	/** @returns {Promise<void>} closed; rejects before opened, and where a stream has a reader or a writer */
	close() {
		return this.#socket.then((socket) => socket.close());
	}
};
