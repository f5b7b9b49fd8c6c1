// The script and the files that it loads: how large it is, what a page loads and when,
// and policies that go by nonces.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { suite } from './harness/suite.js';

/**
 * What every page pays before its first socket, as it is sent. The goal of
 * docs/PERFORMANCE.md is 12 kB; 0.6 kB more are the writable of connect(), whose promises
 * tell whether the target was there, and 1.9 kB what must stand before programs and
 * workers start: their hooks, with the patterns of data-match. 0.1 kB begin the handshake
 * while the wasm loads, and 0.1 kB save a task before the first event of each message.
 * 1.2 kB are connect() and TCPSocket in the shapes of the standards: they return at once,
 * so no file can be loaded for them. 0.1 kB are data-listen, and as many
 * listen() and TCPServerSocket. 0.3 kB are fetch() and TLS of connect(): the name and the
 * hash of their part, and sockets that return before it is there. This holds what there is,
 * and some bytes for what the names that the minifier chooses move it by.
 */
const MAX_SCRIPT_BYTES = 17_500;

/** The goal of docs/PERFORMANCE.md is 520 kB. */
const MAX_WASM_BYTES = 446_000;

const world = suite({
	flags: () => ['--demo'],
	site: { csp: "default-src 'none'; script-src 'nonce-c29ja211eA' 'wasm-unsafe-eval'; connect-src * ws:" },
});

const url = () => `ws://127.0.0.1:${world.targets.ports.echo}/`;

/** @param {string} path */
const sizeOf = (path) => new Promise((resolve, reject) => {
	get(`${world.sockmux.origin}${path}`, { headers: { 'accept-encoding': 'br' } }, (response) => {
		assert.deepEqual([response.statusCode, response.headers['content-encoding']], [200, 'br']);
		let size = 0;
		response.on('data', (data) => {
			size += data.length;
		}).on('end', () => resolve(size)).on('error', reject);
	}).on('error', reject);
});

/** What the build calls itself: a commit. */
const VERSION = readFileSync(new URL('../js/build/version', import.meta.url), 'utf8').trim();

/** @param {number} n @param {'hex' | 'base64'} encoding */
const digits = (n, encoding) => createHash('sha256').update(String(n)).digest(encoding);

/**
 * The script with the same version and hashes in every build, as hard to compress: those of
 * the build move the size by 100 bytes.
 * @param {string} script
 */
function withFixedDigits(script) {
	assert.ok(script.includes(VERSION), `no ${VERSION} in the script`);
	let n = 0;
	return script.replaceAll(VERSION, digits(n++, 'hex').slice(0, 8))
		.replace(/sha256-[\w+/]{43}=/g, () => `sha256-${digits(n++, 'base64')}`)
		.replace(/-[0-9a-f]{8}\./g, () => `-${digits(n++, 'hex').slice(0, 8)}.`);
}

for (const path of ['/sockmux.js', '/sockmux.mjs']) {
	test(`${path} has at most ${MAX_SCRIPT_BYTES} bytes (brotli)`, async () => {
		const script = await (await fetch(`${world.sockmux.origin}${path}`)).text();
		const size = brotliCompressSync(withFixedDigits(script)).length;
		assert.ok(size <= MAX_SCRIPT_BYTES, `${size} bytes`);
		assert.ok(Math.abs(await sizeOf(path) - size) < 200, `the server sends ${await sizeOf(path)} bytes, not about ${size}`);
	});
}

test(`the wasm has at most ${MAX_WASM_BYTES} bytes (brotli)`, async () => {
	const script = await (await fetch(`${world.sockmux.origin}/sockmux.js`)).text();
	const name = /sockmux-[0-9a-f]{8}\.wasm/.exec(script)?.[0];
	const size = await sizeOf(`/assets/${name}`);
	assert.ok(size <= MAX_WASM_BYTES, `${size} bytes`);
});

/** The goal for HTTP, TLS and the roots together, which a page loads with its first fetch(). */
const MAX_HTTPS_BYTES = 1_600_000;

test(`HTTP and TLS have at most ${MAX_HTTPS_BYTES} bytes (brotli)`, async () => {
	const script = await (await fetch(`${world.sockmux.origin}/sockmux.js`)).text();
	const part = /sockmux-http-[0-9a-f]{8}\.js/.exec(script)?.[0];
	const names = /** @type {RegExpMatchArray} */ ((await (await fetch(`${world.sockmux.origin}/assets/${part}`)).text()).match(/sockmux-https(-worker)?-[0-9a-f]{8}\.\w+/g));
	assert.equal(names.length, 2);
	const sizes = await Promise.all([part, ...names].map((name) => sizeOf(`/assets/${name}`)));
	const size = sizes.reduce((sum, one) => sum + one, 0);
	assert.ok(size <= MAX_HTTPS_BYTES, `${size} bytes`);
});

test('the wasm is initialized: it cannot be started, and draws its random numbers anew', async () => {
	const module = await WebAssembly.compile(await (await fetch(`${world.sockmux.origin}/sockmux.wasm`)).arrayBuffer());
	const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
	assert.deepEqual(['run', 'reseed', 'resume'].map((name) => exported.includes(name)), [false, true, true]);
});

test('a page without programs loads the engine and the wasm, and its policy\'s nonce lets them in', async () => {
	const page = await world.newPage();
	await page.goto(`${world.site.origin}/nonce.html`);
	const answer = await page.evaluate((u) => /** @type {any} */ (globalThis).echo(u, 'binary', 'hello'), url());
	assert.equal(answer.text, 'hello');
	const names = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => /\/assets\/(.*)-[0-9a-f]{8}(\.\w+)$/.exec(name)?.slice(1).join('') ?? '').filter(Boolean).sort());
	assert.deepEqual(names, ['sockmux-engine.js', 'sockmux.wasm']);
	const left = await page.evaluate(() => ({ scripts: document.scripts.length, symbols: Object.getOwnPropertySymbols(globalThis).map(String).filter((name) => name.includes('sockmux')), go: 'Go' in globalThis }));
	assert.deepEqual(left, { scripts: 2, symbols: [], go: false });
	assert.deepEqual(page.lines, []);
	await page.context().close();
});

test('a part that was changed on its way is refused, and the console says so', async () => {
	const page = await world.newPage();
	await page.route(/sockmux-engine-/, async (route) => {
		const response = await route.fetch();
		await route.fulfill({ response, body: `${await response.text()}\n` });
	});
	await page.goto(`${world.site.origin}/nonce.html`);
	const answer = await page.evaluate((u) => /** @type {any} */ (globalThis).echo(u, 'binary', 'hello'), url());
	assert.deepEqual(answer.events, ['error', 'close']);
	assert.match(answer.last.reason, /sockmux-engine-[0-9a-f]{8}\.js could not be loaded/);
	assert.ok(page.lines.some((line) => line.includes('sockmux: the wasm could not be started: ')), page.lines.join('\n'));
	await page.context().close();
});
