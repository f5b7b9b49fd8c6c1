// Pages that listen at the server: sockmux.listen() and TCPServerSocket, in the page, over a tunnel
// in a worker, and in Node.

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { freePort, talk } from './harness/ports.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const world = suite({ flags: () => ['--allow-listen', '127.0.0.1:1024-65535', '--allow-listen', '192.0.2.1:80'] });

/** Runs in the page: an echo that says goodbye, until a client says quit. */
const serve = async (/** @type {number} */ port) => {
	const { sockmux } = /** @type {any} */ (globalThis);
	const server = await sockmux.listen('localhost', port, { backlog: 50 });
	const peers = /** @type {string[]} */ ([]);
	const failed = /** @type {string[]} */ ([]);
	const each = async (/** @type {any} */ socket) => {
		const { remoteAddress, localAddress } = await socket.opened;
		peers.push(`${remoteAddress} ${localAddress}`);
		const writer = socket.writable.getWriter();
		const texts = socket.readable.pipeThrough(new TextDecoderStream());
		for await (const text of texts) {
			if (text === 'quit') void server.close();
			await writer.write(text);
		}
		await writer.write('bye');
		await writer.close();
		await socket.closed;
	};
	const all = [];
	for await (const socket of server.readable) all.push(each(socket).catch((error) => failed.push(String(error.code ?? error))));
	await server.closed;
	await Promise.all(all);
	return { peers, failed, address: server.localAddress, bound: server.bound };
};

for (const path of ['bare.html', 'worker.html', 'listen-worker.html']) {
	test(`sockmux.listen() in ${path}: half-close, many at once, resets, the end`, async () => {
		const page = await world.newPage();
		await page.goto(`${world.site.origin}/${path}`);
		/** @type {{ evaluate: import('playwright-core').Page['evaluate'] }} */
		const place = path === 'listen-worker.html' ? await until(() => page.workers()[0], 'the worker') : page;
		await until(() => place.evaluate(() => 'sockmux' in globalThis), 'sockmux');
		const port = await freePort();
		const served = place.evaluate(serve, port);
		assert.equal(await until(() => talk(port, 'one'), 'the first client'), 'onebye');
		const texts = Array.from({ length: 40 }, (_, i) => `${i} `.repeat(i * 800 + 1));
		for (let i = 0; i < 5; i++) {
			const reset = connect(port, '127.0.0.1', () => void reset.resetAndDestroy());
		}
		assert.deepEqual(await Promise.all(texts.map((text) => talk(port, text))), texts.map((text) => `${text}bye`));
		assert.equal(await talk(port, 'quit'), 'quitbye');
		const { peers, failed, ...addresses } = await served;
		assert.deepEqual(addresses, { address: `127.0.0.1:${port}`, bound: { addr: '127.0.0.1', port } });
		assert.ok(peers.length >= 42, `${peers.length} clients`);
		assert.ok(peers.every((text) => /^127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+$/.test(text) && text.endsWith(`:${port}`)), peers[0]);
		assert.ok(failed.length <= 5 && failed.every((code) => ['aborted', 'reset'].includes(code)), failed.join(' '));
		assert.ok(page.lines.filter((line) => line.includes(': reset')).every((line) => line.includes('sockmux: 127.0.0.1:')), 'a line names the other end');
		assert.ok(page.carriers.length <= 1, 'those of a worker are not seen here');
		assert.equal(await talk(port, 'x'), null, 'the port is free');
		const loaded = await place.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.includes('sockmux-direct')).length);
		assert.equal(loaded, 1);
		await page.context().close();
	});
}

test('TCPServerSocket: TCPSockets of the same class, errors as exceptions, waiting ones reset at the end', async () => {
	const taken = createServer().listen(0, '127.0.0.1');
	await until(() => taken.listening, 'the port is taken');
	const used = /** @type {import('node:net').AddressInfo} */ (taken.address()).port;
	const page = await world.newPage();
	await page.goto(`${world.site.origin}/bare.html`);
	const served = page.evaluate(async (inUse) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const why = (/** @type {Promise<any>} */ promise) => promise.then(() => 'fine', (error) => `${error.name} ${error.cause instanceof sockmux.SocketError ? error.cause.code : error.code ?? ''}`);
		const errors = await Promise.all([
			...[[inUse], [80]].map(([localPort]) => why(new sockmux.TCPServerSocket('127.0.0.1', { localPort }).opened)),
			why(new sockmux.TCPServerSocket('192.0.2.1', { localPort: 80 }).opened),
			why(new sockmux.TCPServerSocket('::', { ipv6Only: true }).opened),
			why(new sockmux.TCPServerSocket('somewhere').closed),
			why(sockmux.listen('127.0.0.1', inUse)),
		]);
		const server = new sockmux.TCPServerSocket('0.0.0.0', { backlog: 2 });
		errors.push(await why(server.close()));
		const { readable, localAddress, localPort } = await server.opened;
		const reader = readable.getReader();
		/** @type {any} */ (globalThis).port = localPort;
		const { value } = await reader.read();
		const info = await value.opened;
		const got = await new Response(info.readable).text();
		const writer = info.writable.getWriter();
		await writer.write(new TextEncoder().encode(`got ${got}`));
		await writer.close();
		await value.closed;
		errors.push(await why(server.close()));
		reader.releaseLock();
		await new Promise((resolve) => { /** @type {any} */ (globalThis).close2 = resolve; });
		await server.close();
		await server.closed;
		return { errors, same: value instanceof sockmux.TCPSocket, localAddress, remote: info.remoteAddress };
	}, used);
	const port = await until(() => page.evaluate(() => /** @type {any} */ (globalThis).port), 'the page listens');
	assert.equal(await talk(port, 'this'), 'got this');
	const waiting = Promise.all([talk(port, 'never read'), talk(port, 'never read')]);
	await until(() => page.evaluate(() => 'close2' in globalThis), 'the page has answered');
	await page.evaluate(() => /** @type {any} */ (globalThis).close2());
	const told = await served;
	assert.deepEqual(told, {
		errors: ['NetworkError address_in_use', 'NotAllowedError denied', 'NetworkError address_not_available', 'NotAllowedError denied', 'SocketError invalid_request', 'SocketError address_in_use', 'InvalidStateError 11', 'InvalidStateError 11'],
		same: true, localAddress: '127.0.0.1', remote: '127.0.0.1',
	});
	assert.deepEqual(await waiting, [null, null]);
	taken.close();
	await page.context().close();
});
