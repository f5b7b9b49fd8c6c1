// Holds the messages of webR's worker until what serves them is loaded.

/** @typedef {import('./workers.js').Bridges} Bridges */

/**
 * @param {Worker} worker
 * @param {Promise<Bridges>} loading
 * @param {(text: string) => void} report  tells the user, one line
 * @returns {Promise<void>}
 */
export async function serveLater(worker, loading, report) {
	/** @type {any[]} */
	const held = [];
	const hold = (/** @type {MessageEvent} */ event) => {
		const message = event.data?.sockmux;
		if (message === undefined) return;
		event.stopImmediatePropagation();
		held.push(message);
	};
	worker.addEventListener('message', hold);
	try {
		const bridge = (await loading).of(worker);
		for (const message of held) bridge.receive(message);
	} catch (error) {
		report(`the sockets of webR do not work: ${error instanceof Error ? error.message : error}`);
		return; // webR understands none of these messages
	}
	worker.removeEventListener('message', hold);
}
