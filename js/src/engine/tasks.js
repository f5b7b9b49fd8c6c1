// Tasks of the page's event loop, without the 4 ms that nested timers cost and without
// the throttling of hidden tabs.

/**
 * Runs a function in a task of its own.
 * @callback Schedule
 * @param {() => void} run
 * @returns {void}
 */

/**
 * How long a program that was told to end may take for its goodbye to the server. Go
 * delivers what was written for as long as there is progress, and gives up after 2 s
 * without any (shared/client/close.go); this is for a program that hangs.
 */
export const GOODBYE_MS = 60_000;

/**
 * Makes a Schedule over a MessageChannel. Runs come in the order in which they were asked for.
 * @returns {Schedule}
 */
export function taskQueue() {
	const { port1, port2 } = new MessageChannel();
	/** @type {(() => void)[]} */
	const queue = [];
	port1.onmessage = () => {
		const run = queue.shift();
		if (run) run();
	};
	return (run) => {
		queue.push(run);
		port2.postMessage(null);
	};
}

/**
 * Calls a handler of the page's; what it throws is reported as an uncaught error and
 * harms no other handler.
 * @template {unknown[]} A
 * @param {((...args: A) => void) | undefined} handler
 * @param {A} args
 */
export function callHandler(handler, ...args) {
	if (!handler) return;
	try {
		handler(...args);
	} catch (error) {
		if (typeof reportError === 'function') reportError(error);
		else console.error(error);
	}
}

/** What to tell people of an error. @param {unknown} error */
export function reasonOf(error) {
	return error instanceof Error ? error.message : String(error);
}
