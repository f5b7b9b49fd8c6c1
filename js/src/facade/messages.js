// The messages of a WebSocket on a stream of the tunnel (docs/PROTOCOL.md, section 5.5).

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import * as KIND from '../wire/generated/kind.js';
import { CLOSE_NO_CODE, OPEN_OWN_FIELDS, OPEN_TLS, RECORD_BINARY, RECORD_CLOSE, RECORD_HEAD_BYTES, RECORD_LAST, RECORD_MORE, RECORD_TEXT } from '../wire/generated/limit.js';

/** @typedef {import('./websocket.js').LineHandlers} LineHandlers */

/** Bytes that may wait here for the program. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** Room that was made is told in steps. */
const GRANT_BYTES = WINDOW_BYTES / 4;

/** The close code of a connection that ended without a close frame (RFC 6455, 7.4.1). */
const ABNORMAL = 1006;

/** What Chromium sends for a text that is no UTF-8. */
const BAD_TEXT = 1002;

/** A message is too big to process (RFC 6455, 7.4.1). */
const TOO_BIG = 1009;

/**
 * What a program asks for. fields: the header fields of the handshake, where the program gives them
 * itself; maxBytes: of a message; late: messages that come behind the program's own close are delivered.
 * @typedef {import('./wanted.js').Wanted & { timeoutMs?: number, fields?: readonly [name: string, value: string][], maxBytes?: number, late?: boolean }} MessagesRequest
 */

const encoder = new TextEncoder();

/**
 * Opens a WebSocket at the server.
 * @param {Pick<import('../tunnel/tunnel.js').Tunnel, 'open'>} tunnel
 * @param {MessagesRequest} request
 * @param {LineHandlers} handlers
 * @returns {import('./websocket.js').Line}
 */
export const openMessages = (tunnel, request, handlers) => new Messages(tunnel, request, handlers);

class Messages {
	#handlers;
	#stream;
	/** Of a message. */
	#maxBytes;
	/** Bytes of what is read whole: the subprotocol, the head of a record. @type {number[]} */
	#head = [];
	#open = false;
	/** Bytes that the record has still to come. */
	#left = 0;
	/** Kind of the message that has begun. */
	#kind = RECORD_MORE;
	#last = false;
	/** @type {Uint8Array[]} */
	#pieces = [];
	/** Bytes of the message that have been announced. */
	#size = 0;
	/** What comes is dropped. */
	#drops = false;
	/** Messages that come behind the program's own close are delivered. */
	#late;
	/** Of the target. @type {{ code: number, reason: string } | undefined} */
	#frame;
	/** Bytes that have come and were not granted again. */
	#ungranted = 0;
	/** Bytes of messages that the program has not taken. */
	#held = 0;
	/** Records that have not left: bytes of the head, and of the message. @type {[head: number, body: number][]} */
	#leaving = [];

