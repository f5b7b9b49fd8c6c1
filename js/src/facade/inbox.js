// What came from the peer and has not been given to the program: gathered, because each
// message costs webR a round of events between page and worker (1 KiB messages: 3 MB/s,
// 256 KiB: 23 MB/s).

/**
 * Chunks are joined until a message has so many bytes. Beyond it a message gains little
 * and holds the page longer.
 */
const MESSAGE_BYTES = 256 * 1024;

/**
 * Chunks that are shorter are joined. What is longer is a message by itself: to copy it
 * would cost more than the message.
 */
const SHORT_BYTES = 64 * 1024;

/**
 * SOCKFS takes a first message of 10 bytes that begins so for the peer's port number, and
 * swallows it.
 */
const PORT_MARK = [0xff, 0xff, 0xff, 0xff, 0x70, 0x6f, 0x72, 0x74];
const PORT_MESSAGE_BYTES = 10;

export class Inbox {
	/** @type {Uint8Array[]} */
	#chunks = [];
	#first = true;
	#whole;

	/** @param {boolean} [whole]  each chunk is a message */
	constructor(whole = false) {
		this.#whole = whole;
	}

	/** @param {Uint8Array} chunk  becomes the inbox's own */
	put(chunk) {
		if (chunk.length > 0 || this.#whole) this.#chunks.push(chunk);
	}

	/** Whether there is no message. */
	get empty() {
		return this.#chunks.length === 0;
	}

	/**
	 * The next message, its buffer no larger than itself; null where there is nothing.
	 * @returns {Uint8Array<ArrayBuffer> & { text?: string } | null}
	 */
	take() {
		const chunks = this.#chunks;
		if (chunks.length === 0) return null;
		if (this.#whole) return /** @type {Uint8Array<ArrayBuffer>} */ (chunks.shift());
		let [count, length] = [0, 0];
		do length += chunks[count++].length;
		while (count < chunks.length && length < MESSAGE_BYTES && chunks[count - 1].length < SHORT_BYTES && chunks[count].length < SHORT_BYTES);
		let message = joined(chunks.splice(0, count), length);
		if (this.#first && length === PORT_MESSAGE_BYTES && PORT_MARK.every((byte, i) => message[i] === byte)) {
			chunks.unshift(message.slice(PORT_MARK.length));
			message = message.slice(0, PORT_MARK.length);
		}
		this.#first = false;
		return message;
	}

	clear() {
		this.#chunks = [];
	}
}

/**
 * @param {Uint8Array[]} chunks
 * @param {number} length  of all
 */
function joined(chunks, length) {
	if (chunks.length === 1 && chunks[0].buffer.byteLength === length) return /** @type {Uint8Array<ArrayBuffer>} */ (chunks[0]);
	const message = new Uint8Array(length);
	let at = 0;
	for (const chunk of chunks) {
		message.set(chunk, at);
		at += chunk.length;
	}
	return message;
}
