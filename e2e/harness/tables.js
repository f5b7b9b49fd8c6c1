// The tables in docs/EMSCRIPTEN.md, made of the recorded run.

import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { BUILDS } from './builds.js';
import { buildsOf, readLeft } from './left.js';
import { casesOf, readMatrix, readNative } from './matrix.js';

export const DOCUMENT = fileURLToPath(new URL('../../docs/EMSCRIPTEN.md', import.meta.url));
const SOURCES = new URL('../fixtures/emscripten/cases/', import.meta.url);

/** @typedef {import('./matrix.js').Matrix} Matrix */

/** The kind of each case: the file that has it. @returns {Promise<Map<string, string>>} */
async function kinds() {
	/** @type {Map<string, string>} */
	const found = new Map();
	for (const file of (await readdir(SOURCES)).filter((name) => name.endsWith('.c')).sort()) {
		const text = await readFile(new URL(file, SOURCES), 'utf8');
		for (const [, name] of text.matchAll(/^CASE\((\w+)\)/gm)) found.set(name, file.slice(0, -2));
	}
	return found;
}

/** @param {string[][]} rows */
function table(rows) {
	const [head, ...rest] = rows;
	return [head, head.map(() => '---'), ...rest].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** "sockmux (plain) of all". @param {{ plain: string, sockmux: string }[]} cells */
function summary(cells) {
	const native = (/** @type {'plain' | 'sockmux'} */ way) => cells.filter((cell) => !cell[way].includes('-')).length;
	return `${native('sockmux')} (${native('plain')}) of ${cells.length}`;
}

/**
 * The programs that wait: build x kind of operation.
 * @param {Matrix} matrix
 * @param {Record<string, string[]>} native
 */
async function waiting(matrix, native) {
	const kindOf = await kinds();
	const columns = [...new Set(kindOf.values())];
	const builds = BUILDS.filter(({ name, program }) => program === 'cases' && matrix[name]);
	return table([['build', ...columns, 'all'], ...builds.map((build) => {
		const names = casesOf(build, native);
		const cells = (/** @type {string[]} */ of) => summary(of.flatMap((name) => matrix[build.name][name] ?? []));
		return [build.title, ...columns.map((kind) => cells(names.filter((name) => kindOf.get(name) === kind))), cells(names)];
	})]);
}

/**
 * The programs with a main loop: build x case.
 * @param {Matrix} matrix
 * @param {Record<string, string[]>} native
 */
function looping(matrix, native) {
	const builds = BUILDS.filter(({ name, program }) => program === 'loop' && matrix[name]);
	const names = Object.keys(native).filter((name) => name.startsWith('loop_'));
	const mark = (/** @type {string} */ cell) => (cell.includes('-') ? `${[...cell].filter((sign) => sign === '+').length}/${cell.length}` : 'all');
	return table([['build', ...names.map((name) => name.slice('loop_'.length).replaceAll('_', ' '))], ...builds.map((build) =>
		[build.title, ...names.map((name) => {
			const { plain, sockmux } = matrix[build.name][name] ?? { plain: '-', sockmux: '-' };
			return `${mark(sockmux)} (${mark(plain)})`;
		})])]);
}

/** @param {Matrix} matrix */
async function leftOver(matrix) {
	const titles = new Map(BUILDS.map(({ name, title }) => [name, title]));
	const count = BUILDS.filter(({ name, program }) => program === 'cases' && matrix[name]).length;
	return table([['cases', 'builds', 'reason'], ...(await readLeft()).map((left) => {
		const builds = buildsOf(left, matrix);
		return [left.cases.map((name) => `\`${name}\``).join(', '),
			builds.length >= count ? 'all' : builds.map((name) => titles.get(name)).join('; '), left.reason];
	})]);
}

/** The document with its tables as the recorded run has them. @param {string} text */
export async function withTables(text) {
	const native = await readNative();
	const matrix = await readMatrix();
	/** @type {Record<string, string>} */
	const tables = { waiting: await waiting(matrix, native), looping: looping(matrix, native), left: await leftOver(matrix) };
	return text.replace(/(<!-- table: (\w+) -->\n)[^]*?(<!-- end -->)/g,
		(_, begin, name, end) => `${begin}\n${tables[name]}\n\n${end}`);
}
