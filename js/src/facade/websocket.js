// The WebSocket that a program sees where its socket is a stream of the tunnel: the
// interface of the WHATWG WebSockets standard.
//
// Two things differ from it, for SOCKFS's sake: construction never throws for the URL
// (the exception would end webR's networking for good), and the peer's FIN, which a
// WebSocket does not know, is a clean close.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import { cutReason } from '../engine/carrier.js';
import { EVENT_NAMES, HandlerAttributes, NodeListeners } from './handlers.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';

/** @typedef {import('../wire/codes.js').Ending} Ending */
/** @typedef {import('../tunnel/tunnel.js').Tunnel} Tunnel */
/** @typedef {import('../tunnel/target.js').Target} Target */

/**
 * What is taken from the page. CloseEvent and MessageEvent are the page's own classes.
 * @typedef {object} Scope
 * @property {typeof WebSocket} WebSocket
 * @property {typeof MessageEvent} MessageEvent
 * @property {typeof CloseEvent} CloseEvent
 */

/** @typedef {{ timeoutMs?: number, optimistic?: boolean }} StreamOptions */

/**
 * What a socket asks of its stream. A stream of bytes ignores what only messages need.
 * @typedef {object} Line
 * @property {(bytes: Uint8Array, text?: boolean) => void} write
 * @property {(asked?: Asked) => void} close
 * @property {(code?: number) => void} reset
 * @property {(bytes: number) => void} grant
 */

/** What a program has given to close(). `coded`: it gave a code. @typedef {{ code: number, reason: string, coded: boolean }} Asked */

/**
 * Opens a stream for a socket. Its messages are whole where it is one of messages: a text has its
 * `text` beside its bytes. The subprotocol comes with onopen, the target's close frame with onclose, or that the
 * connection is lost, which is no error event.
 * @typedef {Omit<import('../tunnel/stream.js').Handlers, 'onopen' | 'onclose'> & { onopen: (opened: { protocol?: string }) => void, onclose: (why: Ending & { frame?: { code: number, reason: string }, lost?: boolean }) => void }} LineHandlers
 */
/** @typedef {(handlers: LineHandlers) => Line} OpenLine */

/** @typedef {{ new (url: string, target: Target, open?: OpenLine | null): WebSocket, prototype: object }} StreamSocketClass */

const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };

/** The close code of a connection that ended without a close frame (RFC 6455, 7.4.1). */
const ABNORMAL = 1006;

/**
 * Bytes of one socket that may wait here for their turn to be a message. A program that
 * is called as fast as it can take messages needs few; without a bound a busy page would
 * gather the whole download.
 */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** Room that was made is told in steps: each costs a call into the wasm. */
const GRANT_BYTES = WINDOW_BYTES / 4;

/**
 * Makes the class. Its instances are instances of the native class too.
 * @param {Pick<Tunnel, 'open' | 'turn'>} tunnel
 * @param {Scope} scope
 * @param {StreamOptions} [options]
 * @returns {StreamSocketClass}
 */
