// Emscripten's full POSIX sockets (-sPROXY_POSIX_SOCKETS): fixtures/posix, whose calls come to the
// server over a WebSocket of its own. What it prints is compared with what the same program prints
// natively, line by line.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { freePort } from './harness/ports.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

/** In the order of the program's arguments, before that of datagrams and the one to listen on. */
const SERVICES = ['echo', 'silent', 'halfclose', 'reset', 'refused'];

/**
 * What differs from Linux, by the line that Linux has: faults of the library that Emscripten links
 * (docs/EMSCRIPTEN.md).
 * @type {Record<string, string>}
 */
const DIFFERENT = {
	'names: getpeername 0': 'names: getpeername -1 EOPNOTSUPP',
	'server: from loopback': 'server: from nowhere',
};

const expected = (await readFile(new URL('fixtures/posix/expected.txt', import.meta.url), 'utf8')).trim().split('\n');
const CASES = [...new Set(expected.slice(0, -1).map((line) => line.split(':')[0]))];

const datagrams = createSocket('udp4');
datagrams.on('message', (message, { port, address }) => datagrams.send(message, port, address));
datagrams.bind(0, '127.0.0.1');
await once(datagrams, 'listening');
datagrams.unref();

const listenPort = await freePort();

const world = suite({
	flags: () => ['--allow-posix', '--allow', `127.0.0.1:${datagrams.address().port}`, '--allow', `127.0.0.1:${listenPort}`, '--allow-listen', `127.0.0.1:${listenPort}`],
});

/** @param {import('./harness/suite.js').TestPage} page @param {string} url  of the bridge */
async function run(page, url) {
	await page.goto(`${world.site.origin}/posix.html`);
	const ports = [...SERVICES.map((name) => world.targets.ports[name]), datagrams.address().port, listenPort];
	await page.evaluate((args) => /** @type {any} */ (globalThis).run(args), [url, ...ports.map(String)]);
	const lines = () => page.evaluate(() => /** @type {string[]} */ (/** @type {any} */ (globalThis).printed));
	await until(async () => (await lines()).includes('done'), 'the program to be done', 60_000).catch(async (error) => {
		throw new Error(`${error.message}; printed: ${(await lines()).join(' | ')}`);
	});
	return lines();
}

const bridge = (/** @type {string} */ origin) => `${origin.replace('http', 'ws')}/v1/posix`;

describe('a program of Emscripten 3.1.6', () => {
	/** @type {string[]} */
	let printed = [];

	test('runs to its end in one WebSocket', async () => {
		const page = await world.newPage();
		printed = await run(page, bridge(world.sockmux.origin));
		assert.deepEqual(page.carriers, [bridge(world.sockmux.origin)]);
		await page.context().close();
	});

	for (const name of CASES) {
		test(name, () => {
			const of = (/** @type {string[]} */ lines) => lines.filter((line) => line.startsWith(`${name}: `));
			assert.deepEqual(of(printed), of(expected).map((line) => DIFFERENT[line] ?? line));
		});
	}
});

test('a server that does not serve such programs, and a page of another site', async () => {
	const off = await startSockmux(['--allow-origin', world.site.origin]);
	world.alsoStop(off);
	const stranger = await startSockmux(['--allow-posix']);
	world.alsoStop(stranger);
	for (const server of [off, stranger]) {
		const page = await world.newPage();
		assert.deepEqual(await run(page, bridge(server.origin)), ['no server', 'done']);
		await page.context().close();
	}
});
