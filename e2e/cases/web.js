// An HTTP server, whose paths below /cors allow every origin, and an HTTP proxy.

import zlib from 'node:zlib';
import { pattern } from './lines.js';

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */

const PACKAGES = 'Package: tinypkg\nVersion: 0.1\nDepends: R (>= 3.0)\nLicense: MIT\n\nPackage: other\nVersion: 2.0\nLicense: GPL-2\n';

/** @type {Record<string, (request: Request) => [status: number, body: string | Buffer, headers?: Record<string, string>]>} */
const PATHS = {
	'/gzip': () => [200, zlib.gzipSync('compressed body\n'.repeat(50)), { 'content-encoding': 'gzip' }],
	'/redirect': () => [302, 'moved\n', { location: '/plain' }],
	'/missing': () => [404, 'not here\n'],
	'/auth': ({ headers }) => (headers.authorization === 'Basic dXNlcjpwYXNz' ? [200, 'welcome\n'] : [401, 'who?\n', { 'www-authenticate': 'Basic realm="x"' }]),
	'/headers': ({ headers }) => [200, `agent=${headers['user-agent'] ?? '-'} x=${headers['x-test'] ?? '-'}\n`],
	'/src/contrib/PACKAGES': () => [200, PACKAGES],
	'/src/contrib/PACKAGES.rds': () => [404, 'no\n'],
	'/src/contrib/PACKAGES.gz': () => [404, 'no\n'],
	'/data.csv': () => [200, 'a,b\n1,x\n2,y\n'],
	'/bytes': () => [200, pattern(100_000)],
};

/** @param {Request} request @param {Response} response */
export function app(request, response) {
	/** @type {Buffer[]} */
	const chunks = [];
	request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
		const url = request.url ?? '/';
		const shared = url.startsWith('/cors');
		const path = shared ? url.slice('/cors'.length) : url;
		/** @type {Record<string, string>} */
		const cors = shared ? { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' } : {};
		response.sendDate = false;
		if (path === '/chunked') return inChunks(response, { 'content-type': 'text/plain', ...cors });
		const [status, body, headers] = PATHS[path]?.(request) ?? [200, `${request.method} ${path} ${Buffer.concat(chunks)}\n`];
		return response.writeHead(status, { 'content-type': 'text/plain', ...cors, 'content-length': Buffer.byteLength(body), ...headers }).end(body);
	});
}

/** @param {Response} response @param {Record<string, string>} headers */
function inChunks(response, headers) {
	response.writeHead(200, headers);
	let count = 0;
	const timer = setInterval(() => {
		if (++count <= 4) return response.write(`chunk ${count}${'.'.repeat(count * 10)}\n`);
		clearInterval(timer);
		return response.end();
	}, 30);
}

/** @param {Request} request @param {Response} response */
export function proxy({ url }, response) {
	const body = `via proxy: ${url}\n`;
	response.sendDate = false;
	response.writeHead(200, { 'content-length': body.length }).end(body);
}
