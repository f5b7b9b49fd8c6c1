// What poll() says of a socket, by the rules of Linux's TCP.

import { POLL } from '../flags.js';

/** @typedef {import('../connector.js').Socket} Socket */

const READ = POLL.IN | POLL.RDNORM;
const WRITE = POLL.OUT | POLL.WRNORM;

/** A socket before connect(). */
export const UNCONNECTED = WRITE | POLL.HUP;

/** What a call of shutdown() may change. */
export const SHUTDOWN = READ | WRITE | POLL.RDHUP | POLL.HUP;

/** What room in the send buffer changes. */
export const ROOM = WRITE;

/**
 * Returns the events of a socket.
 * @param {Socket} socket
 * @param {{ readEnded: boolean, writeEnded: boolean }} own  directions that the program has ended
 * @param {number} [least]  bytes that make it readable
 * @returns {number}  POLL_*
 */
export function readiness(socket, { readEnded, writeEnded }, least = 1) {
	if (socket.state === 'connecting') return 0;
	const closed = socket.state === 'closed';
	const atEnd = socket.eof || readEnded;
	let mask = 0;
	if (socket.available >= least || socket.ended) mask |= READ;
	if (socket.ended) mask |= POLL.RDHUP;
	if (atEnd) mask |= READ | POLL.RDHUP;
	if (socket.error !== 0) mask |= READ | WRITE | POLL.ERR | POLL.HUP;
	if (closed || (atEnd && writeEnded)) mask |= POLL.HUP;
	// A write to what cannot be written fails at once, so it does not block: POLLOUT.
	if (socket.writable || writeEnded || closed) mask |= WRITE;
	return mask;
}
