// A TCP proxy on loopback whose connections can be lost in every way.

import { connect, createServer } from 'node:net';
import { reset } from './reset.js';

/** @typedef {import('node:net').Socket} Socket */

/**
 * - `reset`: RST to both ends
 * - `hole`: nothing passes any more, and neither end is told
 * - `frame`: the next bytes are cut in half, then FIN to both ends
 * - `server`: RST to the server, the page is not told
 * - `page`: RST to the page, the server is not told
 * - `fin`: FIN to both ends
 * - `stall`: nothing passes for STALL_MS, then all of it
 * @typedef {'reset' | 'hole' | 'frame' | 'server' | 'page' | 'fin' | 'stall'} Cut
 */

/** @type {readonly Cut[]} */
export const CUTS = ['reset', 'hole', 'frame', 'server', 'page', 'fin', 'stall'];

/** How long a stalled connection carries nothing. */
const STALL_MS = 1500;

/**
 * @param {number} port  of the server; may be changed
 */
export async function startProxy(port) {
	/** @typedef {{ client: Socket, server: Socket, halved: boolean }} Line */
	/** @type {Set<Line>} */
	const lines = new Set();
	/** @type {Set<Socket>} */
	const sockets = new Set();
	const proxy = {
		port,
		origin: '',
		taken: 0,
		moved: 0,
		/**
		 * For how long the bytes of a page wait that follow the upgrade, on the next
		 * connection.
		 */
		lateMs: 0,
		/**
		 * Whether the server's bytes that follow the upgrade wait until the server ends
		 * the connection, from now on.
		 */
		holds: false,
		/** Loses every present connection. @param {Cut} how */
		cut(how) {
			for (const line of lines) lose(line, how);
		},
		async stop() {
			for (const socket of sockets) socket.destroy();
			await new Promise((resolve) => { listener.close(resolve); });
		},
	};

	/** @param {Line} line @param {Cut} how */
	function lose(line, how) {
		const { client, server } = line;
		const silence = () => {
			for (const socket of [client, server]) socket.removeAllListeners('data').pause();
		};
		switch (how) {
			case 'reset':
				reset(client);
				reset(server);
				break;
			case 'hole':
				silence();
				break;
			case 'frame':
				line.halved = true;
				break;
			case 'server':
			case 'page': {
				silence();
				const told = how === 'server' ? server : client;
				// The other one is not told: it ends when its own end gives it up.
				told.removeAllListeners('close');
				told.on('close', () => {
					lines.delete(line);
					sockets.delete(told);
				});
				reset(told);
				break;
			}
			case 'fin':
				client.destroySoon();
				server.destroySoon();
				break;
			default: {
				client.pause();
				server.pause();
				const timer = setTimeout(() => {
					client.resume();
					server.resume();
				}, STALL_MS);
				client.on('close', () => clearTimeout(timer));
			}
		}
	}

	const listener = createServer({ noDelay: true }, (client) => {
		proxy.taken++;
		const server = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
		/** @type {Line} */
		const line = { client, server, halved: false };
		lines.add(line);
		let late = proxy.lateMs;
		proxy.lateMs = 0;
		/** @type {Buffer[] | null} */
		const held = proxy.holds ? [] : null;
		let upgraded = false;
		let answered = false;
		for (const [from, to] of [[client, server], [server, client]]) {
			from.on('data', (data) => {
				if (from === client && upgraded && late > 0) {
					from.pause();
					from.unshift(data);
					const timer = setTimeout(() => { from.resume(); }, late);
					from.on('close', () => clearTimeout(timer));
					late = 0;
					return;
				}
				if (from === server && answered && held) {
					held.push(data);
					return;
				}
				answered ||= from === server; // the answer to the upgrade is one packet; a page asks for more behind it
				upgraded ||= from === client; // the request is one packet
				proxy.moved += data.length;
				if (line.halved && data.length > 1) {
					from.removeAllListeners('data').pause();
					to.write(data.subarray(0, data.length >> 1));
					lose(line, 'fin');
					return;
				}
				if (!to.write(data)) from.pause();
			});
			to.on('drain', () => void (from.listenerCount('data') > 0 && from.resume()));
			from.on('end', () => {
				if (from === server && held) to.write(Buffer.concat(held));
				to.end();
			});
			from.on('error', () => to.destroy());
			sockets.add(from);
			from.on('close', () => {
				to.destroy();
				lines.delete(line);
				sockets.delete(from);
			});
		}
	});
	await new Promise((resolve) => { listener.listen(0, '127.0.0.1', () => resolve(undefined)); });
	proxy.origin = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (listener.address()).port}`;
	return proxy;
}
