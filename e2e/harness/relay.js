// A plain WebSocket-to-TCP relay, as Emscripten's documents tell users to set up: one WebSocket
// a connection, binary messages, nothing else. /HOST:PORT names the target.

import { connect } from 'node:net';
import { createServer } from 'node:http';
import { acceptWebSocket, BINARY } from './websocket.js';

/** @returns {Promise<{ origin: string, stop: () => Promise<void> }>} */
export async function startRelay() {
	/** @type {Set<import('node:stream').Duplex>} */
	const sockets = new Set();
	const server = createServer((_, response) => void response.writeHead(404).end());
	server.on('upgrade', (request, socket) => {
		const target = /^\/([\w.-]+):(\d+)$/.exec(request.url ?? '');
		if (!target) return void socket.destroy();
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
		const tcp = connect({ host: target[1], port: Number(target[2]), allowHalfOpen: false });
		sockets.add(tcp);
		tcp.on('close', () => sockets.delete(tcp));
		socket.on('close', () => tcp.end());
		// A target that refuses fails the handshake: the page's WebSocket has an error.
		tcp.on('error', () => socket.destroy());
		tcp.once('connect', () => relay(request, socket, tcp));
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
	return {
		origin: `ws://127.0.0.1:${port}`,
		async stop() {
			for (const socket of sockets) socket.destroy();
			server.closeAllConnections();
			await new Promise((resolve) => { server.close(resolve); });
		},
	};
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:stream').Duplex} socket
 * @param {import('node:net').Socket} tcp
 */
function relay(request, socket, tcp) {
	const peer = acceptWebSocket(request, socket, {
		message(_, body) {
			if (tcp.writable && !tcp.write(body)) socket.pause();
		},
		closed: () => tcp.end(),
	});
	tcp.on('drain', () => socket.resume());
	tcp.on('data', (data) => {
		if (!peer.send(BINARY, data)) tcp.pause();
	});
	socket.on('drain', () => tcp.resume());
	tcp.on('close', () => peer.close());
}
