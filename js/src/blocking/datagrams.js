// A socket for datagrams in a worker that blocks. Its stream's bytes stand in the rings, and
// nothing tells of them while the worker waits: each use of the socket looks there first.

import { Datagrams } from '../tunnel/datagrams.js';

/** Bytes that are taken out of the ring at once; more than the longest record. */
const TAKE_BYTES = 1 << 17;

/** @typedef {import('../tunnel/datagrams.js').Handlers} Handlers */
/** @typedef {import('../tunnel/stream.js').Handlers} StreamHandlers */
/** @typedef {import('../sockfs/connector.js').Socket & { unsent: number }} Socket */

export class RingDatagrams extends Datagrams {
	#socket;
	/** @type {StreamHandlers} */
	#stream;
	#opened = false;
	#over = false;
	/** Bytes that were put and were not known to have left. */
	#unsent = 0;

	/**
	 * @param {(target: import('../sockfs/connector.js').Target, onevent: () => void) => Socket} connect  opens the stream
	 * @param {{ host: string, port: number }} target  without a host: not connected
	 * @param {Handlers} handlers  called within the uses of the socket, and in tasks where the worker runs them
	 */
	constructor(connect, target, handlers) {
		/** @type {any} */
		let socket;
		/** @type {any} */
		let stream;
		super(({ kind, host, port }, given) => {
			stream = given;
			socket = connect({ kind, host, port }, () => this.look());
			return {
				write: (bytes) => {
					this.#unsent += socket.send(bytes);
				},
				grant() {}, // taking bytes out of the ring does that
				close: () => this.#leave(() => socket.close()),
				reset: () => this.#leave(() => socket.reset()),
			};
		}, target, handlers);
		this.#socket = socket;
		this.#stream = stream;
	}

	get next() {
		this.look();
		return super.next;
	}

	take() {
		this.look();
		return super.take();
	}

	/** @type {Datagrams['send']} */
	send(peer, payload) {
		this.look();
		return super.send(peer, payload);
	}

	/** Takes in what the page has put into the rings, up to the next datagram. */
	look() {
		if (this.#over) return;
		const socket = this.#socket;
		if (!this.#opened && socket.local) {
			this.#opened = true;
			this.#stream.onopen?.({ bound: socket.local, remote: socket.remote });
		}
		const written = this.#unsent - socket.unsent;
		this.#unsent -= written;
		this.#stream.onwritten?.(written);
		// The rest waits in the ring, which is its bound.
		while (!this.#over && !super.next) {
			const bytes = socket.recv(TAKE_BYTES);
			if (bytes === null) break;
			this.#stream.ondata?.(bytes);
		}
		if (this.#over || !socket.eof) return;
		const { error: errno, errorText: text } = socket;
		this.#leave(() => socket.close());
		this.#stream.onclose?.(/** @type {any} */ ({ errno, text }));
	}

	/** The ring is another socket's from now on. @param {() => void} leave */
	#leave(leave) {
		if (this.#over) return;
		this.#over = true;
		leave();
	}
}
