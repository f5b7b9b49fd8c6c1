// The script beside everything else that a page has: the page's own WebSockets, a second
// script, no wasm, no server, and its own removal.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { startSite } from './harness/site.js';
import { startSockmux } from './harness/sockmux.js';
import { until } from './harness/until.js';

const world = suite({ flags: () => ['--demo'] });

/** @param {string} file */
async function open(file) {
	const page = await world.newPage();
	await page.goto(`${world.site.origin}/${file}`);
	return page;
}

const echo = (/** @type {import('playwright-core').Page} */ page, /** @type {string} */ url, /** @type {string | string[] | undefined} */ protocols) =>
	page.evaluate(([u, p]) => /** @type {any} */ (globalThis).echo(u, p, 'hello'), /** @type {const} */ ([url, protocols]));

test('the page\'s own WebSockets and those of other forms stay native', async () => {
	const page = await open('bare.html');
	const own = world.site.origin.replace('http', 'ws');
	/** @type {[string, string | string[] | undefined, string][]} */
	const cases = [
		[`${own}/echo`, undefined, ''],
		[`${own}/echo`, ['chat', 'binary'], 'chat'],
		[`${own}/`, 'binary', 'binary'], // the form of SOCKFS, but to the page's own origin
		[`${own}/`, undefined, ''],
	];
	for (const [url, protocols, protocol] of cases) {
		const answer = await echo(page, url, protocols);
		assert.equal(answer.text, 'hello', url);
		assert.equal(answer.protocol, protocol, url);
		assert.deepEqual(answer.events, ['open', 'message', 'close']);
	}
	assert.equal(page.carriers.filter((url) => url.startsWith(own)).length, cases.length);
	assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).sockmux.stats().opened), 0, 'none went through the tunnel');
	const native = await page.evaluate((url) => {
		const socket = new WebSocket(url);
		const answer = { own: Object.getOwnPropertyNames(socket).length, text: Function.prototype.toString.call(WebSocket.prototype.send).includes('native code'), instance: socket instanceof WebSocket };
		socket.close();
		return answer;
	}, `${own}/echo`);
	assert.deepEqual(native, { own: 0, text: true, instance: true });
	await page.context().close();
});

test('native and tunneled sockets at the same time, and a subclass of the page\'s', async () => {
	const page = await open('bare.html');
	const answers = await page.evaluate(async ([native, tunneled]) => {
		class Counting extends WebSocket {
			sent = 0;
			/** @param {any} data */
			count(data) {
				this.sent++;
				this.send(data);
			}
		}
		const counting = new Counting(tunneled, 'binary');
		await new Promise((resolve) => { counting.addEventListener('open', resolve); });
		const message = new Promise((resolve) => { counting.addEventListener('message', ({ data }) => resolve(data.text())); });
		counting.count('counted');
		const subclass = [counting instanceof Counting, counting instanceof WebSocket, await message, counting.sent];
		counting.close();
		const both = await Promise.all([native, tunneled].map((url) => /** @type {any} */ (globalThis).echo(url, 'binary', 'both')));
		return { subclass, both: both.map(({ text }) => text) };
	}, [`${world.site.origin.replace('http', 'ws')}/echo`, `ws://127.0.0.1:${world.targets.ports.echo}/`]);
	assert.deepEqual(answers, { subclass: [true, true, 'counted', 1], both: ['both', 'both'] });
	await page.context().close();
});

test('the script twice installs once', async () => {
	const page = await open('twice.html');
	const found = await page.evaluate(() => {
		const { sockmux, first, facade } = /** @type {any} */ (globalThis);
		return { same: sockmux === first, facade: WebSocket === facade };
	});
	assert.deepEqual(found, { same: true, facade: true });
	assert.equal((await echo(page, `ws://127.0.0.1:${world.targets.ports.echo}/`, 'binary')).text, 'hello');
	assert.equal(page.carriers.length, 1);
	await page.context().close();
});

test('uninstall() ends the sockets and puts the page\'s own constructors back', async () => {
	const page = await open('twice.html');
	const found = await page.evaluate(async (url) => {
		const scope = /** @type {any} */ (globalThis);
		const living = scope.openSocket(url, 'binary');
		await living.opened();
		const changed = [WebSocket !== scope.nativeWebSocket, Worker !== scope.nativeWorker];
		scope.first.uninstall();
		const events = await living.closed();
		return {
			changed, events: events.map((/** @type {any} */ e) => e.type),
			restored: [WebSocket === scope.nativeWebSocket, Worker === scope.nativeWorker, scope.sockmux === undefined],
		};
	}, `ws://127.0.0.1:${world.targets.ports.silent}/`);
	assert.deepEqual(found, { changed: [true, true], events: ['open', 'error', 'close'], restored: [true, true, true] });
	// What SOCKFS would make is a native socket now, and no target there speaks WebSocket.
	const events = await page.evaluate((url) => /** @type {any} */ (globalThis).openSocket(url, 'binary').closed(), `ws://127.0.0.1:${world.targets.ports.line}/`);
	assert.deepEqual(events.map((/** @type {any} */ e) => [e.type, e.code]), [['error', undefined], ['close', 1006]]);
	await page.context().close();
});

