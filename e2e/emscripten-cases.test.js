// C programs with sockmux beside their native values: a choice of builds and cases. The
// whole matrix is make test-emscripten.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { BUILDS } from './harness/builds.js';
import { startCases } from './harness/cases.js';
import { readLeft, required } from './harness/left.js';
import { casesOf, eachOf, readMatrix, readNative, runCell } from './harness/matrix.js';
import { best, worse } from './harness/score.js';
import { SILENT_LISTENER } from './harness/services.js';
import { DOCUMENT, withTables } from './harness/tables.js';
import { until } from './harness/until.js';

const native = await readNative();
const recorded = await readMatrix();
const left = await readLeft();

/** Cases of each kind that take little time. */
const QUICK = ['echo10', 'peek', 'msg', 'half_close', 'shutdown_rdwr', 'reset', 'nb_refused', 'refused_blocking',
	'reconnect_same_fd', 'read_blocks', 'textbook', 'waitall', 'rcvtimeo', 'options_before_connect', 'options_unknown', 'bad_sets', 'bad_descriptors', 'bad_states', 'nonblock_back', 'names_hints', 'names_info',
	'socket_types', 'dup', 'names_literal', 'names_empty', 'poll_pipe', 'poll_wakes', 'poll_room', 'close_flushes'];
/** One build for each way in which a program waits, and all that never wait. */
const CHOSEN = BUILDS.filter(({ name, program }) => recorded[name] && (program === 'loop'
	|| ['cases-asyncify-6', 'cases-jspi-modularize-6', 'cases-pthread-6', 'cases-pthread-3'].includes(name)));
/** A busy machine makes waits too long: a cell that differs is run again. */
const TRIES = 4;
const AT_ONCE = 3;

test('no recorded cell is worse than plain, but for those with a reason', () => {
	const bad = Object.entries(recorded).flatMap(([build, cases]) => Object.entries(cases)
		.filter(([name, { plain, sockmux }]) => worse(sockmux, required(left, { build, name, plain }))).map(([name]) => `${build} ${name}`));
	assert.deepEqual(bad, []);
});

test('docs/EMSCRIPTEN.md has the tables of the recorded run', async () => {
	const text = await readFile(DOCUMENT, 'utf8');
	assert.equal(text, await withTables(text), 'run node e2e/emscripten-matrix.js --docs');
});

describe('with sockmux', () => {
	/** @type {Awaited<ReturnType<typeof startCases>>} */
	let world;
	before(async () => { world = await startCases(); }, { timeout: 120_000 });
	after(() => world.stop());

	test('close() while connecting ends the dial of the server', async () => {
		for (const build of CHOSEN.filter(({ name }) => name === 'cases-jspi-modularize-6' || name === 'cases-pthread-6')) {
			const earlier = world.logs.length;
			await runCell(world, { build, name: 'close_connecting' }, 'sockmux', native.close_connecting);
			const target = `127.0.0.1:${world.base + SILENT_LISTENER}`;
			const line = await until(() => world.logs.slice(earlier).find((/** @type {string} */ text) => text.includes(`"target":"${target}"`)), `the end of the dial to ${target}`);
			assert.match(line, /"code":"aborted".*operation was canceled/);
		}
	});

	for (const build of CHOSEN) {
		test(build.name, async () => {
			/** @type {string[]} */
			const wrong = [];
			const names = casesOf(build, native)
				.filter((name) => recorded[build.name][name]?.sockmux && (build.program === 'loop' || QUICK.includes(name)));
			await eachOf(names, AT_ONCE, async (name) => {
				const { plain, sockmux } = recorded[build.name][name];
				const wanted = best(sockmux, required(left, { build: build.name, name, plain }));
				const { cell, all } = await runCell(world, { build, name }, 'sockmux', native[name], { wanted, tries: TRIES });
				if (worse(cell, wanted)) wrong.push(`${name}: ${cell}, wanted ${wanted}\n\t${all.join('\n\t')}`);
			});
			assert.deepEqual(wrong, [], wrong.join('\n'));
		});
	}
});
