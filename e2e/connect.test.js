// What sockmux.connect() takes and what it refuses, and the page's settings as its defaults.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

/** @type {import('./harness/suite.js').TestPage} */
let page;

const world = suite({
	async ready({ site, newPage }) {
		page = await newPage();
		await page.goto(`${site.origin}/bare.html`);
	},
});

test('chunks that cannot be sent are a TypeError, and the target sees a reset', { timeout: 60_000 }, async () => {
	const from = world.targets.connections.length;
	const outcomes = await page.evaluate(async (port) => {
		const told = [];
		for (const chunk of [new Blob(['hi']), new Response('x'), {}, null, undefined, 5, true]) {
			const s = /** @type {any} */ (globalThis).sockmux.connect('127.0.0.1', port);
			const w = s.writable.getWriter();
			await w.write('before');
			told.push(await w.write(chunk).then(() => 'taken', (/** @type {any} */ error) => error.name));
			told.push(await s.closed.then(() => 'fulfilled', (/** @type {any} */ error) => error.code));
		}
		return told;
	}, world.targets.ports.record);
	assert.deepEqual(outcomes, Array.from({ length: 7 }, () => ['TypeError', 'aborted']).flat());
	await until(() => world.targets.connections.slice(from).filter(({ end }) => end === 'reset').length === 7, 'the target sees seven resets');
});

test('what is no host or port throws, and nothing is looked up', async () => {
	const names = await page.evaluate(() => {
		const { sockmux } = /** @type {any} */ (globalThis);
		return [[undefined, 80], ['', 80], [null, 80], ['h', 'x'], ['h', NaN], ['h', 0], ['h', 65536], ['h', 1.5]].map(([host, port]) => {
			try {
				sockmux.connect(host, port);
				return 'taken';
			} catch (error) {
				return error instanceof TypeError && /** @type {any} */ (error).code;
			}
		});
	});
	assert.deepEqual(names, names.map(() => 'invalid_request'));
	assert.equal(world.sockmux.logs.filter((line) => line.includes('"msg":"stream"') && /undefined|"h:/.test(line)).length, 0);
});

test('data-timeout counts for connect()', { timeout: 60_000 }, async () => {
	/** A server that accepts and says nothing. */
	const silent = createServer((socket) => void socket.on('error', () => socket.destroy()).resume());
	await new Promise((resolve) => { silent.listen(0, '127.0.0.1', () => resolve(undefined)); });
	const { port } = /** @type {import('node:net').AddressInfo} */ (silent.address());
	const fresh = await world.newPage();
	await fresh.addInitScript((url) => {
		/** @type {any} */ (globalThis).sockmux = { url, timeout: 1 };
	}, `http://127.0.0.1:${port}`);
	await fresh.goto(`${world.site.origin}/bare.html`);
	const code = await fresh.evaluate(() => /** @type {any} */ (globalThis).sockmux.connect('127.0.0.1', 80).opened.catch((/** @type {any} */ error) => error.code));
	assert.equal(code, 'timed_out');
	await fresh.context().close();
	silent.close();
});

test('the shape of WinterTC: addresses, bytes into the reader\'s own buffer, the end of the target is the end', { timeout: 60_000 }, async () => {
	const told = await page.evaluate(async ({ echo, line }) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const socket = sockmux.connect(`127.0.0.1:${echo}`);
		const { remoteAddress, localAddress, alpn } = await socket.opened;
		const writer = socket.writable.getWriter();
		const reader = socket.readable.getReader({ mode: 'byob' });
		await writer.write('question');
		const { value } = await reader.read(new Uint8Array(100));
		await writer.close();
		const { done } = await reader.read(new Uint8Array(1));
		await socket[Symbol.asyncDispose](); // as `await using` does
		const short = sockmux.connect({ hostname: '127.0.0.1', port: line });
		const text = await new Response(short.readable).text();
		await short.closed; // the target has ended its direction, and allowHalfOpen is false
		return { remoteAddress, local: /^127\.0\.0\.1:\d+$/.test(localAddress), alpn, answer: new TextDecoder().decode(value), done, text };
	}, { echo: world.targets.ports.echo, line: world.targets.ports.line });
	assert.deepEqual(told, { remoteAddress: `127.0.0.1:${world.targets.ports.echo}`, local: true, alpn: null, answer: 'question', done: true, text: 'one line\n' });
});

test('a signal ends a socket that opens and one that is open, and the target sees a reset', { timeout: 60_000 }, async () => {
	const from = world.targets.connections.length;
	const reasons = await page.evaluate(async ({ record, silent }) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const told = [];
		for (const [port, open] of [[record, true], [silent, false]]) {
			const controller = new AbortController();
			const socket = sockmux.connect(`127.0.0.1:${port}`, { signal: controller.signal });
			if (open) {
				await socket.opened;
				await socket.writable.getWriter().write('begun');
			}
			controller.abort(new Error('enough'));
			for (const promise of open ? [socket.closed] : [socket.opened, socket.closed]) {
				told.push(await promise.then(() => 'fulfilled', (/** @type {Error} */ error) => error.message));
			}
		}
		return told;
	}, { record: world.targets.ports.record, silent: world.targets.ports.silent });
	assert.deepEqual(reasons, ['enough', 'enough', 'enough']);
	await until(() => world.targets.connections.slice(from).some(({ end }) => end === 'reset'), 'the target sees a reset');
});

test('TCPSocket: a connection and a refusal', { timeout: 60_000 }, async () => {
	const told = await page.evaluate(async ({ echo, closed }) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const socket = new sockmux.TCPSocket('127.0.0.1', echo);
		const { readable, writable, remotePort } = await socket.opened;
		const writer = writable.getWriter();
		await writer.write(new TextEncoder().encode('question'));
		await writer.close();
		const answer = await new Response(readable).text();
		await socket.closed;
		const error = await new sockmux.TCPSocket('127.0.0.1', closed).opened.catch((/** @type {unknown} */ why) => why);
		return { answer, remotePort, name: error.name, code: error.cause.code };
	}, { echo: world.targets.ports.echo, closed: 9 });
	assert.deepEqual(told, { answer: 'question', remotePort: world.targets.ports.echo, name: 'NotAllowedError', code: 'denied' });
});
