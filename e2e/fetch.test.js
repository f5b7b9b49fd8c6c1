// sockmux.fetch() in Chromium, against servers on loopback.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { freePort } from './harness/ports.js';
import { startTlsEcho } from './harness/tls-echo.js';
import { until } from './harness/until.js';
import { BOMB_BYTES, startWeb, TEXT } from './harness/web.js';

/** @type {Awaited<ReturnType<typeof startWeb>>} */
const web = await startWeb();

/** An echo over TLS, and two that begin with plain text. */
const tls = await startTlsEcho(web.good);

/** Where a test reads what the server sends. */
const tapPort = await freePort();

/** @type {import('./harness/suite.js').TestPage} */
let page;

const world = suite({
	flags: () => [...Object.values(web.ports), tls.port, tls.startPort, tls.earlyPort, tapPort].flatMap((port) => ['--allow', `127.0.0.1:${port}`]),
	async ready({ site, newPage, alsoStop }) {
		alsoStop(web);
		alsoStop(tls);
		page = await newPage();
		await page.goto(`${site.origin}/bare.html`);
	},
});

/**
 * Fetches and says what came.
 * @param {string} url
 * @param {any} [init]
 * @returns {Promise<any>}
 */
const get = (url, init = {}) => page.evaluate(async ({ target, given }) => {
	/** @type {(error: any) => any} */
	const about = (error) => ({ error: String(error), name: error.name, cause: error.cause?.message, code: error.cause?.code, errno: error.cause?.errno });
	try {
		const response = await /** @type {any} */ (globalThis).sockmux.fetch(target, given);
		const { status, statusText, ok, redirected, type } = response;
		const head = { status, statusText, ok, redirected, type, url: response.url, headers: Object.fromEntries(response.headers), real: response instanceof Response };
		try {
			return { ...head, text: await response.text() };
		} catch (error) {
			return { ...head, ...about(error) };
		}
	} catch (error) {
		return about(error);
	}
}, { target: url, given: { ...init, sockmux: { roots: web.roots, ...init.sockmux } } });

for (const [name, protocol] of Object.entries({ http: '1.1', https: '1.1', h2: '2.0', tls12: '1.1' })) {
	test(`${name}: an answer is a real Response`, { timeout: 60_000 }, async () => {
		const url = `${name === 'http' ? 'http' : 'https'}://127.0.0.1:${web.ports[name]}/echo?q=1`;
		const answer = await get(`${url}#part`);
		assert.deepEqual([answer.status, answer.ok, answer.redirected, answer.type, answer.url, answer.real], [200, true, false, 'basic', url, true], JSON.stringify(answer));
		assert.equal(answer.statusText, protocol === '2.0' ? '' : 'OK');
		const echo = JSON.parse(answer.text);
		assert.deepEqual([echo.method, echo.url, echo.version], ['GET', '/echo?q=1', protocol]);
		assert.match(echo.headers['user-agent'], /Chrome/);
		assert.equal(echo.headers['accept-encoding'], 'gzip, deflate, br, zstd');
	});
}


/** URL of a path on a server. @param {string} name @param {string} path */
const at = (name, path) => `${['http', ...PLAIN].includes(name) ? 'http' : 'https'}://127.0.0.1:${web.ports[name]}${path}`;

/** Servers without TLS that break HTTP. */
const PLAIN = ['half', 'nonsense', 'endless', 'short', 'chunk', 'cut chunk', 'lengths', 'switched', 'old', 'latin', 'strange', 'nothing'];

/** Runs in the page with `sockmux.fetch`, the authority and what is given. @type {<A, R>(given: A, run: (given: A & { roots: string }) => R) => Promise<Awaited<R>>} */
const inPage = (given, run) => /** @type {any} */ (page.evaluate(/** @type {any} */ (run), { ...given, roots: web.roots }));

for (const coding of ['gzip', 'two members', 'x-gzip', 'gzip and more', 'deflate', 'raw deflate', 'br', 'gzip, br', 'unknown']) {
	test(`the coding ${coding} is taken off`, async () => {
		const { text, headers, error } = await get(at('http', `/encoded?coding=${encodeURIComponent(coding)}`));
		assert.equal(error, undefined);
		assert.equal(text, TEXT);
		assert.ok(headers['content-encoding'], 'the header stays');
	});
}

