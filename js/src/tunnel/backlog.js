// Bytes that a program has written and that wait for room in the wasm. They are copied
// into blocks that are used again: fresh memory costs the browser more than the copy (a
// page fault for each 4 KiB), and many small writes become few pieces.

/** Bytes of a block, and of the largest piece that is taken out at once. */
const BLOCK_BYTES = 256 * 1024;

/**
 * Shorter writes do not begin a block while little waits: a thousand sockets with a few
 * bytes each would hold 256 MB.
 */
const SHORT_BYTES = 16 * 1024;

/** Blocks that are kept for the next writes; more go to the garbage collector. */
const BLOCKS_KEPT = 16;

/** Blocks that are not in use, for all streams of a tunnel. */
export class Blocks {
	/** @type {Uint8Array[]} */
	#free = [];

	take() {
		return this.#free.pop() ?? new Uint8Array(BLOCK_BYTES);
	}

	/** @param {Uint8Array} block  of which no view is kept */
	give(block) {
		if (block.length === BLOCK_BYTES && this.#free.length < BLOCKS_KEPT) this.#free.push(block);
	}
}

export class Backlog {
	#blocks;
	/** Filled from `from` to `to`; only the last one takes more. @type {{ bytes: Uint8Array, from: number, to: number }[]} */
	#parts = [];
	/** How many bytes wait. */
	length = 0;

	/** @param {Blocks} blocks */
	constructor(blocks) {
		this.#blocks = blocks;
	}

	/** @param {Uint8Array} bytes  copied */
	put(bytes) {
		this.length += bytes.length;
		for (let at = 0; at < bytes.length;) {
			let last = this.#parts.at(-1);
			if (!last || last.to === last.bytes.length) {
				if (bytes.length - at < SHORT_BYTES && this.length < BLOCK_BYTES) {
					this.#parts.push({ bytes: bytes.slice(at), from: 0, to: bytes.length - at });
					return;
				}
				last = { bytes: this.#blocks.take(), from: 0, to: 0 };
				this.#parts.push(last);
			}
			const part = bytes.subarray(at, at + last.bytes.length - last.to);
			last.bytes.set(part, last.to);
			last.to += part.length;
			at += part.length;
		}
	}

	/**
	 * Takes out the next bytes.
	 * @param {(piece: Uint8Array) => void} use  the piece is valid until it returns
	 */
	take(use) {
		const part = this.#parts.shift();
		if (!part) return;
		this.length -= part.to - part.from;
		use(part.bytes.subarray(part.from, part.to));
		this.#blocks.give(part.bytes);
	}

	clear() {
		for (const { bytes } of this.#parts) this.#blocks.give(bytes);
		this.#parts = [];
		this.length = 0;
	}
}
