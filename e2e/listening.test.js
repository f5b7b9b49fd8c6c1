// Servers in C: bind(), listen(), accept() and what may be done with their sockets, in every
// kind of build that can wait (fixtures/emscripten/listening.c). What they print is compared with
// the native run.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { compileServers, runNative, startCases } from './harness/cases.js';
import { eachOf } from './harness/matrix.js';
import { score } from './harness/score.js';

const run = promisify(execFile);

/** What the cases print natively, by case. @type {Record<string, string[]>} */
const native = JSON.parse(await readFile(new URL('fixtures/emscripten/listening.json', import.meta.url), 'utf8'));

/** @typedef {import('./harness/builds.js').Build} Build */

/** @type {[name: string, kind: Build['kind']][]} */
const BUILDS = [
	['listening-jspi-6', 'classic'],
	['listening-jspi-es6-6', 'es6'],
	['listening-pthread-6', 'classic'],
	['listening-asyncify-library-6', 'classic'],
	['listening-asyncify-library-3', 'classic'],
	['listening-pthread-library-3', 'classic'],
	['listening-worker-3', 'worker'],
	['listening-worker-es6-3', 'worker-es6'],
	['listening-worker-es6-6', 'worker-es6'],
];

/** Emscripten 3 has no epoll. */
const ONLY_6 = ['epolls'];
/** A busy machine makes waits too long: a case that differs is run again. */
const TRIES = 3;
const AT_ONCE = 2;

const FLAGS = [
	'--allow-listen', 'tcp://*:1024-65535', '--allow', '127.0.0.1:1024-65535', '--allow', '[::1]:1024-65535',
	'--allow-listen', 'udp://*:1024-65535', '--allow', 'udp://127.0.0.1', '--allow', 'udp://[::1]',
];

describe('servers in C', () => {
	/** @type {Awaited<ReturnType<typeof startCases>>} */
	let world;
	before(async () => {
		world = await startCases({ flags: FLAGS, listen: true });
	}, { timeout: 120_000 });
	after(() => world.stop());

	test('the recorded lines are what Linux prints', async (t) => {
		const program = await compileServers();
		if (!program) return t.skip('gcc is missing');
		try {
			const { stdout } = await run(program.path, []);
			/** @type {Record<string, string[]>} */
			const ran = {};
			for (const name of stdout.trim().split('\n').sort()) ran[name] = await runNative(program.path, name, world.base);
			assert.deepEqual(ran, native);
		} finally {
			await program.stop();
		}
	});

	for (const [name, kind] of BUILDS) {
		test(name, async () => {
			/** @type {string[]} */
			const wrong = [];
			const cases = Object.keys(native).filter((each) => name.endsWith('-6') || !ONLY_6.includes(each));
			await eachOf(cases, AT_ONCE, async (each) => {
				let cell = '-';
				let all = '';
				for (let left = TRIES; left > 0 && cell.includes('-'); left--) {
					const ran = await world.runCase({ name, kind, title: name, program: 'cases' }, each, 'sockmux');
					cell = score(native[each], ran.results);
					all = ran.all.join('\n\t');
				}
				if (cell.includes('-')) wrong.push(`${each}: ${cell}\n\t${native[each].join('\n\t')}\n\n\t${all}`);
			});
			assert.deepEqual(wrong, [], wrong.join('\n'));
		});
	}
});
