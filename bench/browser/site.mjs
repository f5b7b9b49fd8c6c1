// The website with the benchmark's pages.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { HOST, root } from './place.mjs';

const here = join(root, 'bench/browser');

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.mjs': 'text/javascript; charset=utf-8', '.json': 'application/json', '.wasm': 'application/wasm' };

/**
 * Serves this folder at /, webR at /webr/, the Wisp client at /wisp/, and an empty Go
 * program at /empty/. %SCRIPT% in HTML is the script element that the query asks for:
 * ?script=ORIGIN and, one attribute each, what else it names.
 */
export async function startSite(quality) {
	const empty = brotliCompressSync(await readFile(join(root, 'bin/bench-empty.wasm')), { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
	const folders = {
		webr: join(root, 'e2e/node_modules/webr/dist'),
		wisp: join(root, 'bench/node_modules/@mercuryworkshop/wisp-js/dist'),
	};
	const site = createServer(async (request, response) => {
		const url = new URL(request.url, 'http://site');
		const path = normalize(decodeURIComponent(url.pathname));
		response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
		response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
		response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
		response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
		// As the product's hashed files: a second load of the page takes them from the cache.
		response.setHeader('Cache-Control', path.startsWith('/empty/') ? 'public, max-age=31536000, immutable' : 'no-store');
		try {
			if (path === '/named.wasm') {
				response.end(await readFile(join(root, 'bin/bench-named.wasm')));
				return;
			}
			if (path === '/empty/empty.wasm') {
				response.setHeader('Content-Encoding', 'br');
				response.end(empty);
				return;
			}
			const [, first, rest] = /^\/([^/]*)(\/.*)?$/.exec(path);
			const body = await readFile(path === '/empty/wasm_exec.js' ? join(root, 'js/build/wasm_exec.js') : rest && folders[first] ? folders[first] + rest : join(here, path));
			response.end(path.endsWith('.html') ? body.toString().replace('%SCRIPT%', scriptElement(url.searchParams)) : body);
		} catch {
			response.writeHead(404).end('not found\n');
		}
	});
	site.listen(0, HOST);
	await once(site, 'listening');
	const close = async () => {
		site.closeAllConnections();
		site.close();
		await once(site, 'close');
	};
	return { origin: `http://${HOST}:${site.address().port}`, emptyBytes: empty.length, close };
}

function scriptElement(query) {
	if (!query.has('script')) return '';
	const attributes = [...query].filter(([name]) => name.startsWith('data-')).map(([name, value]) => ` ${name}="${value}"`);
	return `<script src="${query.get('script')}/sockmux.js" crossorigin${attributes.join('')}></script>`;
}
