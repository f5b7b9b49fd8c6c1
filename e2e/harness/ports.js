import { connect, createServer } from 'node:net';

/** A port that was free a moment ago. @returns {Promise<number>} */
export const freePort = () => new Promise((resolve) => {
	const server = createServer().listen(0, '127.0.0.1', () => {
		const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
		server.close(() => resolve(port));
	});
});

/** Longer than anything that a server of a test has to say. */
const TALK_TIMEOUT = 60_000;

/**
 * Sends a text with a half-close: what comes back until the end, or null after an error.
 * @param {number} port
 * @param {string} text
 * @returns {Promise<string | null>}
 */
export const talk = (port, text) => new Promise((resolve) => {
	let said = '';
	const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => void socket.end(text));
	socket.setTimeout(TALK_TIMEOUT, () => socket.destroy(new Error('it says nothing')));
	socket.setEncoding('utf8').on('data', (data) => {
		said += data;
	}).on('end', () => {
		socket.end();
		resolve(said);
	}).on('error', () => resolve(null));
});
