// Serves the examples with the headers that make a page cross-origin isolated: node
// examples/serve.mjs [PORT] webR and xterm.js come from e2e/node_modules (make e2e-deps),
// and what Go's programs need from js/build (make examples), so that no other server is
// needed.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const modules = fileURLToPath(new URL('../e2e/node_modules/', import.meta.url));
/**
 * Folders beside the examples, by the path under which they are served.
 * @type {Record<string, string>}
 */
const others = { '/webr-dist/': `${modules}webr/dist/`, '/xterm/': `${modules}@xterm/`, '/build/': fileURLToPath(new URL('../js/build/', import.meta.url)) };
/** @type {Record<string, string>} */
const types = {
	'.html': 'text/html; charset=utf-8',
	'.css': 'text/css',
	'.js': 'text/javascript',
	'.mjs': 'text/javascript',
	'.json': 'application/json',
	'.wasm': 'application/wasm',
};

const server = createServer(async (request, response) => {
	let path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
	if (path === '/') path = '/webr/';
	if (path.endsWith('/')) path += 'index.html';
	const prefix = Object.keys(others).find((start) => path.startsWith(start));
	const file = prefix ? others[prefix] + path.slice(prefix.length) : here + path;
	try {
		const body = await readFile(file);
		response.writeHead(200, {
			'Content-Type': types[extname(file)] ?? 'application/octet-stream',
			'Cross-Origin-Opener-Policy': 'same-origin',
			'Cross-Origin-Embedder-Policy': 'require-corp',
		}).end(body);
	} catch {
		response.writeHead(404).end('not found\n');
	}
});
server.listen(Number(process.argv[2] ?? 8000), '127.0.0.1', () => {
	console.log(`http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`);
});
