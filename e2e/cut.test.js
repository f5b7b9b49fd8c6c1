// A page that goes away in the midst of an upload: the target sees a reset, or all of it
// and then the end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

/** @type {Record<string, number>} */
let ports;

const world = suite({
	// A page that is gone in the midst of its last words leaves a session that ends with its time.
	flags: () => ['--grace', '2s'],
	async ready({ targets }) {
		ports = targets.ports;
	},
});

const ROUNDS = 20;

/**
 * Opens a page for one uninstall(), which ends its tunnel for good.
 * @param {(scope: any, port: number) => Promise<void>} act
 * @param {number} port
 * @param {'uninstall' | 'leave'} how
 */
async function cut(act, port, how) {
	const fresh = await world.newPage();
	await fresh.goto(`${world.site.origin}/bare.html`);
	const from = world.targets.connections.length;
	await fresh.evaluate(([run, at]) => (0, eval)(`(${run})`)(globalThis, at), /** @type {const} */ ([String(act), port]));
	if (how === 'uninstall') await fresh.evaluate(() => /** @type {any} */ (globalThis).sockmux.uninstall());
	else await fresh.goto('about:blank');
	const connection = await until(() => world.targets.connections.slice(from).find(({ end }) => end !== null), 'the target sees the end', 30_000);
	await fresh.context().close();
	return connection;
}


for (const how of /** @type {const} */ (['uninstall', 'leave'])) {
	const rounds = how === 'uninstall' ? ROUNDS : 4;
	test(`an upload that is cut is reset (${how})`, { timeout: 240_000 }, async () => {
		for (let i = 0; i < rounds; i++) {
			const { end } = await cut(async (scope, port) => {
				const s = scope.sockmux.connect('127.0.0.1', port);
				await s.opened;
				s.writable.getWriter().write(new Uint8Array(20_000_000)).catch(() => {});
				await new Promise((resolve) => { setTimeout(resolve, 5); });
			}, ports.recordslow, how);
			assert.equal(end, 'reset', `round ${i}`);
		}
	});

	test(`an upload whose end was written arrives whole or is reset (${how})`, { timeout: 240_000 }, async () => {

		for (let i = 0; i < rounds; i++) {
			const { bytes, end } = await cut(async (scope, port) => {
				const s = scope.sockmux.connect('127.0.0.1', port);
				await s.opened;
				const w = s.writable.getWriter();
				w.write(new Uint8Array(2_000_000)).catch(() => {});
				w.close().catch(() => {});
			}, ports.record, how);

			assert.ok(end === 'reset' || bytes === 2_000_000, `round ${i}: ${bytes} bytes, then ${end}`);
		}
	});

	test(`what was written and is not ended arrives, then the end (${how})`, { timeout: 240_000 }, async () => {
		/** @type {string[]} */
		const ends = [];
		for (let i = 0; i < rounds; i++) {
			const { bytes, end } = await cut(async (scope, port) => {
				const s = scope.sockmux.connect('127.0.0.1', port);
				await s.opened;
				await s.writable.getWriter().write(new Uint8Array(50_000));
			}, ports.record, how);
			assert.equal(bytes, 50_000, `round ${i}`);
			ends.push(String(end));
		}
		// A browser that is busy drops what a page sends while it is left, the goodbye
		// too: then the grace ends the stream.
		const clean = ends.filter((end) => end === 'fin').length;
		assert.ok(how === 'uninstall' ? clean === rounds : clean > 0, ends.join(', '));
	});
}
