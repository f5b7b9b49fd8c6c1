// UDP: C programs with SOCK_DGRAM by plain Emscripten (fixtures/emscripten/udp), and
// sockmux.UDPSocket in the page.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { freePort, isFreeForDatagrams } from './harness/ports.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

/** Seconds of NTP's era: what the peer of the SNTP case answers. */
const SNTP_SECONDS = 3_913_056_000;

/** As Emscripten numbers it. */
const EACCES = 2;

const CASES = ['connected', 'unconnected', 'messages', 'flags', 'sizes', 'refused', 'denied', 'wrong', 'sntp'];

/** Ports of the peers; `six` is on ::1. @type {Record<'first' | 'second' | 'six' | 'sntp' | 'closed', number>} */
const ports = { first: 0, second: 0, six: 0, sntp: 0, closed: 0 };

/**
 * A peer on loopback that answers each datagram.
 * @param {(message: Buffer) => Buffer} answer
 * @param {string} [host]
 */
async function peer(answer, host = '127.0.0.1') {
	const socket = createSocket(host === '::1' ? 'udp6' : 'udp4');
	socket.on('message', (message, { port, address }) => socket.send(answer(message), port, address));
	socket.bind(0, host);
	await once(socket, 'listening');
	return { port: socket.address().port, stop: async () => void socket.close() };
}

const world = suite({
	flags: () => ['--allow', 'udp://127.0.0.1', '--allow', 'udp://localhost', '--allow', 'udp://[::1]', '--allow-listen', 'udp://127.0.0.1:1024-65535', '--demo'],
	ready: async (it) => {
		const time = Buffer.alloc(48);
		time[0] = 0x1c; // version 3, server
		time.writeUInt32BE(SNTP_SECONDS, 40);
		const closed = await peer((message) => message);
		const all = { first: await peer((message) => message), second: await peer((message) => message), six: await peer((message) => message, '::1'), sntp: await peer(() => time) };
		for (const [name, { port, stop }] of Object.entries(all)) {
			ports[/** @type {keyof typeof ports} */ (name)] = port;
			it.alsoStop({ stop });
		}
		ports.closed = closed.port;
		await closed.stop();
	},
});

/** Starts a program. @param {import('./harness/suite.js').TestPage} page @param {string} program @param {string[]} args */
async function start(page, program, args) {
	await page.goto(`${world.site.origin}/emscripten.html`);
	const call = program.endsWith('worker') ? 'runInWorker' : 'run';
	await page.evaluate(([how, name, given]) => void (/** @type {any} */ (globalThis)[how])(name, given), /** @type {const} */ ([call, `udp/${program}`, args]));
}

/** What the program has printed. @param {import('./harness/suite.js').TestPage} page @returns {Promise<string[]>} */
const printedBy = (page) => page.evaluate(() => /** @type {any} */ (globalThis).printed);

/** All that the program prints. @param {import('./harness/suite.js').TestPage} page @param {string} program */
const allPrintedBy = (page, program) => until(async () => {
	const lines = await printedBy(page);
	return lines.includes('DONE') ? lines : null;
}, `${program} to be done`, 60_000).catch(async (error) => {
	throw new Error(`${error.message}; printed: ${(await printedBy(page)).join(' | ')}`);
});

for (const program of ['asyncify', 'modular', 'pthread', 'worker']) {
	for (const host of ['127.0.0.1', 'localhost']) {
		if (host !== '127.0.0.1' && program !== 'asyncify') continue;
		test(`a C program, ${program}, to ${host}`, async () => {
			const page = await world.newPage();
			await start(page, program, [host, ...[ports.first, ports.second, ports.sntp, ports.closed].map(String)]);
			const printed = await allPrintedBy(page, program);
			const want = [...CASES, ...(['pthread', 'worker'].includes(program) ? ['blocking'] : [])].map((name) => `PASS ${name}`);
			assert.deepEqual(printed.filter((line) => /^(PASS|FAIL)/.test(line)), want);
			assert.equal(page.carriers.length, 1, page.carriers.join(' '));
			await page.context().close();
		});
	}
}

