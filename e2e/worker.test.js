// data-worker="on": the tunnel in a dedicated worker. To the page everything is as it is without.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { block, md5, MEGABYTE } from './harness/targets.js';
import { until } from './harness/until.js';
import { withWebR } from './harness/webr.js';

const BLOCKS = 20;

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {Record<string, number>} */
let ports;

const world = suite({
	flags: () => ['--demo'],
	async ready({ targets, site, newPage }) {
		ports = targets.ports;
		page = await newPage();
		await page.goto(`${site.origin}/worker.html`);
		await page.waitForFunction(() => 'startWebR' in globalThis);
	},
});

const url = (/** @type {string} */ name) => `ws://127.0.0.1:${ports[name]}/`;

/** The files of the build that the page has loaded, without their hashes. */
const loaded = () => page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => /\/(sockmux[a-z-]*?)-[0-9a-f]{8}(\.\w+)$/.exec(name)?.slice(1).join('') ?? '').filter(Boolean).sort());

test('a WebSocket\'s life is the same, with its end and its failures', async () => {
	const answer = await page.evaluate((u) => /** @type {any} */ (globalThis).echo(u, 'binary', 'hello'), url('echo'));
	assert.deepEqual(answer, { text: 'hello', events: ['open', 'message', 'close'], protocol: 'binary', last: { type: 'close', code: 1000, reason: '', wasClean: true, readyState: 3 } });
	for (const [name, code, reason] of /** @type {const} */ ([['refused', 4001, /^refused: /], ['denied', 4006, /^denied: /], ['reset', 4008, /^reset: /]])) {
		const events = await page.evaluate((u) => /** @type {any} */ (globalThis).openSocket(u, 'binary').closed(), url(name));
		assert.equal(events.at(-1).code, code);
		assert.match(events.at(-1).reason, reason);
	}
});

test('the program is in the worker, and the page has loaded nothing of it', async () => {
	assert.deepEqual(await loaded(), ['sockmux-remote.js', 'sockmux-tunnel-worker.js', 'sockmux.wasm']);
	assert.equal(page.workers().length, 1);
	const { name, origin } = await page.workers()[0].evaluate(() => ({ name: self.name, origin: location.origin }));
	assert.deepEqual({ name, origin }, { name: 'sockmux', origin: world.site.origin });
});

test(`${BLOCKS} MB down, every byte, while the page reads as it likes`, async () => {
	const got = await page.evaluate(async ([port, count]) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const socket = sockmux.connect('127.0.0.1', port);
		const writer = socket.writable.getWriter();
		await writer.write(`${count}\n`);
		const bytes = await new Response(socket.readable).arrayBuffer();
		await writer.close();
		const digest = await crypto.subtle.digest('SHA-256', bytes);
		return { length: bytes.byteLength, digest: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
	}, /** @type {const} */ ([ports.download, BLOCKS]));
	const hash = createHash('sha256');
	for (let i = 0; i < BLOCKS; i++) hash.update(block(i));
	assert.deepEqual(got, { length: BLOCKS * MEGABYTE, digest: hash.digest('hex') });
});

test(`${BLOCKS} MB up, every byte, and the page's own bytes stay its own`, async () => {
	const { text, intact } = await page.evaluate(async ([port, count, size]) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const socket = sockmux.connect('127.0.0.1', port);
		const writer = socket.writable.getWriter();
		await writer.write(`${count * size}\n`);
		const bytes = new Uint8Array(size);
		for (let i = 0; i < count; i++) await writer.write(bytes.map((_, at) => (at * 31 + i) & 255));
		await writer.write(bytes.subarray(0, 0));
		await writer.close();
		return { text: await new Response(socket.readable).text(), intact: bytes.length };
	}, /** @type {const} */ ([ports.upload, BLOCKS, MEGABYTE]));
	assert.deepEqual(text.trim().split('\n'), Array.from({ length: BLOCKS }, (_, i) => md5(Uint8Array.from({ length: MEGABYTE }, (__, at) => (at * 31 + i) & 255))));
	assert.equal(intact, MEGABYTE);
});

