// A stream of the tunnel's shape in a worker that blocks. Its bytes stand in the rings, and nothing
// tells of them while the worker waits: what uses the stream looks first.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';

/** @typedef {import('../tunnel/stream.js').Handlers} Handlers */

/** Bytes that are taken out of the ring at once. */
const TAKE_BYTES = 1 << 16;

/** What a stream needs of a socket of the rings. @typedef {ReturnType<import('./ring.js').RingConnector['connect']>} RingSocket */

export class RingStream {
	#socket;
	#handlers;
	#opened = false;
	/** The program has got the peer's FIN. */
	#eof = false;
	/** Nothing is told any more, and the ring is another socket's. */
	#over = false;
	/** What the ring had no room for. @type {Uint8Array[]} */
	#queue = [];
	#queued = 0;
	/** Bytes that were put into the ring and were not known to have left. */
	#unsent = 0;
	/** What follows the queue. @type {'' | 'fin' | 'close'} */
	#last = '';

	/**
	 * @param {RingSocket} socket
	 * @param {Handlers} handlers  called within look() and close()
	 */
	constructor(socket, handlers) {
		this.#socket = socket;
		this.#handlers = handlers;
	}

	/** Bytes that the ring has not taken yet. */
	get queued() {
		return this.#queued;
	}

	get over() {
		return this.#over;
	}

	/** Whether look() has something to tell or to put. */
	get due() {
		if (this.#over) return false;
		const socket = this.#socket;
		return (!this.#opened && socket.state !== 'connecting') || socket.available > 0 || (socket.ended && !this.#eof)
			|| socket.state === 'closed' || (this.#queued > 0 && socket.room > 0);
	}

	/** @param {Uint8Array} bytes  the caller may use them again */
	write(bytes) {
		if (this.#over || this.#last) return;
		const count = this.#queued === 0 ? this.#put(bytes) : 0;
		if (count === bytes.length) return;
		this.#queue.push(bytes.slice(count));
		this.#queued += bytes.length - count;
	}

	closeWrite() {
		this.#end('fin');
	}

	/** What was written is still delivered. */
	close() {
		this.#end('close');
	}

	reset() {
		this.#leave(() => this.#socket.reset());
	}

	grant() {} // taking bytes out of the ring does that

	/**
	 * Takes in what the page has put into the rings.
	 * @param {() => boolean} [enough]  leaves the rest in the ring, which is its bound
	 */
	look(enough = () => false) {
		if (this.#over) return;
		const socket = this.#socket;
		// One that has ended meanwhile has its address all the same.
		if (!this.#opened && (socket.state === 'open' || socket.local)) {
			this.#opened = true;
			this.#handlers.onopen?.({ bound: socket.local, remote: socket.remote });
		}
		this.#flush();
		const written = this.#unsent - socket.unsent;
		this.#unsent -= written;
		if (written > 0) this.#handlers.onwritten?.(written);
		while (!this.#over && !enough()) {
			const bytes = socket.recv(TAKE_BYTES);
			if (bytes === null) break;
			this.#handlers.ondata?.(bytes.slice());
		}
		if (this.#over || !socket.eof) return;
		if (socket.state === 'closed') {
			const why = socket.ending;
			this.#leave(() => socket.close());
			this.#handlers.onclose?.(why);
		} else if (!this.#eof) {
			this.#eof = true;
			this.#handlers.oneof?.();
		}
	}

	/** @param {Uint8Array} bytes */
	#put(bytes) {
		const count = this.#socket.send(bytes);
		this.#unsent += count;
		return count;
	}

	#flush() {
		while (this.#queue.length > 0) {
			const [head] = this.#queue;
			const count = this.#put(head);
			this.#queued -= count;
			if (count < head.length) {
				this.#queue[0] = head.subarray(count);
				return;
			}
			this.#queue.shift();
		}
		if (this.#last) this.#end(this.#last);
	}

	/** @param {'fin' | 'close'} how */
	#end(how) {
		if (this.#over) return;
		this.#last = how;
		if (this.#queued > 0) return;
		if (how === 'fin') this.#socket.shutdown(1);
		else {
			this.#leave(() => this.#socket.close());
			this.#handlers.onclose?.(ending(CODES.ok));
		}
	}

	/** @param {() => void} leave */
	#leave(leave) {
		if (this.#over) return;
		this.#over = true;
		this.#queue = [];
		this.#queued = 0;
		leave();
	}
}