test('zstd is taken off, a body of no bytes is empty, and one that does not decode is an error', async () => {
	assert.equal((await get(at('http', '/encoded?coding=zstd'))).text, 'zstd\n');
	assert.equal((await get(at('http', '/encoded?coding=empty'))).text, '');
	for (const coding of ['cut gzip', 'no gzip']) {
		const { status, error, cause, code } = await get(at('http', `/encoded?coding=${coding}`));
		assert.deepEqual([status, code], [200, 'protocol']);
		assert.match(error, /^TypeError: fetch of http/);
		assert.match(cause, coding === 'no gzip' ? /the body does not decode: gzip: invalid header/ : /the server ended the connection within its answer|does not decode/);
	}
});

test('a bomb takes no memory: what is not read is not unpacked', { timeout: 120_000 }, async () => {
	const outcome = await inPage({ url: at('http', '/bomb') }, async ({ url }) => {
		const controller = new AbortController();
		const response = await /** @type {any} */ (globalThis).sockmux.fetch(url, { signal: controller.signal });
		const reader = response.body.getReader();
		let bytes = 0;
		while (bytes < 50_000_000) bytes += (await reader.read()).value.length;
		const neighbor = await (await /** @type {any} */ (globalThis).sockmux.fetch(url.replace('/bomb', '/text'))).text();
		controller.abort();
		return { bytes, neighbor: neighbor.length, after: await reader.read().catch((/** @type {any} */ error) => error.name) };
	});
	assert.ok(outcome.bytes < 60_000_000);
	assert.deepEqual([outcome.neighbor, outcome.after], [TEXT.length, 'AbortError']);
	assert.ok(BOMB_BYTES > 1e9);
});

test('statuses: null bodies, unusual numbers, words beyond ASCII, versions', async () => {
	for (const code of [204, 304]) {
		const got = await inPage({ url: at('http', `/status?code=${code}`) }, async ({ url }) => {
			const response = await /** @type {any} */ (globalThis).sockmux.fetch(url);
			return [response.status, response.body];
		});
		assert.deepEqual(got, [code, null]);
	}
	const head = await get(at('http', '/text'), { method: 'HEAD' });
	assert.deepEqual([head.status, head.text], [200, '']);
	for (const code of [200, 404, 500, 599]) assert.deepEqual(await get(at('h2', `/status?code=${code}`)).then(({ status, text }) => [status, text]), [code, 'body']);
	const strange = await get(at('strange', '/'));
	assert.deepEqual([strange.status, strange.statusText, strange.ok, strange.text], [999, 'Strange', false, 'no']);
	const latin = await get(at('latin', '/'));
	assert.deepEqual([latin.statusText, latin.headers['x-latin'], latin.text], ['Grüße', 'é', 'ok']);
	assert.equal((await get(at('old', '/'))).text, 'older');
	assert.equal((await get(at('http', '/early'))).text, 'late');
	assert.equal((await get(at('h2', '/trailers'))).text, 'body');
});

