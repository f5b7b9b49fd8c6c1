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
				return `${/** @type {Error} */ (error).name}`;
			}
		});
	});
	assert.deepEqual(names, ['TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'RangeError', 'RangeError', 'TypeError']);
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
