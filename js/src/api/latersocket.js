// The classes of Direct Sockets (https://wicg.github.io/direct-sockets/) whose sockets are made
// by a part that loads with the first one (entry/part/direct.js).

/**
 * What makes a socket, and what the class shows of it.
 * @template Info
 * @typedef {{ opened: Promise<Info>, closed: Promise<void>, close: () => Promise<void> }} OpenSocket
 */

/**
 * Makes a class: UDPSocket or TCPServerSocket.
 * @template {any[]} Args
 * @template Info
 * @param {(...args: Args) => Promise<OpenSocket<Info>>} open  rejects for arguments that are wrong
 */
export const laterSocketOf = (open) => class {
	/** @type {Promise<Info>} */
	opened;
	/** @type {Promise<void>} */
	closed;
	#socket;

	/** @param {Args} args */
	constructor(...args) {
		this.#socket = open(...args);
		this.opened = this.#socket.then((socket) => socket.opened);
		this.closed = this.#socket.then((socket) => socket.closed);
		for (const promise of [this.opened, this.closed]) promise.catch(() => {}); // it counts as handled
	}

	/** @returns {Promise<void>} closed; rejects before opened, and where a stream has a reader or a writer */
	close() {
		return this.#socket.then((socket) => socket.close());
	}
};
