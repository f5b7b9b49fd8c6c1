// The JS half of the boundary to Go: bytes and numbers through the wasm's memory.
// wasm/main_js.go is the other half.
//
// Two rules keep it safe. Go is never entered while Go runs: what Go calls (the imports)
// copies, notes and returns. And Go never waits in a call from here: exports queue for
// goroutines, which run in resume().

import * as EVENT from '../wire/generated/event.js';
import { UNLIMITED } from '../wire/generated/limit.js';
import { encodeSocketOptions } from '../wire/socket-options.js';

/** @typedef {import('../wire/socket-options.js').SocketOptions} SocketOptions */
/** @typedef {import('../wire/events.js').Event} Event */

/** @typedef {import('../wire/generated/boundary.js').Exports} Exports */

/**
 * What to open, as it goes to Go.
 * @typedef {object} OpenRequest
 * @property {number} kind  one of KIND (wire/generated/kind.js)
 * @property {string} host  a name, an IPv4 or an IPv6 address without brackets; may be empty where the kind has none
 * @property {number} port  0 where the kind has none
 * @property {4 | 6} [family]  only addresses of that family; absent: of both
 * @property {SocketOptions} [socketOptions]  of the target's socket
 * @property {number} [timeoutMs]  for everything until the stream is open; absent: as long as the server takes
 * @property {boolean} [optimistic]  the stream counts as open as soon as the request is on its way
 * @property {number} [window]  bytes that ondata may give before a grant; absent: unlimited
 */

const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);

export class Boundary {
	#exports;
	#resume;
	#onfailure;
	#resumeQueued = false;
	#dead = false;
	/** Views of the wasm's memory; growing the memory detaches them. */
	#bytes = EMPTY;
	#words = new DataView(new ArrayBuffer(0));
	/** Bare messages that Go knows by their handles. @type {Map<number, ArrayBuffer>} */
	#bodies = new Map();
	#lastBody = 0;

	/**
	 * @param {Exports} exports
	 * @param {() => void} resume  runs Go's goroutines until all of them wait
	 * @param {(error: unknown) => void} onfailure  called once, when a call into Go has failed; the boundary is dead then
	 */
	constructor(exports, resume, onfailure) {
		this.#exports = exports;
		this.#resume = resume;
		this.#onfailure = onfailure;
	}

	/** @param {{ url: string, agent: string }} config */
	configure({ url, agent }) {
		this.#call(() => this.#exports.configure(this.#put(encoder.encode(`${url}\0${agent}`))));
	}

	/** @param {string} token  sent with the next hello */
	setToken(token) {
		this.#call(() => this.#exports.setToken(this.#put(encoder.encode(token))));
	}

	/**
	 * @param {number} id  chosen by the caller, never used twice
	 * @param {OpenRequest} request
	 *   An optimistic one is opened by the next resume, for which the caller cares: what the program writes first goes
	 *   with the request
	 */
	open(id, { kind, host, port, family, timeoutMs = 0, optimistic = false, window = Infinity, socketOptions = {} }) {
		const credit = window === Infinity ? UNLIMITED : clampWord(window, UNLIMITED - 1);
		const name = encoder.encode(host);
		const target = Uint8Array.from([...name, ...encodeSocketOptions(socketOptions)]);
		this.#call(() => this.#exports.streamOpen(id, kind, port, family ?? 0, clampWord(timeoutMs), Number(optimistic), credit, name.length, this.#put(target)));
		if (!optimistic) this.resumeSoon();
	}

	/**
	 * @param {number} id
	 * @param {SocketOptions} options
	 */
	setSocketOptions(id, options) {
		this.#call(() => this.#exports.streamSocketOptions(id, this.#put(Uint8Array.from(encodeSocketOptions(options)))));
		this.resumeSoon();
	}

	/**
	 * @param {number} id
	 * @param {Uint8Array} bytes  copied
	 */
	write(id, bytes) {
		this.#call(() => this.#exports.streamWrite(id, this.#put(bytes)));
		this.resumeSoon();
	}

	/** @param {number} id */
	closeWrite(id) {
		this.#call(() => this.#exports.streamCloseWrite(id));
		this.resumeSoon();
	}

	/** @param {number} id */
	stop(id) {
		this.#call(() => this.#exports.streamStop(id));
		this.resumeSoon();
	}

	/**
	 * @param {number} id
	 * @param {number} code
	 */
	reset(id, code) {
		this.#call(() => this.#exports.streamReset(id, code));
		this.resumeSoon();
	}

	/**
	 * @param {number} id
	 * @param {number} bytes
	 */
	grant(id, bytes) {
		this.#call(() => this.#exports.streamGrant(id, clampWord(bytes)));
		this.resumeSoon();
	}

	/** @param {number} carrier */
	carrierOpened(carrier) {
		this.#call(() => this.#exports.carrierOpened(carrier));
		this.resumeSoon();
	}

	/**
	 * Hands over a message and lets Go work on it before returning: the next message is a
	 * task of its own.
	 * @param {number} carrier
	 * @param {Uint8Array} message  copied
	 * @param {boolean} [more]  the next one is on its way, and Go works on both then
	 */
	carrierMessage(carrier, message, more) {
		this.#call(() => this.#exports.carrierMessage(carrier, this.#put(message)));
		if (!more) this.resume();
	}

