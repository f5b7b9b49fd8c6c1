// Web servers on loopback for the tests of fetch(): HTTP/1.1 and HTTP/2, with TLS and without, with
// certificates of all sorts, and servers that break the protocols.

import { createHash } from 'node:crypto';
import { createServer as createHttp } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp } from 'node:net';
import { brotliCompressSync, constants, createGzip, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { makeCertificate } from './certificate.js';

const LOOPBACK = [127, 0, 0, 1];

/** A zstd frame with the text "zstd\n" in a raw block (RFC 8878, 3.1.1). */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0, ...Buffer.from('zstd\n')]);

/** Text that compresses, with letters beyond ASCII. */
export const TEXT = 'Grüße aus dem Tunnel. '.repeat(5000);

/** Bytes of an unpacked bomb. */
export const BOMB_BYTES = 2 * 1024 ** 3;

/**
 * Answers by path. Each gets the request and the URL.
 * @type {Record<string, (request: any, response: any, url: URL, seen: Seen) => void>}
 */
const ROUTES = {
	/** Says what came. */
	'/echo': (request, response) => {
		const hash = createHash('sha256');
		let length = 0;
		request.on('data', (/** @type {Buffer} */ data) => {
			hash.update(data);
			length += data.length;
		}).on('end', () => {
			response.setHeader('Content-Type', 'application/json');
			response.end(JSON.stringify({ method: request.method, url: request.url, version: request.httpVersion, headers: request.headers, length, sha256: hash.digest('hex') }));
		});
	},
	'/text': (_, response) => {
		response.setHeader('Content-Type', 'text/plain; charset=utf-8');
		response.end(TEXT);
	},
	'/encoded': (_, response, url) => {
		const coding = url.searchParams.get('coding') ?? '';
		const [name, body] = CODINGS[coding];
		response.setHeader('Content-Encoding', name);
		response.end(body);
	},
	'/status': (_, response, url) => {
		response.statusCode = Number(url.searchParams.get('code'));
		response.setHeader('X-Words', 'one');
		response.end(response.statusCode === 204 || response.statusCode === 304 ? undefined : 'body');
	},
	'/redirect': (request, response, url) => {
		request.resume();
		response.statusCode = Number(url.searchParams.get('code') ?? 302);
		const to = url.searchParams.get('to');
		if (to !== null) response.setHeader('Location', to);
		response.end('moved');
	},
	'/again': (_, response, url) => {
		const left = Number(url.searchParams.get('left'));
		if (left === 0) {
			response.end('there');
			return;
		}
		response.statusCode = 302;
		response.setHeader('Location', `/again?left=${left - 1}`);
		response.end();
	},
	/** Bytes that compress to nothing: the size says how many. */
	'/zeros': (_, response, url) => {
		const size = Number(url.searchParams.get('size'));
		const piece = Buffer.alloc(65_536);
		response.setHeader('Content-Length', size);
		let sent = 0;
		const more = () => {
			while (sent < size) {
				const take = Math.min(piece.length, size - sent);
				sent += take;
				if (!response.write(piece.subarray(0, take))) {
					response.once('drain', more);
					return;
				}
			}
			response.end();
		};
		more();
	},
	'/bomb': (_, response, __, seen) => {
		response.setHeader('Content-Encoding', 'gzip');
		const gzip = createGzip({ level: constants.Z_BEST_SPEED });
		gzip.pipe(response);
		const piece = Buffer.alloc(1 << 20);
		let left = BOMB_BYTES;
		const more = () => {
			if (left <= 0) gzip.end();
			else {
				left -= piece.length;
				seen.bombed += piece.length;
				gzip.write(piece, more);
			}
		};
		response.on('close', () => {
			left = 0;
		});
		more();
	},
	/** No answer. */
	'/never': (_, response, __, seen) => {
		seen.open++;
		response.on('close', () => seen.open--);
	},
	/** A piece of the body, and no more. */
	'/half': (_, response, __, seen) => {
		seen.open++;
		response.on('close', () => seen.open--);
		response.write('first');
	},
	'/cookie': (request, response) => {
		response.setHeader('Set-Cookie', ['a=1', 'b=2']);
		response.end(String(request.headers.cookie ?? 'none'));
	},
	'/early': (_, response) => {
		response.writeEarlyHints?.({ link: '</style.css>; rel=preload' });
		response.end('late');
	},
	'/trailers': (_, response) => {
		response.write('body');
		response.addTrailers?.({ 'X-Trailer': 'yes' });
		response.end();
	},
};

/** @type {Record<string, [name: string, body: Buffer]>} */
const CODINGS = {
	gzip: ['gzip', gzipSync(TEXT)],
	'two members': ['gzip', Buffer.concat([gzipSync(TEXT.slice(0, 100)), gzipSync(TEXT.slice(100))])],
	'x-gzip': ['x-gzip', gzipSync(TEXT)],
	'gzip and more': ['gzip', Buffer.concat([gzipSync(TEXT), Buffer.from('junk behind it')])],
	deflate: ['deflate', deflateSync(TEXT)],
	'raw deflate': ['deflate', deflateRawSync(TEXT)],
	br: ['br', brotliCompressSync(TEXT)],
	zstd: ['zstd', ZSTD],
	'gzip, br': ['gzip, br', brotliCompressSync(gzipSync(TEXT))],
	'cut gzip': ['gzip', gzipSync(TEXT).subarray(0, 100)],
	'no gzip': ['gzip', Buffer.from('this is text')],
	unknown: ['sdch', Buffer.from(TEXT)],
	empty: ['gzip', Buffer.alloc(0)],
};

