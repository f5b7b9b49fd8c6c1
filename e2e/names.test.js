// sockmux.resolve(), and options of the target's socket, from a page to the server's kernel.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const world = suite({ flags: () => ['--demo'] });

/** @param {object} [options]  of the script */
async function open(options = {}) {
	const page = await world.newPage();
	await page.addInitScript((given) => {
		/** @type {any} */ (globalThis).sockmux = given;
	}, options);
	await page.goto(`${world.site.origin}/bare.html`);
	return page;
}

/** @param {import('./harness/suite.js').TestPage} page @param {[name: string, options?: object][]} names */
const ask = (page, names) => page.evaluate(async (asked) => {
	const { sockmux } = /** @type {any} */ (globalThis);
	const answers = await Promise.all(asked.map(([name, options]) => sockmux.resolve(name, options).then(
		(/** @type {any} */ { addresses, ttl }) => [addresses.join(' '), ttl > 0],
		(/** @type {any} */ error) => [error.name, error.code],
	)));
	return { answers, opened: sockmux.stats().opened };
}, names);

for (const worker of [false, true]) {
	test(`names are resolved by the server${worker ? ', with the tunnel in a worker' : ''}`, { timeout: 60_000 }, async () => {
		const page = await open({ worker });
		const { answers, opened } = await ask(page, [['demo.test'], ['demo.test', { family: 4 }], ['demo.test', { family: 6 }], ['none.test'], ['10.0.0.1'], ['a b']]);
		assert.deepEqual(answers, [
			['127.0.0.1', true], ['127.0.0.1', true], ['SocketError', 'name_not_found'], ['SocketError', 'name_not_found'],
			['SocketError', 'denied'], ['SocketError', 'invalid_request'],
		]);
		assert.equal(opened, 0, 'a question is no socket');
		await page.close();
	});
}

/**
 * What the system's table says of the connections to a port of loopback: the timer that
 * runs, and its seconds. proc_net_tcp.txt of Linux describes the columns; timer 2 is the
 * keepalive, times are in hundredths.
 * @param {number} port
 */
async function timersTo(port) {
	const wanted = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
	const rows = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n').slice(1).map((row) => row.trim().split(/\s+/));
	return rows.filter(([, , remote, state]) => remote === wanted && state === '01').map((row) => {
		const [timer, when] = row[5].split(':');
		return { timer: Number(timer), seconds: Number.parseInt(when, 16) / 100 };
	});
}

for (const worker of [false, true]) {
	test(`keepAliveDelay is the keepalive of the server's socket${worker ? ', with the tunnel in a worker' : ''}`, { timeout: 60_000 }, async () => {
		const page = await open({ worker });
		const port = world.targets.ports.silent;
		await page.evaluate(async (to) => {
			const { sockmux } = /** @type {any} */ (globalThis);
			const socket = sockmux.connect('127.0.0.1', to, { noDelay: false, keepAliveDelay: 7_100_000 });
			await socket.opened;
		}, port);
		// The server's own is a minute: no slowness makes that more than an hour.
		await until(async () => (await timersTo(port)).some(({ timer, seconds }) => timer === 2 && seconds > 3600), 'the keepalive of the page');
		await page.close();
	});
}
