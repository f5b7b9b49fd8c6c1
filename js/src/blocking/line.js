// How a worker's layer reaches the page. The page's own workers post to it. A nested worker has a
// port, because the worker that has started it may block.

/** @typedef {import('./ring.js').Message} Message */

export class Line {
	#send;
	#opened = false;
	#used = false;
	/** Resolves when the page can be reached. @type {Promise<void>} */
	opens;

	/**
	 * @param {(message: { sockmux: Message }, transfer: Transferable[]) => void} send
	 * @param {Promise<void>} [opens]  send may be called when it has resolved; absent: at once
	 */
	constructor(send, opens) {
		this.#send = send;
		this.#opened = !opens;
		this.opens = (opens ?? Promise.resolve()).then(() => {
			this.#opened = true;
		});
	}

	/** Whether a message leaves at once. */
	get open() {
		return this.#opened;
	}

	/** Whether the page knows of this worker. */
	get used() {
		return this.#used;
	}

	/**
	 * Sends a message, at the latest when the line opens.
	 * @param {Message} message
	 * @param {Transferable[]} [transfer]
	 */
	post(message, transfer = []) {
		this.#used = true;
		if (this.#opened) this.#send({ sockmux: message }, transfer);
		else this.opens.then(() => this.#send({ sockmux: message }, transfer));
	}
}

/**
 * Waits for the port that the worker above sends as its first message.
 * @param {any} scope  the nested worker's global object
 * @returns {Line}
 */
export function lineOfPort(scope) {
	/** @type {MessagePort} */
	let port;
	/** @type {Promise<void>} */
	const opens = new Promise((resolve) => {
		scope.addEventListener('message', function take(/** @type {MessageEvent} */ event) {
			const given = event.data?.sockmux?.port;
			if (!given) return;
			event.stopImmediatePropagation();
			scope.removeEventListener('message', take);
			port = given;
			resolve();
		});
	});
	return new Line((message, transfer) => port.postMessage(message, transfer), opens);
}
