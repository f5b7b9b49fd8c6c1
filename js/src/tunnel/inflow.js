// Messages of one WebSocket on their way to Go. The browser may hand over thousands of short
// messages in one task; they are worked off in slices, so that the page's own tasks run between.

/** Work of one task, in milliseconds. */
const SLICE_MS = 8;

/** Messages that wait at most. An honest server's wait for a few slices. */
export const MAX_WAITING = 1 << 16;

/** Bytes that wait at most: what a server may send ahead of acknowledgements (64 MiB, shared/link/bound.go), and a message more. */
export const MAX_WAITING_BYTES = 65 << 20;

/** Entries at the front that have been handled and are still there. */
const COMPACT_AT = 4096;

/** @template T */
export class Inflow {
	#schedule;
	#handle;
	/** @type {{ item: T, bytes: number }[]} */
	#waiting = [];
	#head = 0;
	#bytes = 0;
	/** When the slice of the present task ends. */
	#until = 0;
	/** A task that begins the next slice is on its way. */
	#ticking = false;

	/**
	 * @param {import('./tasks.js').Schedule} schedule
	 * @param {(item: T) => void} handle
	 */
	constructor(schedule, handle) {
		this.#schedule = schedule;
		this.#handle = handle;
	}

	/**
	 * Handles an item behind those before it: at once, or in a later task where this one has done enough.
	 * @param {T} item
	 * @param {number} bytes  that the item holds
	 * @returns {boolean}  false where too much waits
	 */
	put(item, bytes) {
		if (!this.#ticking) this.#begin();
		if (this.#head === this.#waiting.length && performance.now() < this.#until) {
			this.#handle(item);
			return true;
		}
		this.#waiting.push({ item, bytes });
		this.#bytes += bytes;
		return this.#waiting.length - this.#head <= MAX_WAITING && this.#bytes <= MAX_WAITING_BYTES;
	}

	/** Forgets what waits. */
	clear() {
		this.#waiting = [];
		this.#head = this.#bytes = 0;
	}

	#begin() {
		this.#ticking = true;
		this.#until = performance.now() + SLICE_MS;
		this.#schedule(() => this.#next());
	}

	#next() {
		this.#ticking = false;
		if (this.#waiting.length === 0) return;
		this.#begin();
		while (this.#head < this.#waiting.length && performance.now() < this.#until) {
			const { item, bytes } = this.#waiting[this.#head++];
			this.#bytes -= bytes;
			this.#handle(item);
		}
		if (this.#head >= this.#waiting.length) this.clear();
		else if (this.#head >= COMPACT_AT) {
			this.#waiting = this.#waiting.slice(this.#head);
			this.#head = 0;
		}
	}
}
