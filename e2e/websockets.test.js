// data-tunnel="websockets": the page's WebSockets in the session, compared event by event with
// those of a page without the script, against a server of the package ws.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { reset } from './harness/reset.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const { WebSocketServer } = createRequire(import.meta.url)('ws'); // it has no types

const http = createServer((_, response) => { response.writeHead(404).end('a secret of the target'); });
const server = new WebSocketServer({ noServer: true, handleProtocols: (/** @type {Set<string>} */ offered) => offered.has('b') && 'b' });
/** What each WebSocket of the server has seen last. @type {Record<string, any>} */
const seen = {};
http.on('upgrade', (request, socket, head) => {
	if (request.url === '/status') {
		socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
		return;
	}
	server.handleUpgrade(request, socket, head, (/** @type {any} */ ws) => {
		const url = request.url ?? '';
		const serve = url.split('?')[0].slice(1);
		seen[url] = { headers: request.headers };
		ws.on('close', (/** @type {number} */ code, /** @type {Buffer} */ reason) => Object.assign(seen[url], { code, reason: reason.toString() })).on('error', () => {});
		ws.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ binary) => {
			if (serve === 'close') ws.close(4001, 'enough – ende');
			else if (serve === 'bare') ws.close();
			else if (serve === 'drop') socket.destroy();
			else if (serve === 'reset') reset(socket);
			else if (serve === 'text') socket.write(Buffer.from([0x81, 2, 0xff, 0xfe]));
			else if (serve === 'pieces') socket.write(Buffer.from([0x01, 1, 0x61, 0x89, 0, 0x00, 0, 0x80, 2, 0xc3, 0xa9]));
			else if (serve === 'late') ws.close(1000, 'other');
			else ws.send(data, { binary });
		});
	});
});
await new Promise((resolve) => { http.listen(0, '127.0.0.1', () => resolve(undefined)); });
const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());

/** @type {Record<'plain' | 'tunnel', import('./harness/suite.js').TestPage>} */
const pages = /** @type {any} */ ({});

const world = suite({
	flags: () => ['--allow', `127.0.0.1:${port}`, '--deny', '127.0.0.1:9'],
	async ready({ site, newPage, alsoStop }) {
		alsoStop({
			async stop() {
				http.closeAllConnections();
				for (const ws of server.clients) ws.terminate();
				http.close();
			},
		});
		for (const [name, file] of /** @type {const} */ ([['plain', 'plain'], ['tunnel', 'websockets']])) {
			pages[name] = await newPage();
			await pages[name].context().addCookies([{ name: 'secret', value: 'x', domain: '127.0.0.1', path: '/' }]);
			await pages[name].goto(`${site.origin}/${file}.html`);
		}
	},
});

/**
 * All events of a WebSocket. Each step runs at an event: the nth step at the nth.
 * @param {import('playwright-core').Page} page
 * @param {string} url
 * @param {{ protocols?: string[], type?: BinaryType, steps: string[] }} what
 * @returns {Promise<any[]>}
 */
const lifeOf = (page, url, what) => page.evaluate(async ([address, { protocols = [], type = 'arraybuffer', steps }]) => {
	/** @type {any[]} */
	const events = [];
	let ws;
	try {
		ws = new WebSocket(address, protocols);
	} catch (error) {
		return [/** @type {Error} */ (error).name];
	}
	ws.binaryType = type;
	const socket = ws;
	const shown = async (/** @type {any} */ data) => {
		if (typeof data === 'string') return data.length > 100 ? `${data.length} characters` : data;
		const bytes = new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data);
		return `${data.constructor.name} ${bytes.length} ${bytes.slice(0, 10)}`;
	};
	for (const name of ['open', 'message', 'error', 'close']) {
		socket.addEventListener(name, (/** @type {any} */ event) => {
			const { code, reason, wasClean, data, origin } = event;
			const entry = { name, state: socket.readyState, protocol: socket.protocol, extensions: socket.extensions, code, reason, wasClean, origin, data };
			events.push(entry);
			const step = steps[events.length - 1];
			if (step) new Function('ws', step)(socket);
		});
	}
	const ended = new Promise((resolve) => { socket.addEventListener('close', resolve); }); // behind the listener above
	if (steps.length === 0) socket.close();
	await ended;
	for (const event of events) event.data = event.data === undefined ? undefined : await shown(event.data);
	return [...events, { url: socket.url, type: socket.binaryType, buffered: socket.bufferedAmount, kind: Object.prototype.toString.call(socket), is: socket instanceof WebSocket }];
}, /** @type {const} */ ([url, what]));

/** @type {Record<string, { path: string, protocols?: string[], type?: BinaryType, steps: string[] }>} */
const LIVES = {
	'texts, bytes, blobs, empty ones, and a code': {
		path: '/echo?x=1%20', protocols: ['a', 'b'],
		steps: ['ws.send("grüße"); ws.send(new Uint8Array([1, 2, 3]).subarray(1)); ws.send(new Blob(["blob"])); ws.send(""); ws.send(new ArrayBuffer(0))', '', '', '', '', 'ws.close(3456, "done")'],
	},
	'blobs to the page': { path: '/echo', type: 'blob', steps: ['ws.send(new Uint8Array(70_000))', 'ws.close()'] },
	'long messages': { path: '/echo', steps: ['ws.send("x".repeat(6_000_000)); ws.send(new Uint8Array(5_000_000))', '', 'ws.close(1000)'] },
	'the target closes': { path: '/close', steps: ['ws.send("x")'] },
	'the target closes without a code': { path: '/bare', steps: ['ws.send("x")'] },
	'another reason from the target': { path: '/late', steps: ['ws.send("x"); ws.close(1000, "mine")'] },
	'the target drops the connection': { path: '/drop', steps: ['ws.send("x")'] },
	'the target resets the connection': { path: '/reset', steps: ['ws.send("x")'] },
	'a text that is no UTF-8': { path: '/text', steps: ['ws.send("x")'] },
	'pieces with a ping between them': { path: '/pieces', steps: ['ws.send("x")', 'ws.close()'] },
	'a status': { path: '/status', steps: ['', ''] },
	'closed before it is open': { path: '/echo', steps: [] },
};

