// php-wasm for the tests: bundled once, with an HTTP server, an HTTPS server and a Redis.

import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { makeCertificate } from './certificate.js';
import { block } from './targets.js';

const ENTRY = fileURLToPath(new URL('../fixtures/php/entry.js', import.meta.url));
const OUT = fileURLToPath(new URL('../out/php', import.meta.url));

/** Megabytes of a download. */
export const BLOCKS = 5;

/** Bundles php-wasm for a browser. The site serves the result at /built/php/. */
export async function bundlePHP() {
	await build({
		entryPoints: [ENTRY], outdir: OUT, bundle: true, format: 'esm', splitting: true, publicPath: '/built/php', logLevel: 'error',
		loader: { '.wasm': 'file', '.so': 'file' }, external: ['events', 'worker_threads'],
	});
}

/** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
function answer(request, response) {
	if (request.url === '/big') {
		for (let i = 0; i < BLOCKS; i++) response.write(block(i));
		response.end();
		return;
	}
	let bytes = 0;
	request.on('data', (data) => {
		bytes += data.length;
	}).on('end', () => response.end(`${request.method} ${bytes}`));
}

/**
 * As much of Redis as a script needs: inline replies to SET and GET.
 * @param {import('node:net').Socket} socket
 */
function redis(socket) {
	/** @type {Map<string, string>} */
	const values = new Map();
	let text = '';
	socket.on('error', () => socket.destroy()).on('data', (data) => {
		text += data.toString('latin1');
		for (let command; (command = /^\*\d+\r\n\$\d+\r\n(SET|GET)\r\n\$\d+\r\n(.*?)\r\n(?:\$\d+\r\n(.*?)\r\n)?/.exec(text));) {
			const [whole, verb, key, value] = command;
			if (verb === 'SET' && value === undefined) return;
			text = text.slice(whole.length);
			if (verb === 'SET') values.set(key, value);
			const known = values.get(key) ?? '';
			socket.write(verb === 'SET' ? '+OK\r\n' : `$${known.length}\r\n${known}\r\n`);
		}
	});
}

/**
 * Starts the services. All listen on loopback.
 * @returns {Promise<{ ports: Record<string, number>, ca: string, stop: () => Promise<void> }>}
 */
export async function startServices() {
	const { key, cert } = makeCertificate('demo.test', [127, 0, 0, 1]);
	/** @type {Record<string, import('node:net').Server>} */
	const servers = { http: createHttp(answer), https: createHttps({ key, cert }, answer), redis: createServer(redis) };
	/** @type {Set<import('node:net').Socket>} */
	const sockets = new Set();
	/** @type {Record<string, number>} */
	const ports = {};
	for (const [name, server] of Object.entries(servers)) {
		server.on('connection', (socket) => {
			sockets.add(socket);
			socket.on('close', () => sockets.delete(socket));
		}).listen(0, '127.0.0.1');
		await once(server, 'listening');
		ports[name] = /** @type {import('node:net').AddressInfo} */ (server.address()).port;
	}
	return {
		ports,
		ca: cert,
		async stop() {
			for (const socket of sockets) socket.destroy();
			for (const server of Object.values(servers)) await new Promise((resolve) => { server.close(resolve); });
		},
	};
}
