// sockmux.fetch() beside the page's own fetch(), row by row, against a server that allows both.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { startWeb } from './harness/web.js';

const web = await startWeb({ cors: true });

/** @type {import('./harness/suite.js').TestPage} */
let page;

const world = suite({
	flags: () => Object.values(web.ports).flatMap((port) => ['--allow', `127.0.0.1:${port}`]),
	async ready({ site, newPage, alsoStop }) {
		alsoStop(web);
		page = await newPage();
		await page.goto(`${site.origin}/bare.html`);
	},
});

const to = (/** @type {number} */ code, /** @type {string} */ target) => `/redirect?code=${code}&to=${encodeURIComponent(target)}`;

/**
 * What is asked: a path or a URL, and what goes with it.
 * @type {[what: string, path: string, init?: any][]}
 */
const ROWS = [
	['GET', '/text'],
	['GET with a query and a fragment', '/echo?a=b%20c&d=%zz|{}#part'],
	['a path with what Go would write in another way', '/echo/../echo?%7e~'],
	['HEAD', '/text', { method: 'HEAD' }],
	['a method in small letters', '/echo', { method: 'post', body: 'x' }],
	['PATCH', '/echo', { method: 'PATCH', body: 'x' }],
	['DELETE without a body', '/echo', { method: 'DELETE' }],
	['GET with a body', '/echo', { method: 'GET', body: 'x' }],
	['TRACE', '/echo', { method: 'TRACE' }],
	['a method that is no token', '/echo', { method: 'A B' }],
	['POST of text', '/echo', { method: 'POST', body: 'Grüße' }],
	['POST of nothing', '/echo', { method: 'POST', body: '' }],
	['headers', '/echo', { headers: { 'X-Own': ' two  words ', 'X-Empty': '' } }],
	['a header that is no token', '/echo', { headers: { 'X Own': 'y' } }],
	['a header with a line feed', '/echo', { headers: { 'X-Own': 'a\nb' } }],
	['headers that browsers keep', '/echo', { headers: { Cookie: 'a=1', Host: 'h', Connection: 'close', 'Content-Length': '9' } }],
	['a range', '/encoded?coding=unknown', { headers: { Range: 'bytes=0-9' } }],
	...['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'gzip, br', 'unknown', 'empty', 'no gzip'].map((coding) => /** @type {[string, string]} */ ([`the coding ${coding}`, `/encoded?coding=${encodeURIComponent(coding)}`])),
	...[200, 201, 204, 206, 300, 304, 400, 401, 404, 418, 500, 503, 599].map((code) => /** @type {[string, string]} */ ([`the status ${code}`, `/status?code=${code}`])),
	...[301, 302, 303, 307, 308].flatMap((code) => /** @type {[string, string, any?][]} */ ([
		[`the redirect ${code}`, to(code, '/echo')],
		[`the redirect ${code} of POST`, to(code, '/echo'), { method: 'POST', body: 'x' }],
		[`the redirect ${code} of PUT`, to(code, '/echo'), { method: 'PUT', body: 'x' }],
		[`the redirect ${code} of HEAD`, to(code, '/echo'), { method: 'HEAD' }],
	])),
	['a redirect with a fragment', `${to(302, '/echo#there')}#here`],
	['a redirect keeps the fragment', `${to(302, '/echo')}#here`],
	['a redirect without Location', '/redirect?code=302'],
	['a redirect to file:', to(302, 'file:///x')],
	['a redirect to data:', to(302, 'data:,x')],
	['a redirect that is no URL', to(302, 'http://')],
	['a redirect with letters beyond ASCII', to(302, '/echo?ü')],
	['redirects with "error"', to(302, '/echo'), { redirect: 'error' }],
	['20 redirects', '/again?left=20'],
	['21 redirects', '/again?left=21'],
	['a cookie that is set', '/cookie'],
	['early hints', '/early'],
	['trailers', '/trailers'],
	['integrity that is wrong', '/text', { integrity: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' }],
	['integrity without a known hash', '/text', { integrity: 'md5-xxxx' }],
	['data:', 'data:text/x;charset=utf-8,own'],
	['about:', 'about:blank'],
	['ftp:', 'ftp://127.0.0.1/'],
	['a URL with a user', 'http://user@127.0.0.1/'],
	['no URL', 'http://'],
	['mode navigate', '/text', { mode: 'navigate' }],
	['mode same-origin', '/text', { mode: 'same-origin' }],
	['only-if-cached', '/text', { cache: 'only-if-cached' }],
	['a window', '/text', { window: 'x' }],
	['a strange redirect mode', '/text', { redirect: 'x' }],
	...['nonsense', 'short', 'cut chunk', 'lengths', 'nothing'].map((name) => /** @type {[string, string]} */ ([`a server that is wrong: ${name}`, `broken:${name}`])),
];

// Rows that are not there: of a gzip file with two members Chromium reads the first alone, and it takes
// half a head for a whole one. Ours reads both members (RFC 1952, 2.2), and half a head is an error.

/** Headers of Node's servers and of CORS that say nothing here. */
const NOISE = /^(date|connection|keep-alive|access-control-.*|cross-origin-resource-policy|transfer-encoding)$/;

/** What the browser adds for its own purposes, or that differs by design: there is no CORS, and no cookie. */
const ADDED = /^(accept-language|connection|host|origin|referer|sec-.*|user-agent|cache-control|pragma|transfer-encoding|accept-encoding|accept|priority)$/;

/** @param {any} answer */
function compared(answer) {
	const headers = Object.fromEntries(Object.entries(answer.headers ?? {}).filter(([name]) => !NOISE.test(name)));
	let { text } = answer;
	if (text?.length > 1000) text = createHash('sha256').update(text).digest('hex');
	if (text?.startsWith('{"method"')) {
		const echo = JSON.parse(text);
		echo.headers = Object.fromEntries(Object.entries(echo.headers).filter(([name]) => !ADDED.test(name)));
		text = echo;
		delete headers['content-length'];
	}
	return { ...answer, headers, text };
}

for (const [what, path, init = {}] of ROWS) {
	test(`as the browser does: ${what}`, { timeout: 60_000 }, async () => {
		const broken = /^broken:(.*)$/.exec(path);
		const url = broken ? `http://127.0.0.1:${web.ports[broken[1]]}/` : path.startsWith('/') ? `http://127.0.0.1:${web.ports.http}${path}` : path;
		const [own, ours] = /** @type {any[]} */ (await page.evaluate(async ({ target, given }) => {
			/** @param {any} run */
			const outcome = async (run) => {
				try {
					const response = await run(target, given);
					const { status, statusText, ok, redirected } = response;
					const head = { status, statusText, ok, redirected, url: response.url, headers: Object.fromEntries(response.headers), body: response.body !== null, bodyUsed: response.bodyUsed };
					return { ...head, text: await response.text().catch((/** @type {any} */ error) => `body: ${error.name}`) };
				} catch (error) {
					return { error: /** @type {any} */ (error).name };
				}
			};
			return [await outcome(fetch), await outcome(/** @type {any} */ (globalThis).sockmux.fetch)];
		}, { target: url, given: init }));
		// Chromium has an empty body there. The standard has none, and Node neither.
		if (init.method === 'HEAD' || [204, 304].includes(own.status)) own.body = false;
		assert.deepEqual(compared(ours), compared(own));
	});
}

test('the table is not empty', () => assert.ok(world.sockmux && ROWS.length > 80));
