import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

/**
 * Ports that programs are told to listen at: below those that systems give to
 * programs that ask for any (Linux: from 32768 on), so that no connection of this machine has one.
 */
const LOWEST = 10_000;
const HIGHEST = 19_999;

let next = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));

/**
 * A port that is free for TCP and UDP, another one each time.
 * @returns {Promise<number>}
 */
export async function freePort() {
	for (let tries = LOWEST; tries <= HIGHEST; tries++) {
		const port = next;
		next = port === HIGHEST ? LOWEST : port + 1;
		if (await isFree(port) && await isFreeForDatagrams(port)) return port;
	}
	throw new Error(`no port from ${LOWEST} to ${HIGHEST} is free`);
}

/** @param {number} port @returns {Promise<boolean>} */
const isFree = (port) => new Promise((resolve) => {
	const server = createServer().on('error', () => resolve(false)).listen(port, '127.0.0.1', () => void server.close(() => resolve(true)));
});

/** Whether no socket of UDP is bound to a port. @param {number} port @returns {Promise<boolean>} */
export const isFreeForDatagrams = (port) => new Promise((resolve) => {
	const socket = createSocket('udp4').on('error', () => resolve(false)).bind({ port, address: '127.0.0.1', exclusive: true }, () => {
		socket.close(() => resolve(true));
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
