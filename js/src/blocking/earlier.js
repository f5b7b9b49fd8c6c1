// Holds the messages of a worker's layer until what serves them is loaded.

/** @typedef {import('./bridges.js').Bridges} Bridges */

/**
 * Listens from now on, before the page's own script does, which so never sees a message
 * of the layer.
 * @param {Worker} worker
 * @param {Promise<Bridges>} loading
 * @param {(text: string) => void} report  tells the user, one line
 * @returns {Promise<void>}
 */
export async function serveLater(worker, loading, report) {
	/** @type {any[]} */
	const held = [];
	let receive = (/** @type {any} */ message) => {
		held.push(message);
	};
	worker.addEventListener('message', (event) => {
		const message = event.data?.sockmux;
		if (message === undefined) return;
		event.stopImmediatePropagation();
		receive(message);
	});
	try {
		const bridge = (await loading).of(worker);
		receive = (message) => bridge.receive(message);
		held.splice(0).forEach(receive);
	} catch (error) {
		receive = () => {};
		held.length = 0;
		report(`the sockets of webR do not work: ${error instanceof Error ? error.message : error}`);
	}
}
