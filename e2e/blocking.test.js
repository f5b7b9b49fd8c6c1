// C programs that block in a dedicated worker, compiled without ASYNCIFY and JSPI, in a page that
// has only the script tag. What they print is compared with the native run.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NESTED_BUILDS, THREADED_BUILDS, WORKER_BUILDS } from './harness/builds.js';
import { startCases } from './harness/cases.js';
import { eachOf, readNative, runCell } from './harness/matrix.js';

/** Every kind of call that blocks, and what ends it. */
const CASES = ['textbook', 'read_blocks', 'recv_blocks_eof', 'rcvtimeo', 'sndtimeo', 'connect_sndtimeo', 'send_blocks', 'waitall_big',
	'waitall_timeo', 'peek_blocks', 'refused_blocking', 'reconnect_same_fd', 'reset_wakes', 'two_sockets', 'stdio', 'redis_blocking', 'half_close',
	'shutdown_rd', 'poll_wakes', 'poll_several', 'poll_timeout', 'poll_shutdown', 'select_sets', 'refused_select', 'nb_connect', 'nb_refused', 'blocking_names',
	'names_literal', 'options_before_connect', 'linger_zero', 'close_flushes', 'bulk_blocking', 'writev_big', 'slow_reader'];
/** The calls of other workers are the same; what differs is how the layer comes in. */
const FEW_CASES = ['textbook', 'rcvtimeo', 'poll_wakes', 'select_sets', 'refused_blocking', 'dup', 'dup_shares', 'dup3_'];
/** Calls of threads wait in other code. */
const THREAD_CASES = ['textbook', 'rcvtimeo', 'sndtimeo', 'waitall_timeo', 'poll_wakes', 'poll_shutdown', 'refused_blocking', 'two_sockets', 'half_close', 'blocking_names', 'bulk_blocking', 'options_more'];
/** Those of which Emscripten 3 has no stub in the program. */
const OLDER_THREAD_CASES = ['recv_blocks_eof', 'read_blocks', 'peek_blocks', 'reset_wakes', 'poll_several', 'nb_connect', 'fin_first', 'blocking_names'];
/** A busy machine makes waits too long: a cell that differs is run again. */
const TRIES = 3;
const AT_ONCE = 3;

const native = await readNative();

describe('C programs that block in a worker', () => {
	/** @type {Awaited<ReturnType<typeof startCases>>} */
	let world;
	before(async () => { world = await startCases(); }, { timeout: 120_000 });
	after(() => world.stop());

	/** @type {[builds: import('./harness/builds.js').Build[], cases: string[]][]} */
	const chosen = [
		[WORKER_BUILDS.filter(({ kind }) => kind === 'worker'), CASES],
		[WORKER_BUILDS.filter(({ kind }) => kind !== 'worker'), FEW_CASES],
		[NESTED_BUILDS, FEW_CASES],
		[THREADED_BUILDS.filter(({ name }) => name !== 'cases-pthread-3'), THREAD_CASES],
		[THREADED_BUILDS.filter(({ name }) => name === 'cases-pthread-3'), OLDER_THREAD_CASES],
	];
	for (const [build, cases] of chosen.flatMap(([builds, names]) => builds.map((each) => /** @type {const} */ ([each, names])))) {
		test(build.title, async () => {
			/** @type {string[]} */
			const wrong = [];
			await eachOf(cases, AT_ONCE, async (name) => {
				const { cell, all } = await runCell(world, { build, name }, 'sockmux', native[name], { tries: TRIES });
				if (cell.includes('-')) wrong.push(`${name}: ${cell}\n\t${native[name].join('\n\t')}\n\t${all.join('\n\t')}`);
			});
			assert.deepEqual(wrong, [], wrong.join('\n'));
		});
	}
});
