// Starts the services of the R programs, each on a free port of the loopback.

import { createServer as createWebServer } from 'node:http';
import { createServer } from 'node:net';
import { protocols } from './protocols.js';
import { streams } from './streams.js';
import { app, proxy } from './web.js';

/** Services that go on after the client's FIN. */
const HALF_OPEN = ['recorder', 'deaf', 'sleepy'];

/** @returns {Promise<{ ports: Record<string, number>, stop: () => Promise<void> }>} */
export async function startServices() {
	/** @type {Set<import('node:net').Socket>} */
	const sockets = new Set();
	/** @type {Record<string, import('node:net').Server>} */
	const servers = { http: createWebServer(app), proxy: createWebServer(proxy) };
	for (const [name, serve] of Object.entries({ ...streams, ...protocols })) {
		servers[name] = createServer({ allowHalfOpen: HALF_OPEN.includes(name), noDelay: true }, serve);
	}
	/** @type {Record<string, number>} */
	const ports = {};
	for (const [name, server] of Object.entries(servers)) {
		server.on('connection', (socket) => {
			sockets.add(socket);
			socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
		});
		await new Promise((resolve, reject) => { server.once('error', reject).listen(0, '127.0.0.1', () => resolve(undefined)); });
		ports[name] = /** @type {import('node:net').AddressInfo} */ (server.address()).port;
	}
	return {
		ports,
		async stop() {
			for (const socket of sockets) socket.destroy();
			await Promise.all(Object.values(servers).map((server) => new Promise((resolve) => { server.close(resolve); })));
		},
	};
}
