// A WebSocket of R's package websocket: the server dials it, so R gives the header fields that a
// browser would not send. Nothing is called back. R takes one event after the other, and what it does
// not take waits in the ring, and behind it at the target.

import { RingStream } from '../../blocking/stream.js';
import { openMessages } from '../../facade/messages.js';
import * as KIND from '../../wire/generated/kind.js';
import { messageOf } from './errors.js';

/** @typedef {{ event: 'open', protocol: string }
 *   | { event: 'message', data: string | Uint8Array }
 *   | { event: 'close', code: number, reason: string }
 *   | { event: 'error', message: string }} Event */

/** How long the handshake may take: that of the original. */
const HANDSHAKE_MS = 5000;

/** Bytes of messages that may come while R sends, and is not there to take them. */
const MAX_HELD_BYTES = 64 << 20;

/** The longest single wait: an interrupt is noticed behind it. */
export const WAIT_MS = 50;

export class WebSocketOfR {
	#connector;
	/** @type {RingStream} */
	#stream;
	#messages;
	/** @type {{ event: Event, bytes: number }[]} */
	#events = [];
	/** Bytes of the messages among them. */
	#held = 0;
	#opened = false;
	#ended = false;

	/**
	 * @param {Pick<import('../../blocking/ring.js').RingConnector, 'connect' | 'nap'>} connector
	 * @param {Omit<import('../../facade/messages.js').MessagesRequest, 'timeoutMs' | 'late'>} request
	 */
	constructor(connector, request) {
		this.#connector = connector;
		/** @type {any} */
		let stream;
		const tunnel = {
			open: (/** @type {any} */ { host, port, timeoutMs }, /** @type {any} */ handlers) => {
				stream = new RingStream(connector.connect({ kind: KIND.websocket, host, port, timeoutMs }), handlers);
				return stream;
			},
		};
		this.#messages = openMessages(/** @type {any} */ (tunnel), { ...request, timeoutMs: HANDSHAKE_MS, late: true }, {
			onopen: ({ protocol = '' }) => {
				this.#opened = true;
				this.#put({ event: 'open', protocol });
			},
			ondata: (/** @type {any} */ message) => {
				this.#put({ event: 'message', data: message.text ?? message }, message.length);
			},
			onclose: (why) => {
				if (this.#ended) return;
				this.#ended = true;
				if (this.#opened) this.#put({ event: 'close', ...(why.frame ?? { code: why.closeCode, reason: '' }) });
				else this.#put({ event: 'error', message: messageOf(why) });
				stream.close();
			},
		});
		this.#stream = stream;
	}

	/** Whether there is an event to take, or something to do for take(). */
	get due() {
		return this.#events.length > 0 || this.#stream.due;
	}

	/** Whether nothing will come any more. */
	get over() {
		return this.#events.length === 0 && this.#stream.over;
	}

	/** The next event, if there is one. */
	take() {
		this.#stream.look(() => this.#events.length > 0);
		const next = this.#events.shift();
		this.#held -= next?.bytes ?? 0;
		return next?.event;
	}

	/**
	 * Sends a message.
	 * @param {Uint8Array} bytes
	 * @param {boolean} text
	 */
	send(bytes, text) {
		if (!this.#ended) this.#messages.write(bytes, text);
	}

	/**
	 * Reports whether the ring has not taken all that was sent. Waits a while for it. What comes
	 * meanwhile is taken in, so that a target which answers as it reads does not stand still.
	 */
	sending() {
		if (this.#stream.queued > 0) {
			this.#stream.look(() => this.#held >= MAX_HELD_BYTES);
			if (this.#stream.queued > 0) this.#connector.nap(WAIT_MS);
		}
		return this.#stream.queued > 0;
	}

	/**
	 * Begins the close handshake.
	 * @param {number} code
	 * @param {string} reason
	 */
	close(code, reason) {
		if (!this.#ended) this.#messages.close({ code, reason, coded: true });
	}

	/**
	 * @param {Event} event
	 * @param {number} [bytes]
	 */
	#put(event, bytes = 0) {
		this.#events.push({ event, bytes });
		this.#held += bytes;
	}
}
