// import { install } from sockmux.mjs, and the streams of connect().

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { withWebR } from './harness/webr.js';

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {Record<string, number>} */
let ports;

const world = suite({
	flags: () => ['--demo'],
	async ready({ targets, site, newPage }) {
		ports = targets.ports;
		page = await newPage();
		await page.goto(`${site.origin}/esm.html`);
		await page.waitForFunction(() => document.title === 'loaded');
	},
});

test('nothing happens until install() is called, and a second call gives the same', async () => {
	const found = await page.evaluate(() => {
		const scope = /** @type {any} */ (globalThis);
		const untouched = scope.sockmux === undefined && WebSocket === scope.before.WebSocket;
		const first = scope.module.install({ load: 'lazy' });
		return {
			untouched, same: scope.module.install() === first, global: scope.sockmux === first, replaced: WebSocket !== scope.before.WebSocket,
			state: first.status.state, url: first.stats().url,
		};
	});
	assert.deepEqual(found, { untouched: true, same: true, global: true, replaced: true, state: 'idle', url: `${world.sockmux.origin.replace('http', 'ws')}/v1/connect` });
});

test('load: "lazy" fetches the wasm with the first socket', async () => {
	const count = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.wasm')).length);
	assert.equal(await count(), 0);
	const answer = await page.evaluate((url) => /** @type {any} */ (globalThis).echo(url, 'binary', 'hello'), `ws://127.0.0.1:${ports.echo}/`);
	assert.equal(answer.text, 'hello');
	assert.equal(await count(), 1);
});

test('connect() gives the web\'s own streams, with half-close', async () => {
	const answer = await page.evaluate(async ([echo, refused]) => {
		const { sockmux, module } = /** @type {any} */ (globalThis);
		const socket = sockmux.connect('127.0.0.1', echo);
		const { remote } = await socket.opened;
		const writer = socket.writable.getWriter();
		await writer.write('half ');
		await writer.write(new TextEncoder().encode('closed'));
		await writer.close();
		const text = await new Response(socket.readable).text();
		await socket.closed;
		const failed = sockmux.connect('127.0.0.1', refused);
		const error = await failed.opened.catch((/** @type {any} */ e) => e);
		await failed.closed.catch(() => undefined);
		return { text, remote: remote.port, error: [error instanceof module.SocketError, error.code] };
	}, [ports.echo, ports.refused]);
	assert.deepEqual(answer, { text: 'half closed', remote: ports.echo, error: [true, 'refused'] });
});

test('events tell what happens', async () => {
	const seen = await page.evaluate(async (url) => {
		const { sockmux, echo } = /** @type {any} */ (globalThis);
		/** @type {string[]} */
		const events = [];
		const onstream = (/** @type {any} */ stream) => events.push(`stream ${stream.state} ${stream.target}`);
		const ended = new Promise((resolve) => { sockmux.on('streamend', (/** @type {any} */ stream) => resolve(events.push(`end ${stream.name} ${stream.bytesIn} ${stream.bytesOut}`))); });
		sockmux.on('stream', onstream);
		await echo(url, 'binary', 'hello');
		await ended;
		sockmux.off('stream', onstream);
		await echo(url, 'binary', 'unseen');
		return events.slice(0, 2);
	}, `ws://127.0.0.1:${ports.echo}/`);
	assert.deepEqual(seen, [`stream connecting 127.0.0.1:${ports.echo}`, 'end ok 5 5']);
});

test('a setting that cannot be is a ConfigError that names it', async () => {
	const fresh = await world.newPage();
	await fresh.goto(`${world.site.origin}/esm.html`);
	await fresh.waitForFunction(() => document.title === 'loaded');
	const error = await fresh.evaluate(() => {
		const { module } = /** @type {any} */ (globalThis);
		try {
			return module.install({ timeout: -1 });
		} catch (caught) {
			return { ours: caught instanceof module.ConfigError, message: /** @type {Error} */ (caught).message };
		}
	});
	assert.deepEqual(error, { ours: true, message: 'timeout: -1 is not a number of seconds above 0, at most 3600' });
	await fresh.context().close();
});

test('webR in a page that uses the module', async () => {
	await page.addScriptTag({ url: 'webr.js', type: 'module' });
	await page.waitForFunction(() => 'startWebR' in globalThis);
	const r = await withWebR(page);
	assert.deepEqual(await r.evalR(`con <- socketConnection("demo.test", ${ports.lines}L, blocking = TRUE, timeout = 20)
		x <- suppressWarnings(readLines(con)); close(con); x`), ['first', 'second', 'third']);
});