test('where the wasm is missing each socket gets error and close, and the console one line that says what to do', async () => {
	const page = await open('nowasm.html');
	const all = await page.evaluate((url) => Promise.all([1, 2, 3].map(() => /** @type {any} */ (globalThis).openSocket(url, 'binary').closed())),
		`ws://127.0.0.1:${world.targets.ports.echo}/`);
	for (const events of all) {
		assert.deepEqual(events.map((/** @type {any} */ e) => e.type), ['error', 'close']);
		assert.equal(events[1].code, 4025);
		assert.match(events[1].reason, /^not_connected: .*404/);
	}
	const said = page.lines.filter((line) => line.includes('sockmux:'));
	assert.equal(said.length, 1, said.join('\n'));
	assert.match(said[0], /wasm could not be started.*404.*Check that the server runs/);
	assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).sockmux.status.state), 'failed');
	// The page's own sockets are none the worse for it.
	assert.equal((await echo(page, `${world.site.origin.replace('http', 'ws')}/echo`, undefined)).text, 'hello');
	await page.context().close();
});

/**
 * A free port below those that systems give to programs that ask for any (Linux: from
 * 32768 on, others: from 49152 on), so that it is still free when a server comes back to
 * it.
 */
async function lastingPort() {
	for (;;) {
		const port = 20_000 + Math.floor(10_000 * Math.random());
		const probe = createServer();
		const free = await new Promise((resolve) => { probe.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)); });
		if (!free) continue;
		await new Promise((resolve) => { probe.close(resolve); });
		return port;
	}
}

/** A site with a server of its own that can go and come back on the same port. */
async function apart() {
	const words = { SERVER: '' };
	const site = await startSite({ words });
	world.alsoStop(site);
	const flags = ['--listen', `127.0.0.1:${await lastingPort()}`, '--allow-origin', site.origin, '--allow', `127.0.0.1:${world.targets.ports.echo}`, '--drain-timeout', '0'];
	const server = await startSockmux(flags);
	words.SERVER = server.origin;
	const page = await world.newPage();
	await page.goto(`${site.origin}/bare.html`);
	const url = `ws://127.0.0.1:${world.targets.ports.echo}/`;
	const opened = await page.evaluate((u) => {
		const scope = /** @type {any} */ (globalThis);
		scope.living = scope.openSocket(u, 'binary');
		return scope.living.opened().then(() => scope.living.socket.readyState);
	}, url);
	assert.equal(opened, 1);
	return {
		page, server, url,
		ended: () => page.evaluate(() => /** @type {any} */ (globalThis).living.closed()),
		async comeBack() {
			const again = await startSockmux(flags);
			world.alsoStop(again);
		},
	};
}

test('while the server is away sockets end, and say why; when it is back, new ones work without a reload', async () => {
	const { page, server, url, ended, comeBack } = await apart();
	assert.equal(await server.stop(), 0, 'SIGTERM is a clean end');
	const events = await ended();
	assert.deepEqual(events.map((/** @type {any} */ e) => e.type), ['open', 'error', 'close'], JSON.stringify(events));
	assert.ok(events[2].code >= 4001 && events[2].code <= 4025, JSON.stringify(events[2]));
	assert.notEqual(events[2].reason, '');
	await comeBack();
	await until(async () => (await echo(page, url, 'binary')).text === 'hello', 'an echo by the new server', 30_000);
	await page.context().close();
});

test('a server killed without a word: the page finds the next one, the old socket ends and a new one works', async () => {
	const { page, server, url, ended, comeBack } = await apart();
	server.signal('SIGKILL');
	await server.stop();
	await until(async () => (await page.evaluate(() => /** @type {any} */ (globalThis).sockmux.status.state)) !== 'open', 'the page to notice');
	await comeBack();
	const events = await ended();
	assert.deepEqual(events.map((/** @type {any} */ e) => e.type), ['open', 'error', 'close'], JSON.stringify(events));
	assert.match(events[2].reason, /unknown_session|session_lost/);
	assert.equal((await echo(page, url, 'binary')).text, 'hello');
	await page.context().close();
});