for (const [name, { path, ...what }] of Object.entries(LIVES)) {
	test(`as without the script: ${name}`, { timeout: 60_000 }, async () => {
		const url = `ws://127.0.0.1:${port}${path}`;
		const expected = await lifeOf(pages.plain, url, what);
		const ends = () => until(() => !seen[path] || seen[path].code !== undefined, 'the target sees the end');
		await ends();
		const { code, reason } = seen[path] ?? {};
		delete seen[path];
		const sockets = await pages.tunnel.evaluate(() => /** @type {any} */ (globalThis).sockmux.stats().opened);
		assert.deepEqual(await lifeOf(pages.tunnel, url, what), expected);
		if (name === 'closed before it is open') return;
		assert.equal(await pages.tunnel.evaluate(() => /** @type {any} */ (globalThis).sockmux.stats().opened), sockets + 1, 'it is a stream');
		await ends();
		assert.deepEqual([seen[path]?.code, seen[path]?.reason], [code, reason], 'the target sees the same');
	});
}

test('the target gets the origin of the page and no cookie', async () => {
	const path = '/echo?headers';
	await lifeOf(pages.tunnel, `ws://127.0.0.1:${port}${path}`, { steps: ['ws.close()'] });
	const { headers } = seen[path];
	assert.equal(headers.origin, world.site.origin);
	assert.equal(headers.cookie, undefined);
	assert.equal(headers.host, `127.0.0.1:${port}`);
});

test('what the policy forbids is what a browser has for a target that is not there, and the console says why', async () => {
	const told = pages.tunnel.lines.length;
	const events = await lifeOf(pages.tunnel, 'ws://127.0.0.1:9/', { steps: ['', ''] });
	assert.deepEqual(events.map(({ name, code, reason }) => [name, code, reason]).slice(0, 2), [['error', undefined, undefined], ['close', 1006, '']]);
	assert.match(pages.tunnel.lines.slice(told).join('\n'), /127\.0\.0\.1:9: denied/);
});

test('what the tunnel does not carry is the browser\'s own: the page\'s origin, and what throws', async () => {
	for (const [url, protocols] of /** @type {const} */ ([['ftp://h/', []], ['ws://h/', ['a', 'a']], ['ws://h/', ['a b']]])) {
		assert.deepEqual(await lifeOf(pages.tunnel, url, { protocols: [...protocols], steps: [''] }), await lifeOf(pages.plain, url, { protocols: [...protocols], steps: [''] }));
	}
	const own = await pages.tunnel.evaluate(() => {
		const ws = new WebSocket(`ws://${location.host}/`);
		const { opened } = /** @type {any} */ (globalThis).sockmux.stats();
		ws.close();
		return opened;
	});
	assert.equal(own, await pages.tunnel.evaluate(() => /** @type {any} */ (globalThis).sockmux.stats().opened));
});

test('bufferedAmount counts the payload, and falls to zero', { timeout: 60_000 }, async () => {
	const amounts = await pages.tunnel.evaluate(async (url) => {
		const ws = new WebSocket(url);
		await new Promise((resolve) => { ws.onopen = resolve; });
		ws.send('é'.repeat(1000));
		ws.send(new Blob([new Uint8Array(500)]));
		const first = ws.bufferedAmount;
		await new Promise((resolve) => {
			let left = 2;
			ws.onmessage = () => { if (--left === 0) resolve(undefined); };
		});
		const last = ws.bufferedAmount;
		ws.close();
		return [first, last];
	}, `ws://127.0.0.1:${port}/echo`);
	assert.deepEqual(amounts, [2500, 0]);
});

for (const thread of ['main', 'thread']) {
	test(`Emscripten's WebSockets API as without the script, from ${thread === 'main' ? 'the page' : 'a thread'}`, { timeout: 60_000 }, async () => {
		/** @type {Record<string, string[]>} */
		const printed = {};
		for (const file of /** @type {const} */ (['plain', 'websockets'])) {
			const page = await world.newPage();
			await page.goto(`${world.site.origin}/${file}.html`);
			const path = `/echo?${file}-${thread}`;
			printed[file] = await page.evaluate(async ([url, who]) => {
				/** @type {string[]} */
				const lines = [];
				await new Promise((resolve) => {
					const print = (/** @type {string} */ line) => {
						lines.push(line);
						if (/ close | none:/.test(line)) resolve(undefined);
					};
					/** @type {any} */ (globalThis).Module = { arguments: [url, who], print, printErr: print };
					const script = document.createElement('script');
					script.src = '/fixtures/emscripten/websockets.js';
					document.head.append(script);
				});
				const { sockmux } = /** @type {any} */ (globalThis);
				return [...lines, `${sockmux ? sockmux.stats().opened : 1} streams`];
			}, [`ws://127.0.0.1:${port}${path}`, thread]);
			await until(() => seen[path]?.code !== undefined, 'the target sees the end');
			printed[file].push(`${seen[path].code} ${seen[path].reason}`);
			await page.context().close();
		}
		assert.deepEqual(printed.plain, [`${thread} open b`, `${thread} text grüße`, `${thread} bytes 3: 1 0 255`, `${thread} close 1 3210 done`, '1 streams', '3210 done']);
		assert.deepEqual(printed.websockets, printed.plain);
	});
}
