// Holds the messages of a worker's layer until what serves them is loaded.

import { GONE, tell } from '../sockfs/threads/signal.js';

/** @typedef {import('./bridges.js').Bridges} Bridges */

/**
 * Listens from now on, before the page's own script does, which so never sees a message
 * of the layer. What serves them is loaded when the first one comes.
 * @param {Worker} worker
 * @param {() => Promise<Bridges>} load
 * @param {(text: string) => void} report  tells the user, one line
 */
export function serveLater(worker, load, report) {
	/** @type {any[] | null} */
	let held = null;
	let receive = (/** @type {any} */ message) => {
		if (held) held.push(message);
		else {
			held = [message];
			begin(held);
		}
	};
	const begin = async (/** @type {any[]} */ messages) => {
		try {
			const bridge = (await load()).of(worker);
			receive = (message) => bridge.receive(message);
		} catch (error) {
			// Nothing waits for a page that does not serve.
			receive = ({ signal, port }) => {
				if (port) port.onmessage = (/** @type {MessageEvent} */ { data }) => receive(data.sockmux);
				else if (signal) tell(new Int32Array(signal), GONE);
			};
			report(`the sockets of a worker do not work: ${/** @type {Error} */ (error).message}`);
		}
		messages.forEach((message) => receive(message));
	};
	worker.addEventListener('message', (event) => {
		const message = event.data?.sockmux;
		if (message === undefined) return;
		event.stopImmediatePropagation();
		if (message.op !== 'started') receive(message);
	});
}
