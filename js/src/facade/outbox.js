// What the program has sent, in order: a Blob must be read first, and what follows it waits.

/** @typedef {{ write(bytes: Uint8Array, text?: boolean): void }} Sink */

export class Outbox {
	#sink;
	#onfailure;
	/** @type {Promise<void> | null} */
	#reading = null;

	/**
	 * @param {Sink} sink
	 * @param {() => void} onfailure  a Blob could not be read
	 */
	constructor(sink, onfailure) {
		this.#sink = sink;
		this.#onfailure = onfailure;
	}

	/**
	 * @param {Uint8Array | Blob} data  bytes may change after the call
	 * @param {boolean} [text]  they are a text
	 */
	send(data, text) {
		if (data instanceof Uint8Array && !this.#reading) {
			this.#sink.write(data, text);
			return;
		}
		const held = data instanceof Uint8Array ? data.slice() : data;
		this.#chain(async () => this.#sink.write(held instanceof Uint8Array ? held : new Uint8Array(await held.arrayBuffer()), text));
	}

	/**
	 * Runs an action after all that was sent has been written; at once where nothing waits.
	 * @param {() => void} action
	 */
	after(action) {
		if (this.#reading) this.#chain(async () => action());
		else action();
	}

	/** Whether something waits here. */
	get busy() {
		return this.#reading !== null;
	}

	/** @param {() => Promise<void>} step */
	#chain(step) {
		const turn = (this.#reading ?? Promise.resolve()).then(step).catch(() => this.#onfailure()).then(() => {
			if (this.#reading === turn) this.#reading = null;
		});
		this.#reading = turn;
	}
}