test('redirects: methods, bodies, headers, limits, schemes', { timeout: 60_000 }, async () => {
	const to = (/** @type {number} */ code, /** @type {string} */ target, name = 'http') => at(name, `/redirect?code=${code}&to=${encodeURIComponent(target)}`);
	for (const [code, method, wanted, length] of /** @type {[number, string, string, number][]} */ ([
		[301, 'POST', 'GET', 0], [302, 'POST', 'GET', 0], [303, 'PUT', 'GET', 0], [307, 'POST', 'POST', 4], [308, 'PUT', 'PUT', 4], [301, 'PUT', 'PUT', 4],
	])) {
		const answer = await get(to(code, '/echo'), { method, body: 'body', headers: { 'Content-Type': 'text/x', Authorization: 'secret' } });
		const echo = JSON.parse(answer.text);
		assert.deepEqual([answer.redirected, answer.url, echo.method, echo.length, echo.headers['content-type'], echo.headers.authorization], [true, at('http', '/echo'), wanted, length, length ? 'text/x' : undefined, 'secret'], `${code} ${method}`);
	}
	const away = JSON.parse((await get(to(302, at('h2', '/echo')), { headers: { Authorization: 'secret', 'X-Own': 'kept' } })).text);
	assert.deepEqual([away.headers.authorization, away.headers['x-own'], away.version], [undefined, 'kept', '2.0']);
	assert.equal((await get(at('http', '/again?left=20'))).text, 'there');
	assert.match((await get(at('http', '/again?left=21'))).error, /there are more than 20 redirects/);
	for (const target of ['file:///etc/passwd', 'data:text/plain,x', 'ftp://127.0.0.1/', 'http://']) {
		const { error, name } = await get(to(302, target));
		assert.equal(name, 'TypeError');
		assert.match(error, /a redirect to (file|data|ftp): is not followed|is no URL/);
	}
	assert.match((await get(to(302, 'http://user:word@127.0.0.1/'))).error, /a user name or password is not followed/);
	const denied = await get(to(302, `http://127.0.0.1:${world.targets.ports.denied}/`));
	assert.deepEqual([denied.name, denied.code], ['TypeError', 'denied']);
	assert.equal((await get(at('http', '/redirect?code=302'))).status, 302);
	assert.match((await get(to(302, '/echo'), { redirect: 'error' })).error, /redirect is "error"/);
	const manual = await get(to(302, '/echo'), { redirect: 'manual' });
	assert.deepEqual([manual.status, manual.headers.location, manual.text], [302, '/echo', 'moved']);
	const streamed = await inPage({ url: to(307, '/echo') }, async ({ url }) => {
		const body = new Response('stream').body;
		return /** @type {any} */ (globalThis).sockmux.fetch(url, { method: 'POST', body, duplex: 'half' }).then(() => 'sent', (/** @type {any} */ error) => error.message);
	});
	assert.match(streamed, /the redirect 307 would send a stream again/);
});

/** @type {Record<string, [code: string, cause: RegExp]>} */
const FAULTS = {
	expired: ['protocol', /TLS: the certificate of 127\.0\.0\.1 has expired: it was valid until 2021-01-01 00:00:00 UTC/],
	early: ['protocol', /TLS: the certificate of 127\.0\.0\.1 is not valid before 2048-01-01 00:00:00 UTC/],
	name: ['protocol', /TLS: the certificate is not for 127\.0\.0\.1: it is for other\.example, 10\.0\.0\.1/],
	unknown: ['protocol', /TLS: the certificate of 127\.0\.0\.1 was signed by an unknown authority: CN=Another authority/],
	self: ['protocol', /TLS: the certificate of 127\.0\.0\.1 was signed by itself/],
	sha1: ['protocol', /TLS: the certificate of 127\.0\.0\.1 has a weak signature: ECDSA-SHA1/],
	tls11: ['protocol', /TLS: the server refused the handshake: protocol version not supported/],
	http: ['protocol', /TLS: the server does not speak TLS at this port/],
	half: ['protocol', /malformed MIME header: missing colon: "Content-Le"/],
	nonsense: ['protocol', /malformed HTTP/],
	endless: ['protocol', /server response headers exceeded 262144 bytes/],
	lengths: ['protocol', /multiple .*Content-Length/i],
	switched: ['protocol', /the server answered 101/],
	nothing: ['protocol', /the server ended the connection within its answer/],
};

for (const [name, [wanted, words]] of Object.entries(FAULTS)) {
	test(`a server that is wrong (${name}) is told in words, and its neighbor serves on`, { timeout: 60_000 }, async () => {
		const url = name === 'http' ? `https://127.0.0.1:${web.ports.http}/` : at(name, '/');
		await inPage({ url: at('h2', '/half') }, async ({ url: beside, roots }) => {
			const response = await /** @type {any} */ (globalThis).sockmux.fetch(beside, { sockmux: { roots } });
			/** @type {any} */ (globalThis).neighbor = response.body.getReader();
			await /** @type {any} */ (globalThis).neighbor.read();
		});
		const { name: kind, error, cause, code, errno } = await get(url);
		assert.deepEqual([kind, code, errno], ['TypeError', wanted, 65], cause);
		assert.match(cause, words);
		assert.match(error, /^TypeError: fetch of https?:\/\/127/);
		assert.equal((await get(at('h2', '/status?code=200'))).text, 'body');
		const undisturbed = await inPage({}, async () => {
			const { neighbor } = /** @type {any} */ (globalThis);
			const more = neighbor.read();
			const state = await Promise.race([more.then(() => 'ended', () => 'failed'), new Promise((resolve) => { setTimeout(resolve, 0, 'open'); })]);
			await neighbor.cancel();
			return state;
		});
		assert.equal(undisturbed, 'open');
	});
}

