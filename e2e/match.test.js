// Which WebSockets of a page are its own: those to WebSocket servers, as noVNC and
// websockify's clients make them, stay native.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSite } from './harness/site.js';
import { suite } from './harness/suite.js';

/**
 * A WebSocket server that is not the page's own: it speaks "binary" on every path.
 * @type {string}
 */
let elsewhere;

const world = suite({
	flags: () => ['--demo'],
	async ready({ alsoStop }) {
		const site = await startSite({});
		alsoStop(site);
		elsewhere = site.origin.replace('http', 'ws');
	},
});

/** Opens the page with attributes of the script. @param {string} attributes */
async function open(attributes) {
	const path = `/match.html?${encodeURIComponent(attributes)}`;
	world.site.pages.set(path, `<!doctype html><script src="${world.sockmux.origin}/sockmux.js" ${attributes}></script><script src="sockets.js"></script>`);
	const page = await world.newPage();
	await page.goto(`${world.site.origin}${path}`);
	return page;
}

/** @param {import('playwright-core').Page} page @param {string} url @param {string | string[]} protocols */
const echo = (page, url, protocols = ['binary']) => page.evaluate(([u, p]) => /** @type {any} */ (globalThis).echo(u, p, 'hello'), /** @type {const} */ ([url, protocols]));

/** @param {import('playwright-core').Page} page */
const tunneled = (page) => page.evaluate(() => /** @type {any} */ (globalThis).sockmux.stats().opened);

/**
 * Makes a WebSocket below a function of a wasm module, as SOCKFS does for a program.
 * @param {import('playwright-core').Page} page
 * @param {string} url
 */
const fromWasm = (page, url) => page.evaluate(async (u) => {
	// (module (import "e" "f" (func)) (func (export "r") (call 0)))
	const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 114, 0, 1, 10, 6, 1, 4, 0, 16, 0, 11]);
	/** @type {any} */
	let socket;
	const { instance } = await WebAssembly.instantiate(bytes, { e: { f: () => { socket = /** @type {any} */ (globalThis).openSocket(u, ['binary']); } } });
	/** @type {any} */ (instance.exports).r();
	await socket.opened();
	if (socket.socket.readyState === 1) socket.socket.send('hello');
	await socket.received(5);
	socket.socket.close();
	return socket.text();
}, url);

test('a URL with a path or a query is for a WebSocket server, whatever the subprotocol', async () => {
	const page = await open('');
	for (const rest of ['/websockify', '/echo?token=1', '/?token=1', '/a/b:80/']) {
		for (const protocols of ['binary', ['binary']]) {
			const answer = await echo(page, elsewhere + rest, protocols);
			assert.deepEqual([answer.text, answer.protocol], ['hello', 'binary'], elsewhere + rest);
		}
	}
	assert.equal(await tunneled(page), 0);
	await page.context().close();
});

test('Emscripten\'s WebSockets API makes WebSockets, not sockets', async () => {
	const page = await open('');
	await page.evaluate(() => {
		const scope = /** @type {any} */ (globalThis);
		const { openSocket } = scope;
		scope.openSocket = function _emscripten_websocket_new(/** @type {any[]} */ ...args) {
			return openSocket(...args);
		};
	});
	assert.equal((await echo(page, `${elsewhere}/`)).text, 'hello');
	assert.equal(await tunneled(page), 0);
	await page.context().close();
});

test('by default a "/" with "binary" is a TCP connection', async () => {
	const page = await open('');
	assert.equal((await echo(page, `ws://127.0.0.1:${world.targets.ports.echo}/`)).text, 'hello');
	assert.equal(await tunneled(page), 1);
	await page.context().close();
});

test('data-match="programs": the page\'s own stay native at "/", too; those of wasm are tunneled', async () => {
	const page = await open('data-match="programs" data-sockfs="off"');
	assert.equal((await echo(page, `${elsewhere}/`)).text, 'hello');
	assert.equal(await tunneled(page), 0);
	assert.equal(await fromWasm(page, `ws://127.0.0.1:${world.targets.ports.echo}/`), 'hello');
	assert.equal(await tunneled(page), 1);
	await page.context().close();
});

test('data-match="programs": the sockets of the layer for Emscripten programs are tunneled', async () => {
	const page = await world.newPage();
	const html = '<!doctype html><script>globalThis.printed = []; globalThis.Module = { arguments: ARGUMENTS, print: (line) => printed.push(line), printErr: (line) => printed.push(line) };</script>'
		+ `<script src="${world.sockmux.origin}/sockmux.js" data-match="programs"></script><script src="/fixtures/emscripten/mainloop.js"></script>`;
	const { ports } = world.targets;
	const args = ['demo.test', ...[ports.echo, ports.lines, ports.halfclose, ports.reset, ports.refused, ports.denied].map(String)];
	world.site.pages.set('/programs.html', html.replace('ARGUMENTS', JSON.stringify(args)));
	await page.goto(`${world.site.origin}/programs.html`);
	await page.waitForFunction(() => /** @type {any} */ (globalThis).printed.some((/** @type {string} */ line) => line.startsWith('DONE')), null, { timeout: 60_000 });
	const printed = await page.evaluate(() => /** @type {any} */ (globalThis).printed);
	for (const name of ['echo', 'end of stream', 'refused']) assert.ok(printed.includes(`PASS ${name}`), printed.join('\n'));
	await page.context().close();
});

test('data-match takes the patterns of --allow', async () => {
	const { echo: port } = world.targets.ports;
	/** @type {[pattern: string, fits: boolean][]} */
	const patterns = [
		['127.0.0.1:*', true], [`127.0.0.0/8:${port}`, true], [`10.0.0.1, 127.0.0.1:1-${port}`, true], [`tcp://127.0.0.1:${port}`, true], ['public *.test', false], [`127.0.0.1:${port + 1}-65535`, false],
	];
	for (const [pattern, fits] of patterns) {
		const page = await open(`data-match="${pattern}"`);
		const answer = await echo(page, `ws://127.0.0.1:${port}/`);
		assert.deepEqual([answer.text, await tunneled(page)], fits ? ['hello', 1] : ['', 0], pattern);
		await page.context().close();
	}
});

test('a pattern that is none is named on the console, with what would be right', async () => {
	const page = await open('data-match="127.0.0.1:*, 10.0.0.1/33"');
	assert.equal(await page.evaluate(() => 'sockmux' in globalThis), false);
	assert.ok(page.lines.some((line) => /sockmux is not installed: match: "10\.0\.0\.1\/33": want HOST or HOST:PORT, where HOST is a name, .*ADDRESS\/BITS/.test(line)), page.lines.join('\n'));
	await page.context().close();
});
