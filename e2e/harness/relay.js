// What plain Emscripten needs beside it: a relay that makes of each WebSocket one TCP
// connection, as websockify does, with the target in the path.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { WebSocketServer } from 'ws';

/**
 * Starts the relay: ws://ADDRESS/HOST/PORT.
 * @returns {Promise<{ origin: string, stop: () => Promise<void> }>}
 */
export async function startRelay() {
	const server = createServer();
	const relay = new WebSocketServer({ server, handleProtocols: (offered) => [...offered][0] ?? false });
	relay.on('connection', (socket, request) => {
		const [, host, port] = (request.url ?? '').split('/');
		const target = connect(Number(port), host);
		socket.on('message', (data) => void target.write(/** @type {Buffer} */ (data)));
		socket.on('close', () => target.destroy());
		socket.on('error', () => target.destroy());
		target.on('data', (data) => {
			socket.send(data);
			// The page's end takes all at once; the relay does not.
			if (socket.bufferedAmount > 1 << 20) {
				target.pause();
				const timer = setInterval(() => {
					if (socket.bufferedAmount > 1 << 19) return;
					clearInterval(timer);
					target.resume();
				}, 5);
				target.on('close', () => clearInterval(timer));
			}
		});
		target.on('end', () => socket.close());
		target.on('error', () => socket.terminate());
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
	return {
		origin: `ws://127.0.0.1:${port}`,
		async stop() {
			for (const client of relay.clients) client.terminate();
			relay.close();
			server.closeAllConnections();
			await new Promise((resolve) => { server.close(resolve); });
		},
	};
}