	/**
	 * @param {Pick<import('../tunnel/tunnel.js').Tunnel, 'open'>} tunnel
	 * @param {MessagesRequest} request
	 * @param {LineHandlers} handlers
	 */
	constructor(tunnel, { host, port, timeoutMs, maxBytes = Infinity, late = false, ...handshake }, handlers) {
		this.#handlers = handlers;
		this.#late = late;
		this.#maxBytes = maxBytes;
		this.#stream = tunnel.open({ kind: KIND.websocket, host, port, timeoutMs, window: WINDOW_BYTES }, {
			ondata: (bytes) => this.#received(bytes),
			oneof: () => this.#stream.close(),
			onwritten: (bytes) => this.#written(bytes),
			onclose: (why) => this.#ended(why),
			holds: handlers.holds,
		});
		const opening = encodeOpen(handshake);
		this.#leaving.push([opening.length, 0]);
		this.#stream.write(opening);
	}

	/**
	 * Sends a message.
	 * @param {Uint8Array} bytes  copied
	 * @param {boolean} [text]
	 */
	write(bytes, text) {
		this.#send(text ? RECORD_TEXT : RECORD_BINARY, bytes, bytes.length);
	}

	/** Begins the close handshake. @param {import('./websocket.js').Asked} [asked] */
	close(asked) {
		this.#drops = !this.#late;
		this.#sendClose(asked?.coded ? asked.code : CLOSE_NO_CODE, asked?.reason ?? '');
		this.#settle();
	}

	/** @param {number} [code] */
	reset(code) {
		this.#stream.reset(code);
	}

	/** @param {number} bytes  of messages that the program has taken */
	grant(bytes) {
		this.#held -= bytes;
		this.#settle();
	}

	/**
	 * @param {number} code
	 * @param {string} reason
	 */
	#sendClose(code, reason) {
		const payload = code === CLOSE_NO_CODE ? [] : [code >> 8, code & 255, ...encoder.encode(reason)];
		this.#send(RECORD_CLOSE, Uint8Array.from(payload), 0);
		this.#stream.closeWrite();
	}

	/**
	 * @param {number} kind
	 * @param {Uint8Array} payload
	 * @param {number} body  bytes of it that the program has sent
	 */
	#send(kind, payload, body) {
		const head = new DataView(new ArrayBuffer(RECORD_HEAD_BYTES));
		head.setUint8(0, kind | RECORD_LAST);
		head.setUint32(1, payload.length);
		this.#leaving.push([RECORD_HEAD_BYTES + payload.length - body, body]);
		this.#stream.write(new Uint8Array(head.buffer));
		this.#stream.write(payload);
	}

	/** @param {number} bytes */
	#written(bytes) {
		let sent = 0;
		while (bytes > 0 && this.#leaving.length > 0) {
			const record = this.#leaving[0];
			const head = Math.min(bytes, record[0]);
			const body = Math.min(bytes - head, record[1]);
			record[0] -= head;
			record[1] -= body;
			bytes -= head + body;
			sent += body;
			if (record[0] + record[1] === 0) this.#leaving.shift();
		}
		if (sent > 0) this.#handlers.onwritten?.(sent);
	}

	/** @param {Uint8Array} bytes */
	#received(bytes) {
		this.#ungranted += bytes.length;
		for (let at = 0; at < bytes.length;) {
			if (this.#left > 0) {
				const piece = bytes.subarray(at, at + this.#left);
				if (!this.#drops || this.#kind === RECORD_CLOSE) this.#pieces.push(piece);
				this.#left -= piece.length;
				at += piece.length;
				if (this.#left === 0) this.#recordEnds();
			} else {
				this.#head.push(bytes[at++]);
				if (!this.#open) this.#opens();
				else if (this.#head.length === RECORD_HEAD_BYTES) this.#recordBegins();
			}
		}
		this.#settle();
	}

	/** The target has answered the handshake. */
	#opens() {
		const [length, ...name] = this.#head;
		if (name.length < length) return;
		this.#open = true;
		this.#head = [];
		this.#handlers.onopen({ protocol: String.fromCharCode(...name) });
	}

	#recordBegins() {
		const [kind, a, b, c, d] = this.#head;
		this.#head = [];
		this.#last = (kind & RECORD_LAST) !== 0;
		if ((kind & ~RECORD_LAST) !== RECORD_MORE) {
			this.#kind = kind & ~RECORD_LAST;
			this.#pieces = []; // a close frame may come in the midst of a message
			this.#size = 0;
		}
		this.#left = a * 2 ** 24 + (b << 16 | c << 8 | d);
		this.#size += this.#left;
		if (this.#size > this.#maxBytes && !this.#drops && this.#kind !== RECORD_CLOSE) this.#refuse(TOO_BIG, 'A message was too large');
		if (this.#left === 0) this.#recordEnds();
	}

	#recordEnds() {
		if (!this.#last) return;
		const message = joined(this.#pieces);
		this.#pieces = [];
		if (this.#kind === RECORD_CLOSE) this.#closed(message);
		else if (!this.#drops) this.#deliver(message);
	}

	/** @param {Uint8Array<ArrayBuffer> & { text?: string }} message */
	#deliver(message) {
		if (this.#kind === RECORD_TEXT) {
			try {
				message.text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message);
			} catch {
				this.#refuse(BAD_TEXT, 'Invalid UTF-8 in text frame');
				return;
			}
		}
		this.#held += message.length;
		this.#handlers.ondata?.(message);
	}

	/**
	 * Ends the WebSocket because of what the target has sent.
	 * @param {number} code
	 * @param {string} reason
	 */
	#refuse(code, reason) {
		this.#drops = true;
		this.#pieces = [];
		this.#sendClose(code, reason);
		this.#handlers.onclose({ ...ending(CODES.protocol), closeCode: ABNORMAL });
	}

	/** @param {Uint8Array} payload  of the target's close frame */
	#closed(payload) {
		this.#frame = payload.length < 2 ? { code: CLOSE_NO_CODE, reason: '' } : { code: payload[0] << 8 | payload[1], reason: new TextDecoder().decode(payload.subarray(2)) };
	}

	/** Grants what has come, but for what the program has not taken. */
	#settle() {
		const room = this.#ungranted - (this.#drops ? 0 : this.#held);
		if (room < GRANT_BYTES) return;
		this.#ungranted -= room;
		this.#stream.grant(room);
	}

	/** @param {import('../wire/codes.js').Ending} why */
	#ended(why) {
		if (why.code === CODES.ok && this.#frame) this.#handlers.onclose({ ...why, frame: this.#frame });
		else this.#handlers.onclose({ ...ending(why.code || CODES.reset, why.text), closeCode: ABNORMAL, lost: this.#open && why.code !== CODES.protocol });
	}
}

/**
 * What the server needs for the handshake.
 * @param {Pick<MessagesRequest, 'secure' | 'resource' | 'protocols' | 'fields'>} handshake
 */
export function encodeOpen({ secure, resource, protocols, fields }) {
	const path = encoder.encode(resource);
	const rest = [...long(path), ...(fields ? long(encodeFields(fields)) : []), ...protocols.flatMap((name) => [name.length, ...encoder.encode(name)])];
	return Uint8Array.from(long([(secure ? OPEN_TLS : 0) | (fields ? OPEN_OWN_FIELDS : 0), ...rest]));
}

/** The bytes behind their number. @param {ArrayLike<number>} bytes */
const long = (bytes) => [bytes.length >> 8, bytes.length & 255, ...Array.from(bytes)];

/** @param {NonNullable<MessagesRequest['fields']>} fields */
const encodeFields = (fields) => fields.flatMap(([name, value]) => [name.length, ...encoder.encode(name), ...long(encoder.encode(value))]);

/**
 * The pieces as one message, whose buffer is no larger than itself.
 * @param {Uint8Array[]} pieces
 * @returns {Uint8Array<ArrayBuffer>}
 */
function joined(pieces) {
	const message = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
	let at = 0;
	for (const piece of pieces) {
		message.set(piece, at);
		at += piece.length;
	}
	return message;
}
