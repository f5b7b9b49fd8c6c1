// The one signal of a worker's sockets, which the worker and its threads wait on: two words. It
// is apart from layout.js because every page has it from its first moment on.

/** The word that the page raises with every change, and the worker with those that its program makes. */
export const COUNT = 0;
/** The word with the page's answer: one of those below. */
export const PAGE = 1;
export const UNKNOWN = 0;
export const HERE = 1;
export const GONE = 2;
/** HERE, and programs may bind ports at the server. */
export const BINDS = 3;

export const SIGNAL_BYTES = 8;

/**
 * Wakes the worker and its threads.
 * @param {Int32Array} signal
 */
export function raise(signal) {
	Atomics.add(signal, COUNT, 1);
	Atomics.notify(signal, COUNT);
}

/**
 * Tells the worker whether the page answers.
 * @param {Int32Array} signal
 * @param {number} page
 */
export function tell(signal, page) {
	Atomics.store(signal, PAGE, page);
	raise(signal);
}
