// Servers: SOCKFS cannot listen in a browser, and R's error does not say so.

/** @typedef {import('../sockfs/program/program.js').Program} Program */

/** @param {number} port */
const notYet = (port) => `listening is not there yet, so nothing can connect to port ${port}: serverSocket() and socketConnection(server = TRUE) fail, sockmux opens connections only`;

/**
 * Calls back where a program's listen() fails. Returns what undoes it.
 * @param {Program} program
 * @param {(why: string) => void} failed
 * @returns {() => void}
 */
export function explainListening({ ops }, failed) {
	const { listen } = ops;
	if (typeof listen !== 'function') return () => undefined;
	const explained = (/** @type {any} */ sock, /** @type {any[]} */ ...args) => {
		try {
			return listen(sock, ...args);
		} catch (error) {
			failed(notYet(sock.sport ?? 0));
			throw error;
		}
	};
	ops.listen = explained;
	return () => {
		if (ops.listen === explained) ops.listen = listen;
	};
}