export function createStreamSocket(tunnel, scope, options = {}) {
	class StreamSocket extends EventTarget {
		#url;
		#origin;
		#state = STATES.CONNECTING;
		/** @type {BinaryType} */
		#binaryType = 'blob';
		#buffered = 0;
		#protocol = '';
		#handlers = new HandlerAttributes(this);
		#node = new NodeListeners(this);
		#inbox;
		/** Bytes given to the program and not yet granted again. */
		#taken = 0;
		#outbox;
		#stream;
		/** A task that hands out messages is on its way. */
		#flushing = false;
		#eof = false;
		/** @type {Parameters<LineHandlers['onclose']>[0] | null} */
		#ending = null;
		/** @type {Asked} */
		#asked = { code: 1000, reason: '', coded: false };
		#finished = false;

		/**
		 * @param {string} url  as it was given to the constructor
		 * @param {Target} target
		 * @param {OpenLine | null} [open]  of a stream of messages
		 */
		constructor(url, target, open) {
			super();
			[this.#url, this.#origin] = parsed(url);
			this.#inbox = new Inbox(Boolean(open));
			/** @type {LineHandlers} */
			const handlers = {
				onopen: ({ protocol = 'binary' }) => tunnel.turn(() => this.#opened(protocol)),
				ondata: (bytes) => this.#received(bytes),
				oneof: () => {
					this.#eof = true;
					this.#flushSoon();
				},
				onwritten: (bytes) => {
					this.#buffered -= bytes;
				},
				holds: () => this.#outbox.busy,
				onclose: (why) => {
					this.#ending ??= why;
					this.#flushSoon();
				},
			};
			/** @type {Line} */
			this.#stream = open ? open(handlers) : tunnel.open({ ...options, ...target, window: WINDOW_BYTES }, /** @type {any} */ (handlers));
			this.#outbox = new Outbox(this.#stream, () => this.#fail());
		}

		get url() {
			return this.#url;
		}

		get readyState() {
			return this.#state;
		}

		get bufferedAmount() {
			return this.#buffered;
		}

		get extensions() {
			return '';
		}

		get protocol() {
			return this.#protocol;
		}

		get binaryType() {
			return this.#binaryType;
		}

		set binaryType(value) {
			// Web IDL: a value that the enumeration does not have changes nothing.
			if (`${value}` === 'blob' || `${value}` === 'arraybuffer') this.#binaryType = /** @type {BinaryType} */ (`${value}`);
		}

		get onopen() {
			return this.#handlers.get('open');
		}

		set onopen(value) {
			this.#handlers.set('open', value);
		}

		get onmessage() {
			return this.#handlers.get('message');
		}

		set onmessage(value) {
			this.#handlers.set('message', value);
		}

		get onerror() {
			return this.#handlers.get('error');
		}

		set onerror(value) {
			this.#handlers.set('error', value);
		}

		get onclose() {
			return this.#handlers.get('close');
		}

		set onclose(value) {
			this.#handlers.set('close', value);
		}

		/** @param {unknown} data */
		send(data) {
			if (arguments.length === 0) throw new TypeError('send() without data');
			const bytes = bytesOf(data);
			if (this.#state === STATES.CONNECTING) {
				throw new DOMException('send() before the open event', 'InvalidStateError');
			}
			this.#buffered += bytes instanceof Blob ? bytes.size : bytes.length;
			if (this.#state === STATES.OPEN) this.#outbox.send(bytes, isText(data));
		}

		/**
		 * @param {number} [code]
		 * @param {string} [reason]
		 */
		close(code, reason) {
			const asked = checkClose(code, reason);
			if (this.#state >= STATES.CLOSING) return;
			if (this.#state === STATES.CONNECTING) {
				this.#state = STATES.CLOSING;
				this.#fail();
				return;
			}
			this.#state = STATES.CLOSING;
			this.#asked = asked;
			this.#inbox.clear();
			this.#outbox.after(() => this.#stream.close(asked));
		}

		/**
		 * @param {string} name
		 * @param {Function} listener
		 */
		on(name, listener) {
			this.#node.add(name, listener, false);
			return this;
		}

		/**
		 * @param {string} name
		 * @param {Function} listener
		 */
		once(name, listener) {
			this.#node.add(name, listener, true);
			return this;
		}

		/**
		 * @param {string} name
		 * @param {Function} listener
		 */
		off(name, listener) {
			this.#node.remove(name, listener);
			return this;
		}

		/** @param {string} protocol */
		#opened(protocol) {
			if (this.#state !== STATES.CONNECTING) return;
			this.#state = STATES.OPEN;
			this.#protocol = protocol;
			this.dispatchEvent(new Event('open'));
		}

		/** @param {Uint8Array} bytes */
		#received(bytes) {
			if (this.#state >= STATES.CLOSING) return;
			this.#inbox.put(bytes);
			this.#flushSoon();
		}

		/**
		 * Every event has a turn of its own, so that promises of the page's settle in between, as
		 * with a native socket.
		 */
		#flushSoon() {
			if (this.#flushing || this.#finished) return;
			this.#flushing = true;
			tunnel.turn(() => this.#flush());
		}

		#flush() {
			this.#flushing = false;
			const message = this.#state === STATES.OPEN ? this.#inbox.take() : null;
			if (message) {
				this.#grant(message.length);
				if (!this.#inbox.empty || this.#eof || this.#ending) this.#flushSoon();
				const data = message.text ?? (this.#binaryType === 'blob' ? new Blob([message]) : message.buffer);
				this.dispatchEvent(new scope.MessageEvent('message', { data, origin: this.#origin }));
			} else if (this.#ending) this.#finish(this.#ending);
			else if (this.#eof && this.#state === STATES.OPEN) {
				this.#state = STATES.CLOSING;
				this.#outbox.after(() => this.#stream.close());
			}
		}

		/** @param {number} bytes  given to the program */
		#grant(bytes) {
			this.#taken += bytes;
			if (this.#taken < GRANT_BYTES) return;
			this.#stream.grant(this.#taken);
			this.#taken = 0;
		}

		/** Ends at once by this end's own doing; what was not sent is dropped. */
		#fail() {
			this.#ending ??= { ...ending(CODES.aborted), closeCode: ABNORMAL };
			this.#inbox.clear();
			this.#stream.reset(CODES.aborted);
			this.#flushSoon();
		}

		/** @param {Parameters<LineHandlers['onclose']>[0]} why */
		#finish(why) {
			if (this.#finished) return;
			this.#finished = true;
			this.#state = STATES.CLOSED;
			const clean = why.code === CODES.ok;
			const { code, reason } = clean ? why.frame ?? this.#asked : { code: why.closeCode, reason: why.closeCode === ABNORMAL ? '' : reasonOf(why) };
			if (!clean && !why.lost) this.dispatchEvent(new Event('error'));
			this.dispatchEvent(new scope.CloseEvent('close', { wasClean: clean, code, reason }));
		}
	}

	const { prototype } = StreamSocket;
	for (const place of [StreamSocket, prototype]) {
		for (const [name, value] of Object.entries(STATES)) Object.defineProperty(place, name, { value, enumerable: true });
	}
	Object.defineProperties(prototype, {
		addListener: { value: prototype.on, writable: true, configurable: true },
		removeListener: { value: prototype.off, writable: true, configurable: true },
		[Symbol.toStringTag]: { value: 'WebSocket', configurable: true },
	});
	for (const name of ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol', 'binaryType', 'send', 'close', ...EVENT_NAMES.map((event) => `on${event}`)]) {
		Object.defineProperty(prototype, name, { enumerable: true });
	}
	Object.defineProperty(prototype.close, 'length', { value: 0 }); // both arguments are optional
	Object.setPrototypeOf(prototype, scope.WebSocket.prototype);
	return /** @type {any} */ (StreamSocket);
}

/**
 * The serialized URL and its origin; a string that is no URL stays as it is.
 * @param {string} url
 * @returns {[url: string, origin: string]}
 */
function parsed(url) {
	try {
		const { href, origin } = new URL(new URL(url).href.replace(/^http/, 'ws'));
		return [href, origin];
	} catch {
		return [url, 'null'];
	}
}

/** @param {Ending} why */
function reasonOf({ name, text }) {
	return cutReason(text === '' ? name : `${name}: ${text}`);
}

/** The tag is checked, not the class: a buffer may come from a frame. @param {unknown} data */
const isBuffer = (data) => Object.prototype.toString.call(data) === '[object ArrayBuffer]';

/** Whether send() makes a text of it. @param {unknown} data */
const isText = (data) => !(data instanceof Blob || ArrayBuffer.isView(data) || isBuffer(data));

/**
 * @param {unknown} data
 * @returns {Uint8Array | Blob}
 */
function bytesOf(data) {
	if (data instanceof Blob) return data;
	if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	if (isBuffer(data)) return new Uint8Array(/** @type {ArrayBuffer} */ (data).byteLength > 0 ? /** @type {ArrayBuffer} */ (data) : []); // a detached one is empty
	return new TextEncoder().encode(`${data}`);
}

/**
 * The checks of close() (WebSockets, 3.1).
 * @param {unknown} code
 * @param {unknown} reason
 * @returns {Asked}
 */
function checkClose(code, reason) {
	const given = { code: 1000, reason: reason === undefined ? '' : `${reason}`, coded: code !== undefined || (reason !== undefined && `${reason}` !== '') };
	if (code !== undefined) {
		// [Clamp] unsigned short: rounded to the nearest integer in the range.
		given.code = Math.max(0, Math.min(Math.round(Number(code)) || 0, 65535));
		if (given.code !== 1000 && (given.code < 3000 || given.code > 4999)) {
			throw new DOMException(`close code ${given.code} is not 1000 or 3000 to 4999`, 'InvalidAccessError');
		}
	}
	if (new TextEncoder().encode(given.reason).length > 123) {
		throw new DOMException('close reason has more than 123 bytes', 'SyntaxError');
	}
	return given;
}
