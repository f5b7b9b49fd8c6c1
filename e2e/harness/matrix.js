// The matrix of the C programs: build x case x way, each cell compared with the native run.

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { BUILDS } from './builds.js';
import { best, score } from './score.js';

const FOLDER = new URL('../fixtures/emscripten/', import.meta.url);
/** What the cases print natively, by case. */
const NATIVE = new URL('native.json', FOLDER);
/** The cells of the last recorded run, by build and case: see score(). */
const RECORDED = new URL('matrix.json', FOLDER);

/** @typedef {import('./builds.js').Build} Build */
/** @typedef {{ plain: string, sockmux: string }} Cell */
/** @typedef {Record<string, Record<string, Cell>>} Matrix */

/** @param {URL} file @returns {Promise<any>} */
async function read(file) {
	return existsSync(fileURLToPath(file)) ? JSON.parse(await readFile(file, 'utf8')) : {};
}

/** @param {URL} file @param {unknown} value */
const write = (file, value) => writeFile(file, `${JSON.stringify(value, null, '\t')}\n`);

/** @returns {Promise<Record<string, string[]>>} */
export const readNative = () => read(NATIVE);
/** @param {Record<string, string[]>} native */
export const writeNative = (native) => write(NATIVE, native);
/** @returns {Promise<Matrix>} */
export const readMatrix = () => read(RECORDED);
/** @param {Matrix} matrix */
export const writeMatrix = (matrix) => write(RECORDED, matrix);

/**
 * The cases of a build: those of its program.
 * @param {Build} build
 * @param {Record<string, string[]>} native
 */
export function casesOf(build, native) {
	return Object.keys(native).filter((name) => name.startsWith('loop_') === (build.program === 'loop'));
}

/**
 * Every build and case, or the named ones.
 * @param {Record<string, string[]>} native
 * @param {{ builds?: string[], cases?: string[] }} [only]
 */
export function pairs(native, { builds, cases } = {}) {
	return BUILDS.filter((build) => !builds || builds.includes(build.name)).flatMap((build) =>
		casesOf(build, native).filter((name) => !cases || cases.includes(name)).map((name) => ({ build, name })));
}

/**
 * Runs one cell, again while it is not as wanted: a busy machine makes waits too long.
 * @param {Awaited<ReturnType<typeof import('./cases.js').startCases>>} world
 * @param {{ build: Build, name: string }} pair
 * @param {'plain' | 'sockmux'} way
 * @param {string[]} native
 * @param {{ wanted?: string, tries?: number }} [options]
 */
export async function runCell(world, { build, name }, way, native, { wanted = '+'.repeat(native.length), tries = 1 } = {}) {
	let cell = '-'.repeat(native.length);
	/** @type {string[]} */
	let all = [];
	for (let left = tries; left > 0; left--) {
		const run = await world.runCase(build, name, way);
		all = run.all;
		cell = best(cell, score(native, run.results));
		if ([...wanted].every((sign, index) => sign !== '+' || cell[index] === '+')) break;
	}
	return { cell, all };
}

/**
 * Runs jobs, some at once.
 * @template T
 * @param {T[]} jobs
 * @param {number} atOnce
 * @param {(job: T) => Promise<void>} run
 */
export async function eachOf(jobs, atOnce, run) {
	const rest = [...jobs];
	await Promise.all(Array.from({ length: atOnce }, async () => {
		for (let job = rest.shift(); job !== undefined; job = rest.shift()) await run(job);
	}));
}
