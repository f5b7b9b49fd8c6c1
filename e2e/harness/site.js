// A website that is not the product's: the user's page with its own headers, its own WebSockets, and perhaps webR's files.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WEBR_DIST } from './sockmux.js';

const PAGES = fileURLToPath(new URL('../pages', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));

/** @type {Record<string, string>} */
const TYPES = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.mjs': 'text/javascript; charset=utf-8',
	'.json': 'application/json',
	'.wasm': 'application/wasm',
};

/**
 * @typedef {object} SiteOptions
 * @property {boolean} [isolated]  send COOP and COEP (default: true)
 * @property {Record<string, string>} [words]  %NAME% in HTML files becomes the value
 * @property {string} [csp]  Content-Security-Policy of the pages, with %NAME% as in them
 */

/**
 * Serves e2e/pages at /, in front of them the HTML of `pages` by path, e2e/fixtures at /fixtures/, webR at /webr/, npm packages at /modules/, and a WebSocket echo at /echo.
 * @param {SiteOptions} options
 */
export async function startSite({ isolated = true, words = {}, csp } = {}) {
	/** @type {Set<import('node:stream').Duplex>} */
	const sockets = new Set();
	/** @type {Map<string, string>} */
	const pages = new Map();
	const server = createServer((request, response) => {
		const own = pages.get(request.url ?? '/');
		(own === undefined ? answer(request.url ?? '/', words) : Promise.resolve(/** @type {[string, string]} */ ([TYPES['.html'], own]))).then(([type, body]) => {
			response.setHeader('Content-Type', type);
			response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
			response.setHeader('Access-Control-Allow-Origin', '*');
			if (isolated) {
				response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
				response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
			}
			if (csp && type.startsWith('text/html')) response.setHeader('Content-Security-Policy', filled(csp, words));
			response.end(body);
		}, () => response.writeHead(404).end('not found\n'));
	});
	server.on('upgrade', (request, socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
		echo(request, socket);
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
	return {
		origin: `http://127.0.0.1:${port}`,
		port,
		pages,
		async stop() {
			for (const socket of sockets) socket.destroy();
			server.closeAllConnections();
			await new Promise((resolve) => { server.close(resolve); });
		},
	};
}

/**
 * @param {string} url
 * @param {Record<string, string>} words
 * @returns {Promise<[string, Buffer | string]>}
 */
async function answer(url, words) {
	const path = decodeURIComponent(new URL(url, 'http://site').pathname);
	if (path === '/favicon.ico') return ['image/x-icon', ''];
	const [, first, rest] = /^\/([^/]*)(\/.*)?$/.exec(path) ?? [];
	/** @type {Record<string, string>} */
	const roots = { webr: WEBR_DIST, fixtures: FIXTURES, modules: MODULES };
	const file = rest && roots[first] ? roots[first] + normalize(rest) : PAGES + normalize(path);
	const type = TYPES[extname(file)] ?? 'application/octet-stream';
	if (!type.startsWith('text/html')) return [type, await readFile(file)];
	const text = await readFile(file, 'utf8');
	return [type, filled(text, words)];
}

/**
 * @param {string} text
 * @param {Record<string, string>} words
 */
function filled(text, words) {
	return text.replace(/%([A-Z]+)%/g, (whole, word) => words[word] ?? whole);
}

/**
 * A WebSocket that sends back what it gets (RFC 6455, no extensions, no fragments). The first subprotocol offered is selected.
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:stream').Duplex} socket
 */
function echo(request, socket) {
	const key = request.headers['sec-websocket-key'];
	const offered = request.headers['sec-websocket-protocol']?.split(',')[0].trim();
	const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
	const headers = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
	if (offered) headers.push(`Sec-WebSocket-Protocol: ${offered}`);
	socket.write(`${headers.join('\r\n')}\r\n\r\n`);
	let buffered = Buffer.alloc(0);
	socket.on('data', (/** @type {Buffer} */ data) => {
		buffered = Buffer.concat([buffered, data]);
		for (;;) {
			if (buffered.length < 2) return;
			const opcode = buffered[0] & 15;
			let length = buffered[1] & 127;
			let at = 2;
			if (length === 126) {
				if (buffered.length < 4) return;
				length = buffered.readUInt16BE(2);
				at = 4;
			} else if (length === 127) {
				if (buffered.length < 10) return;
				length = Number(buffered.readBigUInt64BE(2));
				at = 10;
			}
			if (buffered.length < at + 4 + length) return;
			const mask = buffered.subarray(at, at + 4);
			const body = Buffer.from(buffered.subarray(at + 4, at + 4 + length));
			for (let i = 0; i < body.length; i++) body[i] ^= mask[i & 3];
			buffered = buffered.subarray(at + 4 + length);
			if (opcode === 9) socket.write(frame(10, body));
			else if (opcode === 8) {
				socket.end(frame(8, body)); // the same code and reason go back
				return;
			} else if (opcode === 1 || opcode === 2) socket.write(frame(opcode, body));
		}
	});
}

/**
 * @param {number} opcode
 * @param {Buffer} body
 */
function frame(opcode, body) {
	const head = body.length < 126 ? Buffer.from([0x80 | opcode, body.length]) : Buffer.alloc(body.length < 65536 ? 4 : 10);
	if (head.length === 4) {
		head[0] = 0x80 | opcode;
		head[1] = 126;
		head.writeUInt16BE(body.length, 2);
	} else if (head.length === 10) {
		head[0] = 0x80 | opcode;
		head[1] = 127;
		head.writeBigUInt64BE(BigInt(body.length), 2);
	}
	return Buffer.concat([head, body]);
}
