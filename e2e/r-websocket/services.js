// What the R programs of this folder connect to: a server whose answers the path says byte by byte
// (../harness/websocket-target.js), one of the package ws that shows what it was asked, and an echo
// service without WebSockets.

import { createServer as createWebServer } from 'node:http';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { startWebSocketTarget } from '../harness/websocket-target.js';

const { WebSocketServer } = createRequire(import.meta.url)('ws'); // it has no types

/** Header fields that programs give. */
const SHOWN = /^(x-|authorization|cookie|origin|user-agent|sec-websocket-protocol)/;

/** @param {import('node:net').Server} server @returns {Promise<number>} */
async function listen(server) {
	await new Promise((resolve, reject) => { server.once('error', reject).listen(0, '127.0.0.1', () => resolve(undefined)); });
	return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
}

/**
 * @typedef {object} Services
 * @property {Record<'raw' | 'shows' | 'echo' | 'refused', number>} ports
 * @property {(id: string) => string[]} seen  what a connection to `raw` with ?id=ID has seen so far
 * @property {(id: string) => number} sent
 * @property {() => Promise<void>} stop
 */

/** @returns {Promise<Services>} */
export async function startServices() {
	const raw = await startWebSocketTarget();
	const web = createWebServer();
	// /PROTOCOL chooses that subprotocol; the first message tells what was asked.
	const sockets = new WebSocketServer({
		server: web,
		handleProtocols: (/** @type {Set<string>} */ offered, /** @type {import('node:http').IncomingMessage} */ { url }) => offered.has(`${url?.slice(1)}`) && url?.slice(1),
	});
	sockets.on('connection', (/** @type {any} */ socket, /** @type {import('node:http').IncomingMessage} */ request) => {
		const { rawHeaders } = request;
		const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 && SHOWN.test(name.toLowerCase()) ? [`${name}: ${rawHeaders[i + 1]}`] : []));
		socket.on('message', () => socket.send(lines.sort().join('\n')));
	});
	const echo = createServer((socket) => { socket.on('error', () => socket.destroy()).pipe(socket); });
	const refused = createServer();
	const ports = { raw: raw.port, shows: await listen(web), echo: await listen(echo), refused: await listen(refused) };
	await new Promise((resolve) => { refused.close(resolve); });
	return {
		ports,
		seen: raw.seen,
		sent: raw.sent,
		async stop() {
			for (const socket of sockets.clients) socket.terminate();
			web.closeAllConnections();
			await Promise.all([raw.stop(), ...[web, echo].map((server) => new Promise((resolve) => { server.close(resolve); }))]);
		},
	};
}
