// An SNTP server on loopback (RFC 4330) whose time is always TIME.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** How a Date shows the time. */
export const TIME = '2024-01-01T00:00:00.000Z';

/** Seconds from NTP's first day to that of Unix. */
const SINCE_1900 = 2_208_988_800;

/** @returns {Promise<{ port: number, stop: () => Promise<void> }>} */
export async function startClock() {
	const answer = Buffer.alloc(48);
	answer[0] = 0x1c; // version 3, server
	answer.writeUInt32BE(Date.parse(TIME) / 1000 + SINCE_1900, 40);
	const socket = createSocket('udp4').bind(0, '127.0.0.1');
	socket.on('message', (query, from) => { socket.send(query.length === 48 ? answer : query, from.port, from.address); });
	await once(socket, 'listening');
	return { port: socket.address().port, stop: async () => void socket.close() };
}
