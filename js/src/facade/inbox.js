// What came from the peer and has not been given to the program: gathered, because each message costs webR a round of events between page and
// worker (1 KiB messages: 3 MB/s, 256 KiB: 23 MB/s).

/** The largest message. Beyond it a message gains little and holds the page longer. */
const MESSAGE_BYTES = 512 * 1024;

/** Chunks that are shorter are joined. What is longer is a message by itself: to copy it would cost more than the message. */
const SHORT_BYTES = 64 * 1024;

/** SOCKFS takes a first message of 10 bytes that begins so for the peer's port number, and swallows it. */
const PORT_MARK = [0xff, 0xff, 0xff, 0xff, 0x70, 0x6f, 0x72, 0x74];
const PORT_MESSAGE_BYTES = 10;

export class Inbox {
	/** @type {Uint8Array[]} */
	#chunks = [];
	#first = true;
	bytes = 0;

	/** @param {Uint8Array} chunk  becomes the inbox's own */
	put(chunk) {
		if (chunk.length === 0) return;
		this.#chunks.push(chunk);
		this.bytes += chunk.length;
	}

	/**
	 * The next message, its buffer no larger than itself; null where there is nothing.
	 * @returns {Uint8Array<ArrayBuffer> | null}
	 */
	take() {
		if (this.bytes === 0) return null;
		let length = this.#worthJoining();
		if (this.#first && length === PORT_MESSAGE_BYTES && this.#looksLikePort()) length = PORT_MARK.length;
		this.#first = false;
		return this.#join(length);
	}

	/** How many bytes the next message has: one long chunk, or all the short ones before it. */
	#worthJoining() {
		let length = 0;
		for (const chunk of this.#chunks) {
			if (length > 0 && chunk.length >= SHORT_BYTES) break;
			length += chunk.length;
			if (chunk.length >= SHORT_BYTES || length >= MESSAGE_BYTES) break;
		}
		return Math.min(length, MESSAGE_BYTES);
	}

	#looksLikePort() {
		const head = this.#join(PORT_MESSAGE_BYTES);
		this.#chunks.unshift(head);
		this.bytes += head.length;
		return PORT_MARK.every((byte, i) => head[i] === byte);
	}

	/** @param {number} length  at most bytes */
	#join(length) {
		this.bytes -= length;
		const head = this.#chunks[0];
		if (head.length === length && head.buffer.byteLength === length && head.buffer instanceof ArrayBuffer) {
			this.#chunks.shift();
			return /** @type {Uint8Array<ArrayBuffer>} */ (head);
		}
		const message = new Uint8Array(length);
		for (let filled = 0; filled < length;) {
			const chunk = this.#chunks[0];
			const part = chunk.subarray(0, length - filled);
			message.set(part, filled);
			filled += part.length;
			if (part.length === chunk.length) this.#chunks.shift();
			else this.#chunks[0] = chunk.subarray(part.length);
		}
		return message;
	}

	clear() {
		this.#chunks = [];
		this.bytes = 0;
	}
}
