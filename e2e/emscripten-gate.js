// The whole gate (make test-emscripten): each C program in each build natively, with
// plain Emscripten and websockify, and with sockmux. No line may be worse than plain, nor
// worse than in matrix.json. emscripten-cases.test.js has the part that runs with the
// other tests.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BUILDS } from './harness/builds.js';
import { compileNative, runNative, startCases } from './harness/cases.js';
import { readLeft, required, uncovered, unused } from './harness/left.js';
import { casesOf, eachOf, readMatrix, readNative, runCell } from './harness/matrix.js';
import { best, score, worse } from './harness/score.js';

/** A busy machine makes waits too long: a cell that differs is run again. */
const TRIES = 4;
const AT_ONCE = Number(process.env.AT_ONCE ?? 4);

const native = await readNative();
const recorded = await readMatrix();
const left = await readLeft();
/** @type {Awaited<ReturnType<typeof startCases>>} */
let world;

before(async () => { world = await startCases(); }, { timeout: 120_000 });
after(() => world.stop());

test('natively: as in native.json', async (context) => {
	const programs = await compileNative();
	if (!programs) return void context.diagnostic('no gcc: the recorded values count');
	/** @type {string[]} */
	const differ = [];
	await eachOf(Object.keys(native), AT_ONCE, async (name) => {
		const program = name.startsWith('loop_') ? programs.loop : programs.cases;
		let cell = '-'.repeat(native[name].length);
		for (let tries = TRIES; tries > 0 && cell.includes('-'); tries--) {
			cell = best(cell, score(native[name], await runNative(program, name, world.base)));
		}
		if (cell.includes('-')) differ.push(`${name} ${cell}`);
	});
	await programs.stop();
	assert.deepEqual(differ, []);
});

test('every build and case is recorded (make record-emscripten)', () => {
	for (const build of BUILDS) {
		for (const name of casesOf(build, native)) {
			const { plain, sockmux } = recorded[build.name]?.[name] ?? { plain: '', sockmux: '' };
			assert.equal(plain.length, native[name].length, `${build.name} ${name}`);
			assert.equal(sockmux.length, native[name].length, `${build.name} ${name}`);
		}
	}
});

test('what is not as native has a reason, and each reason is in use', async () => {
	assert.deepEqual(uncovered(left, recorded), []);
	assert.deepEqual(unused(left, recorded), []);
});

describe('no cell worse than plain or than recorded', () => {
	for (const build of BUILDS) {
		test(build.name, async () => {
			/** @type {string[]} */
			const wrong = [];
			await eachOf(casesOf(build, native), AT_ONCE, async (name) => {
				const pair = { build, name };
				const { cell: plain } = await runCell(world, pair, 'plain', native[name]);
				const wanted = best(required(left, { build: build.name, name, plain }), recorded[build.name]?.[name]?.sockmux ?? '');
				const { cell, all } = await runCell(world, pair, 'sockmux', native[name], { wanted, tries: TRIES });
				if (worse(cell, wanted)) wrong.push(`${name}: ${cell}, wanted ${wanted}\n\t${all.join('\n\t')}`);
			});
			assert.deepEqual(wrong, [], wrong.join('\n'));
		});
	}
});
