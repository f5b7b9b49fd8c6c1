// ENet, a library for games: fixtures/enet as a client in the page, in a thread and in a worker,
// against the same program as a native server.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const FOLDER = fileURLToPath(new URL('out/enet', import.meta.url));
const ENSURE = fileURLToPath(new URL('../tools/ensure-enet', import.meta.url));

/** What the client prints, natively and here. */
const PRINTED = ['CONNECTED', 'RELIABLE 40 WRONG 0', 'UNRELIABLE some', 'DISCONNECTED', 'DONE'];

/** Why ENet is not tested; false: it is. */
const skip = (() => {
	try {
		execFileSync(ENSURE, [FOLDER], { stdio: ['ignore', 'ignore', 'inherit'] });
		return false;
	} catch (error) {
		if (process.env.SOCKMUX_REQUIRE_ENET) throw error;
		return 'ENet is not there: see what tools/ensure-enet says';
	}
})();

/** The port of ENet's server. */
let port = '';

const world = suite({
	flags: () => ['--allow', 'udp://127.0.0.1', '--allow', 'udp://localhost'],
	ready: async (it) => {
		if (skip) return;
		const server = spawn(`${FOLDER}/enet`, ['server'], { stdio: ['pipe', 'pipe', 'inherit'] });
		it.alsoStop({ stop: async () => void server.stdin.end() });
		for await (const line of createInterface(server.stdout)) {
			port = line.replace('PORT ', '');
			return;
		}
	},
});

test('natively', { skip }, () => {
	assert.deepEqual(execFileSync(`${FOLDER}/enet`, ['client', '127.0.0.1', port], { encoding: 'utf8' }).trim().split('\n'), PRINTED);
});

for (const [program, how, host] of [['asyncify', 'run', '127.0.0.1'], ['asyncify', 'run', 'localhost'], ['pthread', 'run', '127.0.0.1'], ['worker', 'runInWorker', '127.0.0.1']]) {
	test(`in Chromium: ${program}, to ${host}`, { skip }, async () => {
		const page = await world.newPage();
		await page.goto(`${world.site.origin}/emscripten.html`);
		await page.evaluate(([call, base, args]) => void (/** @type {any} */ (globalThis)[call])(base, args), /** @type {const} */ ([how, `/built/enet/${program}`, ['client', host, port]]));
		const printed = await until(async () => {
			const lines = await page.evaluate(() => /** @type {any} */ (globalThis).printed);
			return /^(DONE|FAILED|uncaught)/.test(lines.at(-1)) ? lines : null;
		}, `${program} to be done`, 60_000);
		assert.deepEqual(printed, PRINTED);
		assert.equal(page.carriers.length, 1, page.carriers.join(' '));
		await page.context().close();
	});
}
