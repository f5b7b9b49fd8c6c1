// Echoes over TLS for the tests of connect().

import { createServer } from 'node:net';
import { createServer as createTls, TLSSocket } from 'node:tls';

/**
 * Starts three: one that speaks TLS (with the protocol "echo", if asked), one that answers a line
 * with "go" and begins TLS then, and one that sends more bytes in front of TLS.
 * @param {import('./certificate.js').Identity} identity
 */
export async function startTlsEcho({ key, cert }) {
	/** @type {Set<import('node:net').Socket>} */
	const sockets = new Set();
	const options = { key, cert, ALPNProtocols: ['echo'], allowHalfOpen: true };
	const echo = (/** @type {import('node:net').Socket} */ socket) => void socket.on('error', () => socket.destroy()).pipe(socket);
	const upgrading = (/** @type {string} */ line) => createServer((socket) => {
		socket.once('data', () => {
			socket.write(line, () => echo(new TLSSocket(socket, { ...options, isServer: true })));
		}).on('error', () => socket.destroy());
	});
	const servers = [createTls(options, echo).on('tlsClientError', () => {}), upgrading('go\n'), upgrading('go\ninjected')];
	const [port, startPort, earlyPort] = await Promise.all(servers.map(async (server) => {
		server.on('connection', (socket) => {
			sockets.add(socket);
			socket.on('close', () => sockets.delete(socket));
		});
		await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
		return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
	}));
	return {
		port,
		startPort,
		earlyPort,
		async stop() {
			for (const socket of sockets) socket.destroy();
			await Promise.all(servers.map((server) => new Promise((resolve) => { server.close(resolve); })));
		},
	};
}