/** A stranger that sends and waits for answers. */
async function stranger() {
	const socket = createSocket('udp4').bind(0, '127.0.0.1');
	await once(socket, 'listening');
	return {
		/** @param {string} text @param {number} port */
		async ask(text, port) {
			const answer = once(socket, 'message');
			socket.send(text, port, '127.0.0.1');
			const [message, from] = await answer;
			return `${message} of ${from.port}`;
		},
		stop: () => void socket.close(),
	};
}

/** What the cases of IPv6 print, natively too. */
const SIX = ['::1', '::ffff:127.0.0.1'].flatMap((host) => [
	`connected ${host}: 3 bytes right`, `from ${host} with a port`, `peer ${host} with a port`, `own ${host} with a port`,
	`unconnected ${host}: 3 bytes right`, `from ${host} with a port`,
]);

for (const program of ['more', 'more-pthread', 'more-worker']) {
	test(`sockets of AF_INET6: ${program}`, async () => {
		const page = await world.newPage();
		await start(page, program, ['six', String(ports.first), String(ports.six)]);
		assert.deepEqual(await allPrintedBy(page, program), [...SIX, 'DONE']);
		await page.context().close();
	});
}

for (const program of ['bound', 'bound-pthread', 'bound-worker']) {
	test(`a UDP server in C: ${program}`, async () => {
		const port = await freePort();
		const page = await world.newPage();
		await page.addInitScript(() => {
			/** @type {any} */ (globalThis).sockmux = { listen: true };
		});
		await start(page, program, [`${port}`]);
		const printed = () => printedBy(page);
		await until(async () => (await printed()).some((line) => line.startsWith('BOUND')), 'the program is bound').catch(async (error) => {
			throw new Error(`${error.message}; printed: ${(await printed()).join(' | ')}`);
		});
		await until(async () => !await isFreeForDatagrams(port), 'the server is bound');
		const [one, other] = [await stranger(), await stranger()];
		for (let i = 1; i <= 20; i++) assert.equal(await (i % 2 ? one : other).ask(`text ${i}`, port), `${i} text ${i} of ${port}`);
		assert.equal(await one.ask('quit', port), `21 quit of ${port}`);
		await until(async () => (await printed()).includes('DONE 21'), 'the program ends');
		const lines = await printed();
		assert.deepEqual(lines.filter((line) => !line.startsWith('BOUND')), ['DENIED 1', 'DONE 21']);
		if (program !== 'bound') assert.ok(lines.includes(`BOUND 127.0.0.1:${port}`), lines.join(' | '));
		await until(() => isFreeForDatagrams(port), 'the port is free');
		one.stop();
		other.stop();
		await page.context().close();
	});
}

for (const program of ['bound-pthread', 'bound-worker']) {
	test(`a UDP server in C in a page that does not let it: ${program}`, async () => {
		const port = await freePort();
		const page = await world.newPage();
		await start(page, program, [`${port}`]);
		await until(async () => (await printedBy(page)).some((line) => line.startsWith('FAIL')), 'bind() has failed');
		assert.deepEqual(await printedBy(page), ['DENIED 1', `FAIL bind: ${EACCES}`]);
		await page.context().close();
	});
}