/** How an answer begins that pages may read. */
const OK = 'HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n';

/** What servers do that break HTTP, by what they send to a request and whether they end then. */
const BROKEN = {
	half: { bytes: `${OK}Content-Le`, end: true },
	nonsense: { bytes: 'hello, this is another protocol\r\n', end: true },
	endless: { bytes: `${OK}${`X-More: ${'x'.repeat(1000)}\r\n`.repeat(2000)}`, end: false },
	short: { bytes: `${OK}Content-Length: 100\r\n\r\nshort`, end: true },
	chunk: { bytes: `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n`, end: false },
	'cut chunk': { bytes: `${OK}Transfer-Encoding: chunked\r\n\r\n100\r\nhello`, end: true },
	lengths: { bytes: `${OK}Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello`, end: true },
	switched: { bytes: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n', end: false },
	old: { bytes: 'HTTP/1.0 200 OK\r\n\r\nolder', end: true },
	latin: { bytes: 'HTTP/1.1 200 Gr\xfc\xdfe\r\nX-Latin: \xe9\r\nContent-Length: 2\r\n\r\nok', end: false },
	strange: { bytes: 'HTTP/1.1 999 Strange\r\nContent-Length: 2\r\n\r\nno', end: false },
	nothing: { bytes: '', end: true },
};

/** @typedef {{ open: number, bombed: number, connections: number }} Seen */

/**
 * Starts the servers. `ports` are by name: http, https (HTTP/1.1 alone), h2, and one for each
 * certificate that is wrong (expired, early, name, unknown, self, sha1) and each broken server.
 * @param {{ cors?: boolean }} [options]  cors: pages may read what they answer
 */
export async function startWeb({ cors = false } = {}) {
	/** @type {Seen} */
	const seen = { open: 0, bombed: 0, connections: 0 };
	const authority = makeCertificate('An authority of the tests', LOOPBACK);
	const good = makeCertificate('localhost', LOOPBACK, { issuer: authority });
	/** @type {Record<string, import('./certificate.js').Identity>} */
	const wrong = {
		expired: makeCertificate('localhost', LOOPBACK, { issuer: authority, until: '210101000000Z' }),
		early: makeCertificate('localhost', LOOPBACK, { issuer: authority, from: '480101000000Z' }),
		name: makeCertificate('other.example', [10, 0, 0, 1], { issuer: authority }),
		unknown: makeCertificate('localhost', LOOPBACK, { issuer: makeCertificate('Another authority', LOOPBACK) }),
		self: makeCertificate('localhost', LOOPBACK, { authority: false }),
		sha1: makeCertificate('localhost', LOOPBACK, { issuer: authority, hash: 'sha1' }),
	};
	const answer = (/** @type {any} */ request, /** @type {any} */ response) => {
		const url = new URL(request.url, 'http://localhost');
		if (cors) {
			response.setHeader('Access-Control-Allow-Origin', '*');
			response.setHeader('Access-Control-Allow-Headers', '*');
			response.setHeader('Access-Control-Allow-Methods', '*');
			response.setHeader('Access-Control-Expose-Headers', '*');
			response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
			if (request.method === 'OPTIONS') {
				response.end();
				return;
			}
		}
		const route = ROUTES[url.pathname];
		if (route) route(request, response, url, seen);
		else {
			response.statusCode = 404;
			response.end('nothing here');
		}
	};
	/** @type {Set<import('node:net').Socket>} */
	const sockets = new Set();
	/** @type {Record<string, number>} */
	const ports = {};
	/** @type {import('node:net').Server[]} */
	const servers = [];
	const listen = async (/** @type {string} */ name, /** @type {any} */ server) => {
		server.on('connection', (/** @type {import('node:net').Socket} */ socket) => {
			seen.connections++;
			sockets.add(socket);
			socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
		});
		server.on('tlsClientError', () => {}).on('sessionError', () => {});
		await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
		ports[name] = server.address().port;
		servers.push(server);
	};
	await listen('http', createHttp(answer));
	await listen('https', createHttps({ key: good.key, cert: good.cert }, answer));
	await listen('h2', createSecureServer({ key: good.key, cert: good.cert, allowHTTP1: true, maxSessionMemory: 100 }, answer));
	await listen('tls12', createHttps({ key: good.key, cert: good.cert, maxVersion: 'TLSv1.2' }, answer));
	await listen('tls11', createHttps({ key: good.key, cert: good.cert, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, answer));
	for (const [name, { key, cert }] of Object.entries(wrong)) await listen(name, createHttps({ key, cert, ciphers: 'DEFAULT@SECLEVEL=0' }, answer));
	for (const [name, { bytes, end }] of Object.entries(BROKEN)) {
		await listen(name, createTcp((socket) => {
			socket.once('data', () => {
				socket.write(Buffer.from(bytes, 'latin1'));
				if (end) socket.end();
			});
		}));
	}
	return {
		ports,
		seen,
		/** The authority as PEM. */
		roots: authority.cert,
		good,
		async stop() {
			for (const socket of sockets) socket.destroy();
			await Promise.all(servers.map((server) => new Promise((resolve) => { server.close(resolve); })));
		},
	};
}