for (const [name, words] of Object.entries({ short: /the server ended the connection within its answer/, chunk: /invalid byte in chunk length|malformed chunked/, 'cut chunk': /the server ended the connection within its answer/ })) {
	test(`a body that is wrong (${name}) is an error behind the head`, async () => {
		const { status, error, cause, code } = await get(at(name, '/'));
		assert.deepEqual([status, code], [200, 'protocol']);
		assert.match(error, /^TypeError/);
		assert.match(cause, words);
	});
}

test('a target that is not there, is denied or has no name, in the server\'s words', async () => {
	const told = [];
	for (const target of [`127.0.0.1:${world.targets.ports.denied}`, 'nowhere.invalid', '127.0.0.1:1']) told.push(await get(`http://${target}/`).then(({ name, code }) => [name, code]));
	assert.deepEqual(told.slice(0, 1), [['TypeError', 'denied']]);
	for (const [name, code] of told) assert.ok(name === 'TypeError' && ['denied', 'name_not_found', 'name_failed', 'refused'].includes(code), String(code));
});

test('roots and pins: what is not known or not pinned is refused, what is, is taken', { timeout: 60_000 }, async () => {
	const pin = `sha256/${createHash('sha256').update(web.good.spki).digest('base64')}`;
	const other = `sha256/${Buffer.alloc(32).toString('base64')}`;
	const url = at('https', '/text');
	assert.match((await get(url, { sockmux: { roots: '' } })).cause, /unknown authority/);
	assert.equal((await get(url, { sockmux: { pins: [pin] } })).text, TEXT);
	assert.equal((await get(url, { sockmux: { pins: [other, pin], onlyRoots: true } })).text, TEXT);
	assert.match((await get(url, { sockmux: { pins: [other] } })).cause, new RegExp(`no key of the certificates of 127.0.0.1 is pinned; that of the server is ${pin.replaceAll('+', '\\+')}`));
	assert.match((await get(url, { sockmux: { roots: 'no PEM' } })).cause, /roots holds no certificate in PEM/);
	for (const wrong of [{ pins: ['sha1/x'] }, { roots: 5 }, { other: 1 }]) assert.match((await get(url, { sockmux: wrong })).error, /^TypeError: fetch: sockmux/);
});

test('bodies of all kinds arrive with their lengths and types', { timeout: 60_000 }, async () => {
	const echoes = await inPage({ url: at('h2', '/echo') }, async ({ url, roots }) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const form = new FormData();
		form.append('a', 'ä');
		const bodies = ['text', new URLSearchParams({ a: 'b c' }), new Blob(['blob'], { type: 'text/x-blob' }), new Uint8Array([1, 2, 3]), new ArrayBuffer(4), form];
		const told = [];
		for (const body of bodies) told.push(await (await sockmux.fetch(url, { method: 'POST', body, sockmux: { roots } })).json());
		told.push(await (await sockmux.fetch(new Request(url, { method: 'PUT', body: 'of a Request', headers: { 'X-Own': 'yes' } }), { sockmux: { roots } })).json());
		told.push(await (await sockmux.fetch(url, { method: 'POST', body: new Response('stream').body, duplex: 'half', sockmux: { roots } })).json());
		return told.map(({ method, length, headers }) => [method, length, headers['content-length'] ?? null, headers['content-type'] ?? null, headers['x-own'] ?? null]);
	});
	assert.match(echoes[5][3], /^multipart\/form-data; boundary=/);
	echoes[5].splice(1, 3);
	assert.deepEqual(echoes, [
		['POST', 4, '4', 'text/plain;charset=UTF-8', null], ['POST', 5, '5', 'application/x-www-form-urlencoded;charset=UTF-8', null], ['POST', 4, '4', 'text/x-blob', null],
		['POST', 3, '3', null, null], ['POST', 4, '4', null, null], ['POST', null], ['PUT', 12, '12', 'text/plain;charset=UTF-8', 'yes'], ['POST', 6, null, null, null],
	]);
});

