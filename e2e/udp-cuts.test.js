// Datagrams while the WebSocket is lost, and when the session is.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { startProxy } from './harness/proxy.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

/** Bytes that a socket keeps for the server at most (js/src/tunnel/datagrams.js). */
const KEPT_BYTES = 256 * 1024;
const SIZE = 1000;

/** @type {Awaited<ReturnType<typeof startProxy>>} */
let proxy;
/** The peer, which sends each datagram back, and what it has received. */
const peer = createSocket('udp4').bind(0, '127.0.0.1');
await once(peer, 'listening');
/** @type {Buffer[]} */
const received = [];
peer.on('message', (message, { port, address }) => {
	received.push(message);
	peer.send(message, port, address);
});

const flags = () => ['--allow', `udp://127.0.0.1:${peer.address().port}`];

const world = suite({
	flags,
	async ready({ sockmux, alsoStop }) {
		proxy = await startProxy(sockmux.port);
		alsoStop(proxy);
		alsoStop({ stop: async () => void peer.close() });
	},
});

/** A page whose session goes over the proxy. */
async function newPage() {
	const page = await world.newPage();
	await page.addInitScript((url) => {
		/** @type {any} */ (globalThis).sockmux = { url };
	}, proxy.origin);
	await page.goto(`${world.site.origin}/emscripten.html`);
	return page;
}

/** The page's session goes to a server that does not know it. @returns {Promise<() => Promise<void>>}  brings the first server back */
async function kill() {
	const other = await startSockmux(['--allow-origin', world.site.origin, ...flags()]);
	const { port } = proxy;
	proxy.port = other.port;
	proxy.cut('reset');
	return async () => {
		proxy.port = port;
		await other.stop();
	};
}

test('while the WebSocket is lost, datagrams are kept up to a bound, and none comes twice', async () => {
	const page = await newPage();
	received.length = 0;
	await page.evaluate(async ([port, size]) => {
		const scope = /** @type {any} */ (globalThis);
		const { readable, writable } = await new scope.sockmux.UDPSocket({ remoteAddress: '127.0.0.1', remotePort: port }).opened;
		const [reader, writer] = [readable.getReader(), writable.getWriter()];
		let number = 0;
		/** Datagrams with a number and bytes that depend on it. */
		scope.send = (/** @type {number} */ many) => Promise.all(Array.from({ length: many }, () => {
			const data = new Uint8Array(size).fill(number);
			new DataView(data.buffer).setUint32(0, number++);
			return writer.write({ data });
		}));
		scope.back = [];
		void (async () => {
			for (;;) {
				const { value, done } = await reader.read();
				if (done) return;
				const { data } = value;
				const n = new DataView(data.buffer, data.byteOffset).getUint32(0);
				scope.back.push(data.length === size && data.subarray(4).every((/** @type {number} */ byte) => byte === n % 256) ? n : -1);
			}
		})();
		await scope.send(10);
	}, /** @type {const} */ ([peer.address().port, SIZE]));
	const back = () => page.evaluate(() => /** @type {any} */ (globalThis).back);
	await until(async () => (await back()).length === 10, 'the first answers');

	// Nothing passes, and neither end is told, until the connection is cut for good.
	proxy.cut('hole');
	const many = 1000;
	await page.evaluate((n) => /** @type {any} */ (globalThis).send(n), many); // no write waits
	proxy.cut('reset');
	await until(async () => (await back()).length > 10, 'what was kept comes back', 60_000);
	await until(async () => {
		await page.evaluate(() => /** @type {any} */ (globalThis).send(1));
		return (await back()).at(-1) >= 10 + many;
	}, 'the socket goes on', 60_000);

	const numbers = received.map((message) => message.readUInt32BE(0));
	const kept = numbers.filter((n) => n >= 10 && n < 10 + many);
	assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b), 'one came twice, or before another');
	// All come to the peer at once, whose system may have room for fewer.
	assert.ok(kept.length > 20 && kept.every((n) => n < 10 + KEPT_BYTES / SIZE), `of what was sent these were kept: ${kept}`);
	assert.ok(received.every(({ length }) => length === SIZE));
	const answers = await back();
	assert.deepEqual(answers, [...new Set(answers)].sort((a, b) => a - b));
	assert.ok(!answers.includes(-1), 'bytes of two datagrams were mixed');
	await page.context().close();
});

test('a session that is lost is the error of both streams, and a new socket works', async () => {
	const page = await newPage();
	await page.evaluate(async (port) => {
		const scope = /** @type {any} */ (globalThis);
		const socket = new scope.sockmux.UDPSocket({ remoteAddress: '127.0.0.1', remotePort: port });
		const { readable, writable } = await socket.opened;
		const [reader, writer] = [readable.getReader(), writable.getWriter()];
		await writer.write({ data: new Uint8Array(3) });
		await reader.read();
		const code = (/** @type {Promise<any>} */ promise) => promise.then(() => 'none', (error) => `${error.name} ${error.cause.code}`);
		scope.ended = Promise.all([reader.read(), reader.closed, writer.closed, socket.closed].map(code));
	}, peer.address().port);
	const restore = await kill();
	assert.deepEqual(await page.evaluate(() => /** @type {any} */ (globalThis).ended), Array(4).fill('NetworkError unknown_session'));
	assert.equal(await page.evaluate(async (port) => {
		const { readable, writable } = await new /** @type {any} */ (globalThis).sockmux.UDPSocket({ remoteAddress: '127.0.0.1', remotePort: port }).opened;
		await writable.getWriter().write({ data: new Uint8Array(7) });
		return (await readable.getReader().read()).value.data.length;
	}, peer.address().port), 7);
	await page.context().close();
	await restore();
});

for (const program of ['more', 'more-pthread', 'more-worker']) {
	test(`a session that is lost ends a C program's recv(), once: ${program}`, async () => {
		const page = await newPage();
		await page.evaluate(([how, name, port]) => void (/** @type {any} */ (globalThis)[how])(name, ['lost', port]), /** @type {const} */ ([program === 'more-worker' ? 'runInWorker' : 'run', `udp/${program}`, String(peer.address().port)]));
		const printed = () => page.evaluate(() => /** @type {any} */ (globalThis).printed);
		await until(async () => (await printed()).includes('first 3'), 'the first answer', 60_000);
		const restore = await kill();
		await until(async () => (await printed()).includes('DONE'), 'the program ends', 60_000).catch(async (error) => {
			throw new Error(`${error.message}; printed: ${(await printed()).join(' | ')}`);
		});
		assert.deepEqual(await printed(), ['first 3', 'then -1 ECONNABORTED', 'SO_ERROR 0', 'again 5', 'answer 5', 'DONE']);
		await page.context().close();
		await restore();
	});
}
