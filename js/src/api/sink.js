// The writable of a socket of sockmux.connect(): a WritableStream over a stream of the tunnel.

import { shown } from './errors.js';

/** @typedef {Pick<import('../tunnel/stream.js').Stream, 'write' | 'closeWrite' | 'reset' | 'buffered'>} StreamLike */

/** Bytes written that wait for the line before the next write does. */
const WRITE_AHEAD_BYTES = 256 * 1024;

/**
 * What a call of the WritableStream waits for.
 * @typedef {{ ready: () => boolean, resolve: () => void, reject: (error: unknown) => void }} Waiter
 */

export class Sink {
	/** @type {WritableStream<ArrayBuffer | ArrayBufferView | string>} */
	writable;

	#stream;
	/** @type {WritableStreamDefaultController | null} */
	#controller = null;
	/** A WritableStream has one call under way at most. @type {Waiter | null} */
	#waiter = null;
	/**
	 * Chunks that the page has written and that were not given to the stream: the
	 * WritableStream keeps them.
	 */
	#queued = 0;
	#opened = false;
	#ended = false;
	/** The stream takes nothing more from here. */
	#finished = false;
	/** Runs when nothing is queued. @type {(() => void) | null} */
	#last = null;
	/** What a writer that comes too late gets; absent: a TypeError. @type {unknown} */
	#late = undefined;
	#strings;

	/**
	 * @param {StreamLike} stream
	 * @param {boolean} [strings]  whether it takes strings, as UTF-8
	 */
	constructor(stream, strings = true) {
		this.#stream = stream;
		this.#strings = strings;
		this.writable = new WritableStream({
			start: (controller) => {
				this.#controller = controller;
				// abort() itself waits for the call that is under way.
				controller.signal?.addEventListener('abort', () => this.#reset());
			},
			write: (chunk) => this.#write(chunk),
			close: () => {
				this.#finished = true;
				stream.closeWrite();
				this.#flushed();
				return this.#until(() => this.#opened);
			},
			abort: () => this.#reset(),
		}, {
			highWaterMark: 1,
			// It is asked once for each chunk, when the page writes it.
			size: () => {
				if (!this.#finished) this.#queued++;
				return 1;
			},
		});
	}

	/** Whether the page has written chunks that were not given to the stream. */
	get holds() {
		return this.#queued > 0;
	}

	/** The target has accepted. */
	opened() {
		this.#opened = true;
		this.moved();
	}

	/** Bytes have left, or something else has changed. */
	moved() {
		if (!this.#waiter?.ready()) return;
		this.#waiter.resolve();
		this.#waiter = null;
	}

	/**
	 * The stream has ended.
	 * @param {{ error: unknown } | null} failure  null: cleanly, so that what was written has left
	 */
	ended(failure) {
		this.#ended = true;
		this.#queued = 0;
		if (failure) {
			this.#waiter?.reject(failure.error);
			this.#controller?.error(failure.error);
		} else {
			this.#waiter?.resolve();
			// Later, so that a close() of the writer that waits behind that call fulfils:
			// all has been delivered.
			setTimeout(() => this.#controller?.error(this.#closed()));
		}
		this.#waiter = null;
	}

	/**
	 * Runs an action behind what the page has written. What the page writes after it is refused.
	 * @param {() => void} action
	 * @param {unknown} [reason]  what a later write rejects with
	 */
	finish(action, reason) {
		this.#late ??= reason;
		this.#last = () => {
			this.#finished = true;
			action();
		};
		if (this.#queued === 0) this.#flushed();
	}

	/** @param {unknown} chunk */
	#write(chunk) {
		if (this.#finished || this.#ended) throw this.#closed();
		const bytes = this.#strings || typeof chunk !== 'string' ? bytesOf(chunk) : null;
		if (!bytes) {
			this.#reset(); // what follows would be missing its beginning
			throw new TypeError(`${shown(chunk)} cannot be written to a socket`);
		}
		this.#stream.write(bytes);
		this.#queued--;
		if (this.#queued === 0) this.#flushed();
		// The answer decides whether it was sent for nothing, so its promise waits for that.
		return this.#until(() => this.#opened && this.#stream.buffered < WRITE_AHEAD_BYTES);
	}

	/** Everything that the page has written is with the stream. */
	#flushed() {
		this.#queued = 0;
		const last = this.#last;
		this.#last = null;
		last?.();
	}

	/** What a write that comes too late rejects with. */
	#closed() {
		return this.#late === undefined ? new TypeError('the socket is closed') : this.#late;
	}

	#reset() {
		this.#finished = true;
		this.#queued = 0;
		this.#last = null;
		this.#stream.reset();
		this.#waiter?.resolve();
		this.#waiter = null;
	}

	/** @param {() => boolean} ready */
	#until(ready) {
		if (this.#ended || ready()) return undefined;
		return new Promise((resolve, reject) => {
			this.#waiter = { ready, resolve: () => resolve(undefined), reject };
		});
	}
}

/**
 * @param {unknown} chunk
 * @returns {Uint8Array | null}  null: it is none of the types that can be sent
 */
function bytesOf(chunk) {
	if (typeof chunk === 'string') return new TextEncoder().encode(chunk);
	if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
	// The tag is checked, not the class: a buffer may come from a frame.
	if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(chunk))) return new Uint8Array(/** @type {ArrayBuffer} */ (chunk));
	return null;
}