for (const name of ['https', 'h2']) {
	test(`${name}: 50 MB go up as a stream, and 50 MB come down`, { timeout: 180_000 }, async () => {
		const size = 50_000_000;
		const got = await inPage({ up: at(name, '/echo'), down: at(name, `/zeros?size=${size}`), size }, async ({ up, down, size: total, roots }) => {
			const { sockmux } = /** @type {any} */ (globalThis);
			let left = total;
			const body = new ReadableStream({
				pull(controller) {
					const n = Math.min(left, 100_000);
					left -= n;
					controller.enqueue(new Uint8Array(n).fill(7));
					if (left === 0) controller.close();
				},
			});
			const echo = await (await sockmux.fetch(up, { method: 'POST', body, duplex: 'half', sockmux: { roots } })).json();
			let bytes = 0;
			const response = await sockmux.fetch(down, { sockmux: { roots } });
			for (const reader = response.body.getReader(); ;) {
				const { done, value } = await reader.read();
				if (done) break;
				bytes += value.length;
			}
			return { up: [echo.length, echo.sha256], bytes };
		});
		assert.deepEqual(got, { up: [size, createHash('sha256').update(Buffer.alloc(size, 7)).digest('hex')], bytes: size });
	});
}

test('a hundred at once over HTTP/2 share a connection, over HTTP/1.1 six', { timeout: 120_000 }, async () => {
	for (const [name, most] of /** @type {[string, number][]} */ ([['h2', 1], ['https', 6]])) {
		const fresh = await world.newPage();
		await fresh.goto(`${world.site.origin}/bare.html`);
		const before = web.seen.connections;
		const lengths = await fresh.evaluate(async ({ url, roots }) => {
			const { sockmux } = /** @type {any} */ (globalThis);
			return Promise.all(Array.from({ length: 100 }, async () => (await (await sockmux.fetch(url, { sockmux: { roots } })).text()).length));
		}, { url: at(name, '/text'), roots: web.roots });
		assert.deepEqual(new Set(lengths), new Set([TEXT.length]));
		assert.ok(web.seen.connections - before <= most, `${name}: ${web.seen.connections - before} connections`);
		await fresh.context().close();
	}
});

test('an abort ends each phase, with the reason, and the server sees the end', { timeout: 60_000 }, async () => {
	for (const name of ['http', 'https', 'h2']) {
		const told = await inPage({ never: at(name, '/never'), half: at(name, '/half'), echo: at(name, '/echo') }, async ({ never, half, echo, roots }) => {
			const { sockmux } = /** @type {any} */ (globalThis);
			const outcome = (/** @type {Promise<any>} */ promise) => promise.then(() => 'done', (error) => `${error.name ?? error}`);
			const with_ = (/** @type {any} */ more) => ({ sockmux: { roots }, ...more });
			const list = [await outcome(sockmux.fetch(never, with_({ signal: AbortSignal.abort('before') })))];
			const head = new AbortController();
			const waiting = outcome(sockmux.fetch(never, with_({ signal: head.signal })));
			const body = new AbortController();
			const reader = (await sockmux.fetch(half, with_({ signal: body.signal }))).body.getReader();
			await reader.read();
			head.abort();
			body.abort();
			list.push(await waiting, await outcome(reader.read()));
			const upload = new AbortController();
			const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10_000)) });
			const up = outcome(sockmux.fetch(echo, with_({ method: 'POST', body: endless, duplex: 'half', signal: upload.signal })));
			setTimeout(() => upload.abort(), 100);
			list.push(await up, await outcome(sockmux.fetch(never, with_({ signal: AbortSignal.timeout(100) }))));
			const dropped = await sockmux.fetch(half, with_({}));
			await dropped.body.cancel();
			return list;
		});
		assert.deepEqual(told, ['before', 'AbortError', 'AbortError', 'AbortError', 'TimeoutError'], name);
		await until(() => web.seen.open === 0, `${name}: the server sees all ends`);
	}
});

