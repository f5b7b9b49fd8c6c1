// The WebSockets under the tunnel. They are made with the constructor that the page had
// before ours took its place, or the tunnel would travel through itself.

import * as CODES from '../wire/generated/code.js';
import { ACK_BYTES, ATTEMPT_KEY, CLOSE_NORMAL, CLOSE_OWN_FIRST, CLOSE_OWN_LAST, CLOSE_TEXT, MAX_REASON_BYTES, SUBPROTOCOL, TYPE_FORE, TYPE_JOINED } from '../wire/generated/limit.js';
import { Inflow } from './inflow.js';
import { whyUnreachable } from './unreachable.js';

/** @typedef {import('./boundary.js').Boundary} Boundary */
/** @typedef {import('./traffic.js').Traffic} Traffic */

/**
 * Finds out why a dial failed.
 * @typedef {(url: string, attempt: string) => Promise<string>} Probe
 */

export class Carriers {
	/** @type {Map<number, WebSocket>} */
	#sockets = new Map();
	#boundary;
	#Native;
	#url;
	#traffic;
	#probe;
	#schedule;
	#task;
	#early;

	/**
	 * @param {Boundary} boundary
	 * @param {{ url: string, Native: typeof WebSocket, early?: import('./early.js').Early, traffic: Traffic, schedule: import('./tasks.js').Schedule, task: import('./engine.js').Owner['task'], probe?: Probe }} options
	 *   early may have a WebSocket for the first dial; probe finds out why a dial failed, which the browser hides from scripts
	 */
	constructor(boundary, { url, Native, early, traffic, schedule, task, probe = whyUnreachable }) {
		this.#boundary = boundary;
		this.#url = url;
		this.#Native = Native;
		this.#traffic = traffic;
		this.#probe = probe;
		this.#schedule = schedule;
		this.#task = task;
		this.#early = early;
	}

	/**
	 * @param {number} id
	 * @param {number} maxMessage  bytes of the longest message that the protocol allows
	 */
	dial(id, maxMessage) {
		let opened = false;
		/** @type {import('./early.js').Dialed} */
		let dialed;
		try {
			dialed = this.#early?.take() ?? connect(this.#Native, this.#url);
		} catch (error) {
			queueMicrotask(() => this.#boundary.carrierClosed(id, String(error)));
			return;
		}
		const { socket, attempt } = dialed;
		this.#sockets.set(id, socket);
		const open = () => {
			opened = true;
			this.#boundary.carrierOpened(id);
		};
		socket.onopen = open;
		if (socket.readyState === 1) queueMicrotask(open);
		/** @type {Inflow<ArrayBuffer | (() => void)>} */
		const inflow = new Inflow(this.#schedule, this.#receiver(id));
		/** Nothing more is taken; Go tells the server why and closes. @param {string} text */
		const violated = (text) => {
			socket.onmessage = null;
			inflow.put(() => this.#boundary.carrierViolated(id, CODES.limit, text), 0);
		};
		socket.onmessage = ({ data }) => {
			if (!(data instanceof ArrayBuffer)) {
				socket.close(CLOSE_TEXT, 'text message');
				return;
			}
			this.#traffic.messagesIn++;
			this.#traffic.bytesIn += data.byteLength;
			if (data.byteLength > maxMessage) violated(`a message of ${data.byteLength} bytes: at most ${maxMessage} are allowed`);
			else if (!inflow.put(data, data.byteLength)) {
				inflow.clear();
				violated('messages come faster than this end can take them');
			}
		};
		socket.onclose = ({ code, reason }) => {
			this.#sockets.delete(id);
			inflow.put(async () => {
				let why = `the connection ended with code ${code}${reason === '' ? '' : `: ${reason}`}`;
				if (!opened) why = await this.#probe(this.#url, attempt);
				this.#boundary.carrierClosed(id, why);
			}, 0);
		};
	}

	/**
	 * What is done with a carrier's messages, in order.
	 * @param {number} id
	 * @returns {(item: ArrayBuffer | (() => void)) => void}
	 */
	#receiver(id) {
		let bare = false;
		return (item) => {
			if (!(item instanceof ArrayBuffer)) {
				item();
				return;
			}
			if (bare) {
				bare = false;
				this.#task(() => this.#boundary.carrierBody(id, item));
				return;
			}
			const message = new Uint8Array(item);
			// Behind a FORE comes a bare message: nothing but bytes of the session
			// (docs/PROTOCOL.md, 3.2). Its type is the first byte, or stands behind an
			// acknowledgement (3.3).
			bare = message[message[0] === TYPE_JOINED ? ACK_BYTES : 0] === TYPE_FORE;
			if (bare) this.#boundary.carrierMessage(id, message, bare);
			else this.#task(() => this.#boundary.carrierMessage(id, message));
			/** @type {any} */ (item).transfer?.(0); // given back now, the memory is still warm when the next message needs it
		};
	}

	/**
	 * @param {number} id
	 * @param {Uint8Array} message  copied
	 * @returns {number} bytes that the browser has not sent yet
	 */
	send(id, message) {
		const socket = this.#sockets.get(id);
		// While CONNECTING send() throws, and after the end it only counts: Go learns of
		// the end by carrierClosed.
		if (socket?.readyState !== 1) return 0;
		socket.send(/** @type {Uint8Array<ArrayBuffer>} */ (message));
		this.#traffic.messagesOut++;
		this.#traffic.bytesOut += message.length;
		return socket.bufferedAmount;
	}

	/** @param {number} id */
	buffered(id) {
		return this.#sockets.get(id)?.bufferedAmount ?? 0;
	}

	/**
	 * @param {number} id
	 * @param {number} code
	 * @param {string} reason
	 */
	close(id, code, reason) {
		const socket = this.#sockets.get(id);
		if (!socket) return;
		// A script may send only these codes; the others are the browser's own.
		const allowed = code === CLOSE_NORMAL || (code >= CLOSE_OWN_FIRST && code <= CLOSE_OWN_LAST);
		if (allowed) socket.close(code, cutReason(reason));
		else socket.close();
	}

	/** Ends all without a word: their program is gone. */
	drop() {
		for (const socket of this.#sockets.values()) {
			socket.onopen = socket.onmessage = socket.onclose = null;
			socket.close();
		}
		this.#sockets.clear();
	}
}

/**
 * Makes a WebSocket. Throws what the browser throws.
 * @param {typeof WebSocket} Native
 * @param {string} url
 * @returns {import('./early.js').Dialed}
 */
export function connect(Native, url) {
	const attempt = randomText();
	const socket = new Native(`${url}?${ATTEMPT_KEY}=${attempt}`, SUBPROTOCOL);
	socket.binaryType = 'arraybuffer';
	return { socket, attempt };
}

/** A text that no other page can guess: by it the page asks what became of a dial. */
function randomText() {
	return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Cuts a close reason to the bytes that it may have (RFC 6455, 5.5), never inside a
 * character.
 * @param {string} reason
 */
export function cutReason(reason) {
	const bytes = new TextEncoder().encode(reason);
	if (bytes.length <= MAX_REASON_BYTES) return reason;
	return new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES), { stream: true });
}
