// A page that does not read what its sockets get: what it holds stays within bounds, and
// its other sockets run at full speed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { MEGABYTE } from './harness/targets.js';
import { until } from './harness/until.js';

const SOCKETS = 100;

/**
 * What a socket may hold: the page's own window (js/src/api/socket.js), and in the wasm a
 * window of 256 KiB in a buffer that doubles.
 */
const SOCKET_BUDGET = 1024 * 1024 + 2 * 256 * 1024;

/**
 * What a session may hold beside: what windows are larger by at their start and have
 * grown by (shared/mux, 64 MiB each), the link, and memory of the wasm that is not given
 * back.
 */
const SESSION_BUDGET = 192 * 1024 * 1024;

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {number} */
let port;

suite({
	async ready({ targets, site, newPage }) {
		port = targets.ports.download;
		page = await newPage();
		await page.goto(`${site.origin}/bare.html`);
	},
});

/** Milliseconds for a download, the median of five. */
async function download() {
	const times = await page.evaluate(async ([at, megabytes, bytes]) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const took = [];
		for (let i = 0; i < 5; i++) {
			const began = performance.now();
			const socket = sockmux.connect('127.0.0.1', at);
			await socket.writable.getWriter().write(`${megabytes}\n`);
			const reader = socket.readable.getReader();
			let total = 0;
			for (let part = await reader.read(); !part.done; part = await reader.read()) total += part.value.length;
			socket.close();
			if (total !== megabytes * bytes) throw new Error(`${total} bytes`);
			took.push(performance.now() - began);
		}
		return took;
	}, [port, 10, MEGABYTE]);
	return times.sort((a, b) => a - b)[2];
}

test(`${SOCKETS} sockets that the page never reads`, { timeout: 300_000 }, async (t) => {
	const cdp = await page.context().newCDPSession(page);
	/** Bytes of the page: objects of JavaScript, and what buffers and the wasm's memory have. */
	const held = async () => {
		await cdp.send('HeapProfiler.collectGarbage');
		const usage = /** @type {any} */ (await cdp.send('Runtime.getHeapUsage'));
		return usage.usedSize + usage.backingStorageSize;
	};
	let alone = await download();
	const before = await held();
	await page.evaluate(async ([at, count]) => {
		const scope = /** @type {any} */ (globalThis);
		scope.unread = Array.from({ length: count }, () => scope.sockmux.connect('127.0.0.1', at));
		for (const socket of scope.unread) {
			socket.closed.catch(() => {});
			await socket.writable.getWriter().write('50\n');
		}
	}, [port, SOCKETS]);
	// Until every window is full and nothing moves any more.
	const received = () => page.evaluate(() => /** @type {any} */ (globalThis).unread.length && /** @type {any} */ (globalThis).sockmux.stats().bytesIn);
	let last = -1;
	let still = 0;
	await until(async () => {
		const now = await received();
		still = now === last ? still + 1 : 0;
		last = now;
		return still >= 20 && now >= SOCKETS * 256 * 1024;
	}, 'every window is full', 150_000);
	const grown = await held() - before;
	const budget = SESSION_BUDGET + SOCKETS * SOCKET_BUDGET;
	assert.ok(grown <= budget, `the page holds ${grown} bytes, the budget is ${budget}`);

	const beside = Math.min(await download(), await download(), await download()); // what else the machine does only adds
	await page.evaluate(() => /** @type {any} */ (globalThis).unread.forEach((/** @type {any} */ socket) => socket.reset()));
	alone = Math.max(alone, await download()); // what else the machine does comes and goes
	t.diagnostic(`${SOCKETS} sockets hold ${(grown / 2 ** 20).toFixed(1)} MiB of the page (budget ${budget / 2 ** 20} MiB); 10 MB beside them took ${beside.toFixed(0)} ms, alone ${alone.toFixed(0)} ms`);
	assert.ok(beside <= 2 * alone + 200, `10 MB beside them took ${beside} ms, alone ${alone} ms`);
});
