// A website that is not the product's: the user's page with its own headers, its own
// WebSockets, and perhaps webR's files.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WEBR_DIST } from './sockmux.js';
import { acceptWebSocket } from './websocket.js';

const PAGES = fileURLToPath(new URL('../pages', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));
const BUILT = fileURLToPath(new URL('../out', import.meta.url));
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../js/dist', import.meta.url));

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
 * @property {string} [root]  the folder at /; default: e2e/pages
 */

/**
 * Serves e2e/pages at /, and in front of them the texts of `pages` by path. At /fixtures/
 * is e2e/fixtures, at /webr/ webR, at /modules/ npm packages, at /npm/ the files of ours,
 * at /built/ what a test has bundled, and at /echo a WebSocket echo.
 * @param {SiteOptions} options
 */
export async function startSite({ isolated = true, words = {}, csp, root = PAGES } = {}) {
	/** @type {Set<import('node:stream').Duplex>} */
	const sockets = new Set();
	/** @type {Map<string, string>} */
	const pages = new Map();
	const server = createServer((request, response) => {
		const own = pages.get(request.url ?? '/');
		(own === undefined ? answer(root, request.url ?? '/', words) : Promise.resolve(/** @type {[string, string]} */ ([TYPES[extname(request.url ?? '/')] ?? TYPES['.html'], own]))).then(([type, body]) => {
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
		const echo = acceptWebSocket(request, socket, { message: (opcode, body) => void echo.send(opcode, body) });
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
	return {
		origin: `http://127.0.0.1:${port}`,
		port,
		pages,
		words,
		async stop() {
			for (const socket of sockets) socket.destroy();
			server.closeAllConnections();
			await new Promise((resolve) => { server.close(resolve); });
		},
	};
}

/**
 * @param {string} root
 * @param {string} url
 * @param {Record<string, string>} words
 * @returns {Promise<[string, Buffer | string]>}
 */
async function answer(root, url, words) {
	const path = decodeURIComponent(new URL(url, 'http://site').pathname).replace(/\/$/, '/index.html');
	if (path === '/favicon.ico') return ['image/x-icon', ''];
	const [, first, rest] = /^\/([^/]*)(\/.*)?$/.exec(path) ?? [];
	/** @type {Record<string, string>} */
	const roots = { webr: WEBR_DIST, fixtures: FIXTURES, modules: MODULES, built: BUILT, npm: PACKAGE };
	const file = rest && roots[first] ? roots[first] + normalize(rest) : root + normalize(path);
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