describe('sockmux.UDPSocket', () => {
	test('bound to a port: strangers are answered, and the port is free behind the page', async () => {
		const page = await world.newPage();
		await page.goto(`${world.site.origin}/emscripten.html`);
		const port = await freePort();
		const info = await page.evaluate(async (localPort) => {
			const socket = new /** @type {any} */ (globalThis).sockmux.UDPSocket({ localAddress: '127.0.0.1', localPort });
			const { readable, writable, ...rest } = await socket.opened;
			void readable.pipeTo(writable); // an echo server
			return rest;
		}, port);
		assert.deepEqual(info, { localAddress: '127.0.0.1', localPort: port });
		const one = await stranger();
		assert.equal(await one.ask('hello', port), `hello of ${port}`);
		const refused = await page.evaluate(async (localPort) => {
			const made = (/** @type {any} */ options) => new /** @type {any} */ (globalThis).sockmux.UDPSocket(options).opened.catch((/** @type {any} */ error) => error.cause.code);
			return [await made({ localAddress: '127.0.0.1', localPort }), await made({ localAddress: '127.0.0.1', localPort: 80 })];
		}, port);
		assert.deepEqual(refused, ['address_in_use', 'denied']);
		await page.context().close();
		await until(() => isFreeForDatagrams(port), 'the port is free');
		one.stop();
	});

	test('connected: boundaries, addresses, a refusal, the end', async () => {
		const page = await world.newPage();
		await page.goto(`${world.site.origin}/emscripten.html`);
		const got = await page.evaluate(async ({ first, closed }) => {
			const { sockmux } = /** @type {any} */ (globalThis);
			const socket = new sockmux.UDPSocket({ remoteAddress: '127.0.0.1', remotePort: first });
			const { readable, writable, remoteAddress, remotePort, localPort } = await socket.opened;
			const [reader, writer] = [readable.getReader(), writable.getWriter()];
			const sizes = [];
			for (const size of [3, 0, 65507]) {
				await writer.write({ data: new Uint8Array(size).fill(7) });
				const { value } = await reader.read();
				sizes.push(value.data.length, Object.keys(value).length);
			}
			const long = await writer.write({ data: new Uint8Array(65508) }).catch((/** @type {any} */ error) => error.message);
			reader.releaseLock();
			await socket.close().catch(() => {});
			const errors = /** @type {any[]} */ ([]);
			const other = new sockmux.UDPSocket({ remoteAddress: '127.0.0.1', remotePort: closed, onerror: (/** @type {any} */ error) => errors.push(error.cause.code) });
			const streams = await other.opened;
			const sender = streams.writable.getWriter();
			await sender.write({ data: new Uint8Array(1) });
			for (let i = 0; i < 1000 && errors.length === 0; i++) await new Promise((done) => { setTimeout(done, 5); });
			sender.releaseLock();
			await other.close();
			const denied = await new sockmux.UDPSocket({ remoteAddress: '10.0.0.1', remotePort: 9 }).opened.catch((/** @type {any} */ error) => `${error.name} ${error.cause.code}`);
			const bound = await new sockmux.UDPSocket({ localAddress: '0.0.0.0', localPort: 80 }).opened.catch((/** @type {any} */ error) => error.name);
			const nothing = await new sockmux.UDPSocket({}).opened.catch((/** @type {any} */ error) => error.name);
			return { sizes, long, remoteAddress, remotePort, local: localPort > 0, errors, denied, bound, nothing };
		}, ports);
		assert.deepEqual(got, {
			sizes: [3, 1, 0, 1, 65507, 1], long: 'a datagram of 65508 bytes, more than 65507', remoteAddress: '127.0.0.1', remotePort: ports.first, local: true,
			errors: ['refused'], denied: 'NotAllowedError denied', bound: 'NotAllowedError', nothing: 'TypeError',
		});
		await page.context().close();
	});

	test('bound: several peers by address and name, and what is too much is dropped', async () => {
		const page = await world.newPage();
		await page.goto(`${world.site.origin}/emscripten.html`);
		const got = await page.evaluate(async ({ first, second }) => {
			const { sockmux } = /** @type {any} */ (globalThis);
			const socket = new sockmux.UDPSocket({ localAddress: '0.0.0.0' });
			const { readable, writable, localPort } = await socket.opened;
			const [reader, writer] = [readable.getReader(), writable.getWriter()];
			const from = [];
			for (const [remoteAddress, remotePort] of [['127.0.0.1', first], ['localhost', second], ['127.0.0.1', first]]) {
				await writer.write({ data: new Uint8Array([1]), remoteAddress, remotePort });
				const { value } = await reader.read();
				from.push(`${value.remoteAddress}:${value.remotePort}`);
			}
			// 10 MB in one task: no queue takes them, and no write waits for the line.
			for (let i = 0; i < 10_000; i++) writer.write({ data: new Uint8Array(1000), remoteAddress: '127.0.0.1', remotePort: first });
			await writer.write({ data: new Uint8Array([2]), remoteAddress: '127.0.0.1', remotePort: first });
			let last = 0;
			let count = 0;
			const end = new Promise((done) => { setTimeout(done, 2000, { done: true }); });
			for (;;) {
				const { value, done } = await Promise.race([reader.read(), end]);
				if (done) break;
				last = value.data.length;
				count++;
			}
			return { local: localPort > 0, from, some: count > 0 && last > 0, fewer: count < 10_001 };
		}, ports);
		assert.deepEqual(got, { local: true, from: [`127.0.0.1:${ports.first}`, `localhost:${ports.second}`, `127.0.0.1:${ports.first}`], some: true, fewer: true });
		await page.context().close();
	});
});
