// Messages of one WebSocket on their way to Go. The browser may hand over thousands of short
// messages in one task; they are worked off in slices, so that the page's own tasks run between.

import { MAX_BOUND_BYTES, MAX_MESSAGE_BYTES } from '../wire/generated/limit.js';

/** Work of one task, in milliseconds. */
const SLICE_MS = 8;

/**
 * A pause between two messages in which the task of the first has ended: one task hands over
 * the next message at once. To be certain would take a task for each message, which costs as
 * much as a short message itself.
 */
const PAUSE_MS = 1;

/** Messages that wait at most. An honest server's wait for a few slices. */
export const MAX_WAITING = 1 << 16;

/**
 * Bytes that wait at most: what a server may send ahead of acknowledgements, and a
 * message more.
 */
export const MAX_WAITING_BYTES = MAX_BOUND_BYTES + MAX_MESSAGE_BYTES;

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
	/** When the present slice ends. */
	#until = -Infinity;
	/** When the last item was done. */
	#done = -Infinity;
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
	 * Handles an item behind those before it: at once, or in a later task where this one
	 * has done enough.
	 * @param {T} item
	 * @param {number} bytes  that the item holds
	 * @returns {boolean}  false where too much waits
	 */
	put(item, bytes) {
		if (this.#head === this.#waiting.length && this.#hasTime()) {
			this.#run(item);
			return true;
		}
		this.#waiting.push({ item, bytes });
		this.#bytes += bytes;
		this.#tick();
		return this.#waiting.length - this.#head <= MAX_WAITING && this.#bytes <= MAX_WAITING_BYTES;
	}

	/** Forgets what waits. */
	clear() {
		this.#waiting = [];
		this.#head = this.#bytes = 0;
	}

	/** Reports whether the slice has time left. A pause begins a new one. */
	#hasTime() {
		const now = performance.now();
		if (now >= this.#until && now - this.#done >= PAUSE_MS) this.#until = now + SLICE_MS;
		return now < this.#until;
	}

	/** @param {T} item */
	#run(item) {
		this.#handle(item);
		this.#done = performance.now();
	}

	#tick() {
		if (this.#ticking) return;
		this.#ticking = true;
		this.#schedule(() => this.#next());
	}

	#next() {
		this.#ticking = false;
		this.#until = performance.now() + SLICE_MS;
		while (this.#head < this.#waiting.length && performance.now() < this.#until) {
			const { item, bytes } = this.#waiting[this.#head++];
			this.#bytes -= bytes;
			this.#run(item);
		}
		if (this.#head >= this.#waiting.length) this.clear();
		else if (this.#head >= COMPACT_AT) {
			this.#waiting = this.#waiting.slice(this.#head);
			this.#head = 0;
		}
		if (this.#waiting.length > 0) this.#tick();
	}
}