	/**
	 * carrierMessage for a bare message, which stays here until Go has found its stream.
	 * @param {number} carrier
	 * @param {ArrayBuffer} body  the boundary's from now on
	 */
	carrierBody(carrier, body) {
		const handle = ++this.#lastBody;
		this.#bodies.set(handle, body);
		this.#call(() => this.#exports.carrierBody(carrier, handle, body.byteLength));
		this.resume();
	}

	/**
	 * For Go: fills its memory with bytes of a bare message.
	 * @param {number} handle
	 * @param {number} at  the first of them
	 * @param {number} pointer
	 * @param {number} length
	 */
	copyBody(handle, at, pointer, length) {
		const body = this.#bodies.get(handle >>> 0);
		if (body) this.borrow(pointer, length).set(new Uint8Array(body, at, length));
	}

	/** @param {number} handle */
	dropBody(handle) {
		this.#bodies.delete(handle >>> 0);
	}

	/**
	 * A message that breaks a bound of the protocol was not taken, nor is any behind it.
	 * Go ends the session.
	 * @param {number} carrier
	 * @param {number} code  one of CODES
	 * @param {string} text  for people
	 */
	carrierViolated(carrier, code, text) {
		this.#call(() => this.#exports.carrierViolated(carrier, code, this.#put(encoder.encode(text))));
		this.resumeSoon();
	}

	/**
	 * @param {number} carrier
	 * @param {string} reason  for people
	 */
	carrierClosed(carrier, reason) {
		this.#call(() => this.#exports.carrierClosed(carrier, this.#put(encoder.encode(reason))));
		this.resumeSoon();
	}

	/**
	 * The network may have come back, or the page to the front: try at once what waits to
	 * be tried again.
	 */
	kick() {
		this.#call(() => this.#exports.kick());
		this.resumeSoon();
	}

	/** Ends every stream and the session, then the Go program. */
	shutdown() {
		this.#call(() => this.#exports.shutdown());
		this.resumeSoon();
	}

	/**
	 * The next thing that Go has to tell, or null.
	 * @returns {Event | null}
	 */
	nextEvent() {
		const word = this.#reader(this.#call(() => this.#exports.nextEvent() >>> 0));
		if (!word) return null;
		const [pointer, length] = [word(EVENT.WORD_AT), word(EVENT.WORD_LENGTH)];
		if (word(EVENT.WORD_STIRRED) !== 0) this.resumeSoon();
		const event = { kind: word(EVENT.WORD_KIND), id: word(EVENT.WORD_ID), a: word(EVENT.WORD_A), b: word(EVENT.WORD_B), data: EMPTY };
		const body = event.kind === EVENT.data ? this.#bodies.get(event.a) : undefined;
		if (body) {
			event.data = new Uint8Array(body);
			this.#bodies.delete(event.a);
		} else if (length > 0) event.data = this.#bytes.slice(pointer, pointer + length);
		return event;
	}

	/**
	 * Figures of the session, by name.
	 * @returns {{ rttMs: number | null, unacknowledged: number } | null}  null where there is none
	 */
	stats() {
		const word = this.#reader(this.#call(() => this.#exports.stats() >>> 0));
		if (!word) return null;
		const rtt = word(EVENT.WORD_RTT);
		return { rttMs: rtt === 0 ? null : rtt / 1000, unacknowledged: word(EVENT.WORD_UNACKNOWLEDGED) };
	}

	/**
	 * A view of bytes that Go passes to an import; valid until the import returns.
	 * @param {number} pointer
	 * @param {number} length
	 */
	borrow(pointer, length) {
		this.#view();
		return this.#bytes.subarray(pointer >>> 0, (pointer >>> 0) + length);
	}

	/** Lets the goroutines run when the present script is done. Many calls cost one run. */
	resumeSoon() {
		if (this.#resumeQueued || this.#dead) return;
		this.#resumeQueued = true;
		queueMicrotask(() => {
			this.#resumeQueued = false;
			this.resume();
		});
	}

	/** Lets the goroutines run now. Must not be called from an import. */
	resume() {
		this.#call(this.#resume);
	}

	/** Makes every further call a no-op. */
	kill() {
		this.#dead = true;
	}

	/**
	 * Writes bytes to Go's buffer and returns their number.
	 * @param {Uint8Array} bytes
	 */
	#put(bytes) {
		const at = this.#exports.buffer(bytes.length) >>> 0;
		this.#view();
		this.#bytes.set(bytes, at);
		return bytes.length;
	}

	/**
	 * Returns what reads a word behind an address, or null if there is none.
	 * @param {number | undefined} at
	 */
	#reader(at) {
		if (!at) return null;
		this.#view();
		return (/** @type {number} */ i) => this.#words.getUint32(at + 4 * i, true);
	}

	#view() {
		const { buffer } = this.#exports.mem;
		if (this.#bytes.buffer === buffer) return;
		this.#bytes = new Uint8Array(buffer);
		this.#words = new DataView(buffer);
	}

	/**
	 * @template T
	 * @param {() => T} call
	 * @returns {T | undefined}  undefined when the boundary is dead
	 */
	#call(call) {
		if (this.#dead) return undefined;
		try {
			return call();
		} catch (error) {
			this.#dead = true;
			this.#onfailure(error);
			return undefined;
		}
	}
}

/**
 * @param {number} value
 * @param {number} [max]
 */
function clampWord(value, max = 0xffffffff) {
	return Math.max(0, Math.min(Math.ceil(value) || 0, max));
}
