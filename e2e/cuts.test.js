// Connections between a page in Chromium and the server that are lost at random, also in the
// midst of their handshakes: no socket of the page is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CUTS, startProxy } from './harness/proxy.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const SOCKETS = 20;

/** How many connections are lost: few in `make test`, 200 in `make soak`. */
const LOSSES = process.env.SOCKMUX_SOAK ? 200 : 21;

/** How late a hello is, and how late it may be. */
const LATE_MS = 1500;
const HANDSHAKE_MS = 700;

/** @type {Awaited<ReturnType<typeof startProxy>>} */
let proxy;

const world = suite({
	flags: () => ['--keepalive', '1s', '--handshake-timeout', `${HANDSHAKE_MS}ms`],
	async ready({ sockmux, alsoStop }) {
		proxy = await startProxy(sockmux.port);
		alsoStop(proxy);
	},
});

/** A page with conversations over the proxy. */
async function talking() {
	const page = await world.newPage();
	await page.addInitScript((url) => {
		const scope = /** @type {any} */ (globalThis);
		scope.sockmux = { url };
		scope.busyBeforeOpen = 0;
		// Once a test has said for how long, the page's thread is taken when the next
		// WebSocket is open and before the script is told.
		scope.WebSocket = class extends WebSocket {
			/** @param {ConstructorParameters<typeof WebSocket>} args */
			constructor(...args) {
				super(...args);
				this.addEventListener('open', () => {
					const end = performance.now() + scope.busyBeforeOpen;
					scope.busyBeforeOpen = 0;
					while (performance.now() < end);
				});
			}
		};
	}, proxy.origin);
	await page.goto(`${world.site.origin}/talk.html`);
	await page.evaluate(([port, sockets]) => {
		const scope = /** @type {any} */ (globalThis);
		scope.states = [];
		scope.sockmux.on('state', (/** @type {any} */ { state, reason }) => scope.states.push(`${state} ${reason?.name ?? ''}`));
		scope.conversations = Array.from({ length: sockets }, (_, i) => scope.converse(port, i + 1));
	}, [world.targets.ports.echo, SOCKETS]);
	const seen = () => page.evaluate(() => /** @type {any} */ (globalThis).talk);
	await until(async () => (await seen()).exchanges >= 2 * SOCKETS, 'all sockets talk', 60_000);
	return {
		page,
		seen,
		/** Waits for so many exchanges more. */
		async goOn(/** @type {number} */ more) {
			const { exchanges } = await seen();
			await until(async () => {
				const now = await seen();
				return now.exchanges >= exchanges + more || now.lost.length > 0;
			}, 'the conversations go on', 120_000);
		},
		/** Ends the conversations and returns what they have seen. */
		async ended() {
			await page.evaluate(async () => {
				const scope = /** @type {any} */ (globalThis);
				scope.talk.running = false;
				await Promise.all(scope.conversations);
			});
			const all = { ...await seen(), states: await page.evaluate(() => /** @type {any} */ (globalThis).states) };
			await page.context().close();
			return all;
		},
	};
}

/** @param {any} seen */
function assertNothingLost(seen) {
	assert.deepEqual(seen.lost, [], `states ${seen.states.join(', ')}`);
	assert.equal(seen.wrong, 0, 'wrong bytes');
	assert.equal(seen.ended, SOCKETS);
}

// Each random number is the next of this sequence, so that a run can be repeated.
const random = (() => {
	let state = Number(process.env.SEED ?? 1) * 2654435761 >>> 0 || 1;
	return (/** @type {number} */ below) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
})();

const pause = (/** @type {number} */ ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

test(`${LOSSES} losses at random times`, { timeout: 1_500_000 }, async (t) => {
	const talk = await talking();
	/** @type {Record<string, number>} */
	const of = {};
	for (let i = 0; i < LOSSES; i++) {
		// Some fall into the handshake of the next connection, most hit one that works.
		await pause([0, 5, 30, 150, 500, 1500][random(6)]);
		if (random(4) > 0) await talk.goOn(1 + random(SOCKETS));
		const how = CUTS[random(CUTS.length)];
		proxy.lateMs = random(4) === 0 ? LATE_MS : 0;
		of[how] = (of[how] ?? 0) + 1;
		proxy.cut(how);
	}
	proxy.lateMs = 0;
	await talk.goOn(2 * SOCKETS);
	const seen = await talk.ended();
	t.diagnostic(`${LOSSES} losses (${Object.entries(of).map(([how, n]) => `${n} ${how}`).join(', ')}), ${proxy.taken} connections, ${seen.exchanges} exchanges, ${(seen.bytes / 1e6).toFixed(1)} MB: ${seen.lost.length} sockets lost, ${seen.wrong} wrong bytes, longest interruption ${(seen.longest / 1000).toFixed(1)} s`);
	assertNothingLost(seen);
});

test('a hello that is later than the server waits, behind a reset', { timeout: 120_000 }, async () => {
	const talk = await talking();
	const { taken } = proxy;
	proxy.lateMs = LATE_MS;
	proxy.cut('reset');
	await until(() => proxy.taken > taken, 'the page comes back', 30_000);
	proxy.lateMs = 0;
	await talk.goOn(2 * SOCKETS);
	assertNothingLost(await talk.ended());
});

test('a page with a long task between the reset and its hello', { timeout: 120_000 }, async () => {
	const talk = await talking();
	const late = () => world.sockmux.logs.filter((line) => line.includes('handshake_timeout')).length;
	const before = late();
	await talk.page.evaluate((busy) => {
		/** @type {any} */ (globalThis).busyBeforeOpen = busy;
	}, LATE_MS + 1000);
	proxy.cut('reset');
	await talk.goOn(2 * SOCKETS);
	assertNothingLost(await talk.ended());
	assert.ok(late() > before, 'no hello was late');
});

test('a proxy that holds answers back: one error, and no session that is lost and resumed', { timeout: 120_000 }, async () => {
	proxy.holds = true;
	const page = await world.newPage();
	try {
		await page.addInitScript((url) => {
			/** @type {any} */ (globalThis).sockmux = { url };
		}, proxy.origin);
		await page.goto(`${world.site.origin}/talk.html`);
		const seen = await page.evaluate(async (port) => {
			const { sockmux } = /** @type {any} */ (globalThis);
			/** @type {string[]} */
			const states = [];
			sockmux.on('state', (/** @type {any} */ { state }) => states.push(state));
			const began = performance.now();
			const socket = sockmux.connect('127.0.0.1', port);
			socket.closed.catch(() => {});
			let error = null;
			try {
				await socket.opened;
				await socket.closed;
			} catch (/** @type {any} */ reason) {
				error = { code: reason.code, message: reason.message };
			}
			while (sockmux.status.state !== 'closed') await new Promise((resolve) => { setTimeout(resolve, 20); });
			return { error, states, took: performance.now() - began };
		}, world.targets.ports.echo);
		assert.equal(seen.error?.code, 'not_connected', JSON.stringify(seen));
		assert.match(seen.error?.message, /proxy/);
		assert.ok(seen.states.filter((state) => state === 'open').length <= 1, seen.states.join(', '));
		assert.ok(seen.took < 60_000, `${seen.took} ms`);
	} finally {
		proxy.holds = false;
		await page.context().close();
	}
});
