// data-tunnel="websockets" beside the page without the script, row by row: the same calls, the
// same bytes of the server, the same lines.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificate } from './harness/certificate.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { END, startWebSocketTarget } from './harness/websocket-target.js';

const certificate = makeCertificate('target.test', [127, 0, 0, 1]);
const authority = join(tmpdir(), `authority-${process.pid}.pem`);
writeFileSync(authority, certificate.cert);
process.env.SSL_CERT_FILE = authority; // of bin/sockmux, which this starts

const targets = { ws: await startWebSocketTarget(), wss: await startWebSocketTarget(certificate) };

/** Without the layer, and with it. @type {Record<string, import('./harness/suite.js').TestPage>} */
const pages = {};

const world = suite({
	flags: () => Object.values(targets).flatMap(({ port }) => ['--allow', `127.0.0.1:${port}`]),
	async ready({ site, newPage, alsoStop }) {
		alsoStop({
			async stop() {
				for (const target of Object.values(targets)) await target.stop();
				rmSync(authority);
			},
		});
		for (const name of ['plain', 'websockets']) {
			const page = pages[name] = await newPage({ ignoreHTTPSErrors: true });
			await page.goto(`${site.origin}/${name}.html`);
			await page.addScriptTag({ url: '/websockets-lines.js' });
		}
	},
});

let runs = 0;

/**
 * What a row sees in a page, and what its server sees.
 * @param {(row: string, base: string, id: string) => Promise<string[]>} run
 * @param {keyof typeof targets} scheme
 * @param {string} row
 */
async function linesOf(run, scheme, row) {
	const id = `${++runs}`;
	const { seen } = targets[scheme];
	const lines = await run(row, targets[scheme].origin, id);
	if (row === 'close() while connecting') return lines; // whether the server saw it is a matter of time
	await until(() => seen(id).length === 0 || seen(id).at(-1) === END, `the server of "${row}" sees the end`);
	// The reason that goes with 1002 is each client's own.
	return [...lines, ...seen(id).map((line) => `server: ${line.replace(/^close 1002 .*/, 'close 1002')}`)];
}

/** @param {string} name */
const inPage = (name) => (/** @type {[string, string, string]} */ ...args) => pages[name].evaluate((given) => /** @type {any} */ (globalThis).linesOf(...given), args);

/**
 * In a worker of the page that has no script.
 * @param {string} file
 * @param {boolean} layer
 */
const inWorker = (file, layer) => (/** @type {[string, string, string]} */ ...args) => pages.plain.evaluate(async ([url, type, given]) => {
	const worker = new Worker(url, { type });
	const next = () => new Promise((resolve, reject) => {
		worker.onmessage = ({ data }) => resolve(data);
		worker.onerror = ({ message }) => reject(new Error(message));
	});
	await next();
	const lines = next();
	worker.postMessage(given);
	return lines.finally(() => worker.terminate());
}, /** @type {const} */ ([`/${file}?server=${layer ? world.sockmux.origin : ''}`, file.endsWith('.mjs') ? 'module' : 'classic', args]));

await import(String(new URL('pages/websockets-lines.js', import.meta.url))); // no module
/** @type {string[]} */
const rows = /** @type {any} */ (globalThis).rowNames();

for (const row of rows) {
	test(`ws: ${row}`, { timeout: 240_000 }, async () => {
		assert.deepEqual(await linesOf(inPage('websockets'), 'ws', row), await linesOf(inPage('plain'), 'ws', row));
	});
}

/** Rows that may differ where the connection, or the place of the program, is another. */
const elsewhere = rows.filter((row) => /^(the c|URLs|close\(\)|messages|what|listeners|a handler|a turn)|: (close code 1000|a masked text|a reset|the end|a text that is no UTF-8|the second|status 302)/.test(row));

for (const row of elsewhere) {
	if (!row.endsWith('a reset of the connection')) { // Node resets no connection of TLS
		test(`wss: ${row}`, { timeout: 120_000 }, async () => {
			assert.deepEqual(await linesOf(inPage('websockets'), 'wss', row), await linesOf(inPage('plain'), 'wss', row));
		});
	}
	for (const file of ['websockets-worker.js', 'websockets-worker.mjs']) {
		test(`${file}: ${row}`, { timeout: 120_000 }, async () => {
			assert.deepEqual(await linesOf(inWorker(file, true), 'ws', row), await linesOf(inWorker(file, false), 'ws', row));
		});
	}
}

/** What the server, the systems and the browser hold of a message stream at most. */
const HELD_BYTES = 48_000_000;

test('a page that is busy makes the server wait, and misses nothing', { timeout: 240_000 }, async () => {
	const [count, size] = [2500, 64_000];
	const taken = pages.websockets.evaluate(async (url) => {
		const ws = new WebSocket(url);
		ws.binaryType = 'arraybuffer';
		let messages = 0;
		ws.onopen = () => ws.send('go');
		ws.onmessage = () => {
			const free = performance.now() + (messages++ === 0 ? 5_000 : 0);
			while (performance.now() < free);
			if (messages === 1) console.log('the page was busy');
			if (messages === 2500) ws.close();
		};
		await new Promise((resolve) => { ws.onclose = resolve; });
		return messages;
	}, `${targets.ws.origin}/count/${count}/${size}?id=busy`);
	await pages.websockets.waitForEvent('console', { predicate: (message) => message.text() === 'the page was busy' });
	assert.ok(targets.ws.sent('busy') < HELD_BYTES, `the server has sent ${targets.ws.sent('busy')} bytes to a page that took one message`);
	assert.equal(await taken, count);
	assert.ok(targets.ws.sent('busy') > count * size);
});

test('a server that reads nothing makes the page wait, and no other WebSocket', { timeout: 240_000 }, async () => {
	const [length, left, ended] = await pages.websockets.evaluate(async ([deaf, echo]) => {
		const ws = new WebSocket(deaf);
		await new Promise((resolve) => { ws.onopen = resolve; });
		for (let i = 0; i < 1500; i++) ws.send(new Uint8Array(64_000));
		const other = new WebSocket(echo);
		other.binaryType = 'arraybuffer';
		other.onopen = () => other.send(new Uint8Array(3_000_000));
		const { data } = await new Promise((resolve) => { other.onmessage = resolve; });
		const amount = ws.bufferedAmount;
		other.close();
		await new Promise((resolve) => { other.onclose = resolve; });
		return [data.byteLength, amount, ws.readyState];
	}, [`${targets.ws.origin}/deaf`, `${targets.ws.origin}/echo`]);
	assert.deepEqual([length, ended], [3_000_000, 1]);
	assert.ok(left > 1500 * 64_000 - HELD_BYTES, `${left} bytes wait in the page`);
});
