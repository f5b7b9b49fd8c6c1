// What is not as native, each with its reason: fixtures/emscripten/left.json.

import { readFile } from 'node:fs/promises';

const FILE = new URL('../fixtures/emscripten/left.json', import.meta.url);

/**
 * @typedef {object} Left
 * @property {string} reason
 * @property {string[]} cases
 * @property {string} [builds]  a regular expression; all builds if it is missing
 * @property {boolean} [worse]  lines that plain Emscripten has right by not waiting, or by keeping
 *   everything, are lost; the reason says why that is taken
 */
/** @typedef {import('./matrix.js').Matrix} Matrix */

/** @returns {Promise<Left[]>} */
export const readLeft = async () => JSON.parse(await readFile(FILE, 'utf8'));

/** @param {Left} left @param {string} build @param {string} name */
function covers(left, build, name) {
	return left.cases.includes(name) && new RegExp(left.builds ?? '').test(build);
}

/**
 * What a cell with sockmux must have: what plain Emscripten has right, but where a reason
 * says otherwise.
 * @param {Left[]} list
 * @param {{ build: string, name: string, plain: string }} cell
 */
export function required(list, { build, name, plain }) {
	return list.some((left) => left.worse && covers(left, build, name)) ? '-'.repeat(plain.length) : plain;
}

/** The cells that are not as native. @param {Matrix} matrix */
function differing(matrix) {
	return Object.entries(matrix).flatMap(([build, cases]) => Object.entries(cases)
		.filter(([, { sockmux }]) => sockmux.includes('-')).map(([name]) => ({ build, name })));
}

/** The cells without a reason. @param {Left[]} list @param {Matrix} matrix */
export function uncovered(list, matrix) {
	return differing(matrix).filter(({ build, name }) => !list.some((left) => covers(left, build, name)))
		.map(({ build, name }) => `${build} ${name}`);
}

/** The reasons, or cases of them, without a cell. @param {Left[]} list @param {Matrix} matrix */
export function unused(list, matrix) {
	const cells = differing(matrix);
	return list.flatMap((left) => left.cases.filter((name) => !cells.some((cell) => cell.name === name && covers(left, cell.build, name)))
		.map((name) => `${name}: ${left.reason}`));
}

/** The builds for which a reason counts. @param {Left} left @param {Matrix} matrix */
export function buildsOf(left, matrix) {
	return [...new Set(differing(matrix).filter(({ build, name }) => covers(left, build, name)).map(({ build }) => build))];
}
