// A stand-in for the WebSocket server that SOCKFS has for a listener in Node. php-wasm waits for
// events of the server's clients, and asks in the listener's field `pending`, before it accepts.

import { Peer } from './peer.js';

/** An entry of `pending`: php-wasm asks whether there is something in its queue. */
const ACCEPTABLE = Object.freeze({ recv_queue: Object.freeze([0]), peers: Object.freeze({}) });

export class Server {
	#arrivals;

	/**
	 * What a program can wait for: one stand-in for all connections that come. Those that were
	 * accepted are not here: what they receive is nothing to accept.
	 * @type {Set<Peer>}
	 */
	clients;

	/**
	 * Takes the place of SOCKFS's server.
	 * @param {import('../program/program.js').Sock} sock  the listener
	 * @param {Pick<import('../connector.js').Socket, 'state' | 'close'>} stream  of the listener
	 * @param {() => boolean} ready  whether accept() has a result
	 */
	constructor(sock, stream, ready) {
		this.#arrivals = new Peer(`ws://${sock.saddr}:${sock.sport}/`);
		// Nothing can be written to a listener, so it is never open.
		this.#arrivals.carry({ get state() { return stream.state; }, writable: false, send: () => 0, close() {} });
		this.clients = new Set([this.#arrivals]);
		Object.defineProperty(sock, 'pending', { configurable: true, enumerable: true, get: () => (sock.server === this && ready() ? [ACCEPTABLE] : []), set() {} });
	}

	/** SOCKFS closes its server with the socket. The listener's stream ends without that. */
	close() {}

	/** Wakes what waits. @param {import('../connector.js').SocketEvent} event  of the listener's stream */
	tell(event) {
		if (event === 'message') this.#arrivals.fire('message');
		else if (event !== 'open' && event !== 'room') this.#arrivals.fire('close');
	}
}