test('headers that browsers keep from pages: dropped as in browsers, sent and shown with allHeaders', async () => {
	const headers = { Cookie: 'c=3', Origin: 'https://o.example', 'User-Agent': 'mine/1', Host: 'h.example', 'Content-Length': '77', 'X-Own': 'yes' };
	const plain = JSON.parse((await get(at('http', '/echo'), { headers })).text).headers;
	assert.deepEqual([plain.cookie, plain.origin, plain.host, plain['x-own']], [undefined, undefined, `127.0.0.1:${web.ports.http}`, 'yes']);
	const all = JSON.parse((await get(at('h2', '/echo'), { headers, sockmux: { allHeaders: true } })).text).headers;
	assert.deepEqual([all.cookie, all.origin, all[':authority'], all['content-length'], all['user-agent']], ['c=3', 'https://o.example', 'h.example', undefined, 'mine/1']);
	const shown = await inPage({ url: at('http', '/cookie') }, async ({ url }) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const [hidden, open] = [await sockmux.fetch(url), await sockmux.fetch(url, { sockmux: { allHeaders: true } })];
		return [hidden.headers.getSetCookie(), open.headers.getSetCookie(), open.clone().headers.getSetCookie(), await open.text(), document.cookie];
	});
	assert.deepEqual(shown, [[], ['a=1', 'b=2'], ['a=1', 'b=2'], 'none', '']);
});

test('integrity, and URLs that are the page\'s own', async () => {
	const good = `sha256-${createHash('sha256').update(TEXT).digest('base64')}`;
	assert.equal((await get(at('http', '/text'), { integrity: good })).text, TEXT);
	assert.match((await get(at('http', '/text'), { integrity: good.replace(/.=$/, 'A=') })).error, /the body is not what integrity says/);
	assert.equal((await get('data:text/plain,own')).text, 'own');
	assert.equal(await inPage({}, async () => (await /** @type {any} */ (globalThis).sockmux.fetch(URL.createObjectURL(new Blob(['a blob'])))).text()), 'a blob');
	assert.match((await get('file:///etc/passwd')).error, /file: is neither http: nor https:/);
	assert.match((await get('http://user:word@127.0.0.1/')).error, /^TypeError/);
	assert.match((await get('http://127.0.0.1/', { method: 'CONNECT' })).error, /^TypeError/);
});

test('connect() with TLS: the protocol, half-close, an end, wrong options and certificates', { timeout: 120_000 }, async () => {
	const told = await inPage({ port: tls.port, expired: web.ports.expired, plain: web.ports.http }, async ({ port, expired, plain, roots }) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const secure = (/** @type {number} */ to, /** @type {any} */ choices = {}) => sockmux.connect(`127.0.0.1:${to}`, { secureTransport: 'on', tls: { roots, ...choices } });
		const socket = secure(port, { alpn: ['other', 'echo'] });
		const { alpn, remoteAddress } = await socket.opened;
		const writer = socket.writable.getWriter();
		await writer.write('over TLS');
		await writer.close();
		const text = await new Response(socket.readable).text();
		const closed = await socket.closed.then(() => 'clean');
		const none = secure(port);
		await none.writable.getWriter().write('x'.repeat(1_000_000));
		const first = (await none.opened).alpn;
		const reader = none.readable.getReader();
		let bytes = 0;
		while (bytes < 1_000_000) bytes += (await reader.read()).value.length;
		await none.close();
		const why = (/** @type {any} */ refused) => refused.opened.then(() => 'open', (/** @type {any} */ error) => [error.name, error.code, error.message.replace(/^.*?: \w+: /, '').replace(/ has expired.*/, ' has expired')]);
		return {
			alpn, remote: remoteAddress === `127.0.0.1:${port}`, text, closed, first, bytes,
			faults: [await why(secure(expired)), await why(secure(plain)), await why(secure(port, { sni: 'elsewhere.example' })), await why(secure(port, { roots: '' })), await why(secure(port, { sni: '' })), await why(secure(port, { other: 1 }))],
		};
	});
	assert.deepEqual(told, {
		alpn: 'echo', remote: true, text: 'over TLS', closed: 'clean', first: null, bytes: 1_000_000,
		faults: [
			['SocketError', 'protocol', 'TLS: the certificate of 127.0.0.1 has expired'],
			['SocketError', 'protocol', 'TLS: the server does not speak TLS at this port'],
			['SocketError', 'protocol', 'TLS: the certificate is not for elsewhere.example: it is for localhost, 127.0.0.1'],
			['SocketError', 'protocol', 'TLS: the certificate of 127.0.0.1 was signed by an unknown authority: CN=An authority of the tests'],
			['SocketError', 'invalid_request', 'connect: tls.sni is no host name'],
			['SocketError', 'invalid_request', 'connect: tls.other is no option: there are roots, onlyRoots, pins, sni, alpn'],
		],
	});
});