test('a reader that waits holds the server back', async () => {
	const { first, rest } = await page.evaluate(async ([port, count]) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const socket = sockmux.connect('127.0.0.1', port);
		await socket.writable.getWriter().write(`${count}\n`);
		const bytesIn = () => sockmux.stats().streams.at(-1).bytesIn;
		const window = 1024 * 1024;
		while (bytesIn() < window) await new Promise((resolve) => { requestAnimationFrame(resolve); });
		// Many turns of both threads later it is still the window.
		for (let i = 0; i < 30; i++) await new Promise((resolve) => { requestAnimationFrame(resolve); });
		const held = bytesIn();
		let length = 0;
		for await (const piece of socket.readable) length += piece.length;
		return { first: held, rest: length };
	}, /** @type {const} */ ([ports.download, BLOCKS]));
	assert.equal(first, 1024 * 1024);
	assert.equal(rest, BLOCKS * MEGABYTE);
});

test('status, figures and events are those of the tunnel', async () => {
	const { state, stats } = await page.evaluate(() => {
		const { sockmux } = /** @type {any} */ (globalThis);
		return { state: sockmux.status.state, stats: sockmux.stats() };
	});
	assert.equal(state, 'open');
	assert.ok(stats.rttMs > 0, `${stats.rttMs}`);
	assert.ok(stats.bytesIn > 2 * BLOCKS * MEGABYTE && stats.bytesOut > BLOCKS * MEGABYTE && stats.messagesIn > 0, JSON.stringify({ ...stats, streams: [] }));
	assert.equal(stats.streams.filter((/** @type {any} */ s) => s.name === 'ok').length, 3); // the echo, and both transfers that ended both ways
});

test('webR', async () => {
	const r = await withWebR(page);
	assert.deepEqual(await r.evalR(`con <- socketConnection("demo.test", ${ports.lines}L, blocking = TRUE, timeout = 20)
		x <- suppressWarnings(readLines(con)); close(con); x`), ['first', 'second', 'third']);
	assert.equal(await r.evalR(`con <- socketConnection("127.0.0.1", ${ports.echo}L, open = "r+b", blocking = TRUE, timeout = 20)
		sent <- as.raw((seq_len(1e6) * 7919) %/% 13 %% 256)
		writeBin(sent, con)
		got <- raw()
		while (length(got) < 1e6) got <- c(got, readBin(con, raw(), 1e6 - length(got)))
		close(con)
		identical(got, sent)`), true);
	assert.equal(await r.evalR(`tryCatch({ suppressWarnings(socketConnection("127.0.0.1", ${ports.refused}L, timeout = 20)); "opened" }, error = conditionMessage)`), 'cannot open the connection');
});

test('a worker that fails is a tunnel that fails, and the next socket has a new one', async () => {
	const other = await world.newPage();
	await other.goto(`${world.site.origin}/worker.html`);
	await other.waitForFunction(() => /** @type {any} */ (globalThis).sockmux.status.state === 'idle');
	const opened = other.evaluate((u) => /** @type {any} */ (globalThis).openSocket(u, 'binary').closed(), url('silent'));
	await other.waitForFunction(() => /** @type {any} */ (globalThis).sockmux.stats().streams[0]?.state === 'open');
	await other.workers()[0].evaluate(() => void setTimeout(() => {
		throw new Error('made to fail');
	}));
	const events = await opened;
	assert.match(events.at(-1).reason, /^not_connected: .*made to fail/);
	assert.equal(await other.evaluate(() => /** @type {any} */ (globalThis).sockmux.status.state), 'failed');
	await until(() => other.workers().length === 0, 'the worker\'s end');
	await until(async () => (await other.evaluate((u) => /** @type {any} */ (globalThis).echo(u, 'binary', 'again'), url('echo'))).text === 'again', 'a new worker');
	await other.context().close();
});

test('uninstall() ends the worker, and the server hears of it', async () => {
	const other = await world.newPage();
	await other.goto(`${world.site.origin}/worker.html`);
	await other.evaluate((u) => /** @type {any} */ (globalThis).echo(u, 'binary', 'hello'), url('echo'));
	assert.equal(other.workers().length, 1);
	const before = world.sockmux.logs.length;
	await other.evaluate(() => /** @type {any} */ (globalThis).sockmux.uninstall());
	await until(() => other.workers().length === 0, 'the worker\'s end');
	await until(() => world.sockmux.logs.slice(before).some((line) => line.includes('"session"') || line.includes('session end')), 'the session\'s end in the server\'s log');
	await other.context().close();
});