test('startTls(): the plain socket is replaced, and bytes in front of TLS are refused', { timeout: 120_000 }, async () => {
	const told = await inPage({ port: tls.startPort, early: tls.earlyPort }, async ({ port, early, roots }) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const begin = async (/** @type {number} */ to) => {
			const plain = sockmux.connect(`127.0.0.1:${to}`, { secureTransport: 'starttls' });
			const writer = plain.writable.getWriter();
			await writer.write('STARTTLS\n');
			const reader = plain.readable.getReader({ mode: 'byob' });
			const { value } = await reader.read(new Uint8Array(3));
			writer.releaseLock();
			reader.releaseLock();
			const socket = plain.startTls({ roots });
			return { plain, socket, go: new TextDecoder().decode(value), writer };
		};
		const { plain, socket, go } = await begin(port);
		const late = await plain.writable.getWriter().write('late').then(() => 'taken', (/** @type {any} */ error) => error.name);
		const { alpn } = await socket.opened;
		await plain.closed;
		const writer = socket.writable.getWriter();
		await writer.write('secret');
		await writer.close();
		const text = await new Response(socket.readable).text();
		await socket.closed;
		const injected = await (await begin(early)).socket.opened.then(() => 'open', (/** @type {any} */ error) => error.code);
		let again = '';
		try {
			plain.startTls();
		} catch (error) {
			again = /** @type {any} */ (error).name;
		}
		return { go, late, alpn, upgraded: [plain.upgraded, socket.upgraded], text, injected, again };
	});
	assert.deepEqual(told, { go: 'go\n', late: 'TypeError', alpn: null, upgraded: [true, false], text: 'secret', injected: 'protocol', again: 'TypeError' });
});

test('the operator\'s server sees host, port and ciphertext', { timeout: 60_000 }, async () => {
	const seen = async (/** @type {boolean} */ secure) => {
		/** What passes between the server and the target. @type {Buffer[]} */
		const passed = [];
		const tap = createServer((socket) => {
			const onward = connect(web.ports[secure ? 'h2' : 'http'], '127.0.0.1');
			for (const [from, to] of [[socket, onward], [onward, socket]]) from.on('data', (/** @type {Buffer} */ bytes) => passed.push(bytes)).on('error', () => to.destroy()).pipe(to);
		});
		await new Promise((resolve) => { tap.listen(tapPort, '127.0.0.1', () => resolve(undefined)); });
		const answer = await get(`http${secure ? 's' : ''}://127.0.0.1:${tapPort}/echo?path-secret`, { method: 'POST', body: 'body-secret', headers: { Authorization: 'header-secret' } });
		assert.equal(JSON.parse(answer.text).url, '/echo?path-secret');
		await page.context().close();
		page = await world.newPage();
		await page.goto(`${world.site.origin}/bare.html`);
		await new Promise((resolve) => { tap.close(resolve); });
		return Buffer.concat(passed);
	};
	const open = (await seen(false)).toString('latin1');
	for (const word of ['path-secret', 'body-secret', 'header-secret']) assert.ok(open.includes(word), `plain HTTP shows ${word}`);
	const sealed = await seen(true);
	assert.equal(sealed[0], 22, 'a record of the handshake comes first');
	for (const word of ['secret', 'POST', 'echo']) assert.equal(sealed.toString('latin1').includes(word), false, word);
	const lines = world.sockmux.logs.join('\n');
	assert.ok(lines.includes(`127.0.0.1:${tapPort}`), 'the log has the target');
	assert.equal(/secret/.test(lines), false);
});
