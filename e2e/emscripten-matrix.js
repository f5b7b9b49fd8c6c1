// Runs C programs with plain Emscripten and websockify, and with sockmux, beside what they
// print natively:
//
//	node emscripten-matrix.js [--build NAME,...] [--case NAME,...] [--way plain,sockmux]
//	     [--binary FILE] [--show] [--tries N] [--at-once N] [--json FILE]
//	     [--record | --merge FILE,...] [--native] [--docs]
//
// A cell with sockmux that is not as native is run --tries times. A line a cell: "+" for
// each line as native, "-" for each that is not. --show prints the lines. --record keeps
// the cells in fixtures/emscripten/matrix.json, --native those of a native run in
// native.json. --merge keeps cells of --json files. --docs writes the tables of
// docs/EMSCRIPTEN.md. --binary is another build of the server, which brings its own
// script.

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { caseNames, compileNative, runNative, startCases } from './harness/cases.js';
import { eachOf, pairs, readMatrix, readNative, runCell, writeMatrix, writeNative } from './harness/matrix.js';
import { DOCUMENT, withTables } from './harness/tables.js';

/** @typedef {Awaited<ReturnType<typeof startCases>>} World */

const { values } = parseArgs({ options: {
	build: { type: 'string' },
	case: { type: 'string' },
	way: { type: 'string', default: 'plain,sockmux' },
	binary: { type: 'string' },
	json: { type: 'string' },
	tries: { type: 'string', default: '1' },
	'at-once': { type: 'string', default: '3' },
	show: { type: 'boolean', default: false },
	record: { type: 'boolean', default: false },
	native: { type: 'boolean', default: false },
	merge: { type: 'string' },
	docs: { type: 'boolean', default: false },
} });

if (values.merge) await merge(values.merge.split(','));
else if (values.docs) await writeFile(DOCUMENT, await withTables(await readFile(DOCUMENT, 'utf8')));
else {
	const world = await startCases({ binary: values.binary });
	try {
		if (values.native) await recordNative(world);
		else await runAll(world);
	} finally {
		await world.stop();
	}
}

/** @param {string[]} files */
async function merge(files) {
	const matrix = await readMatrix();
	for (const file of files) {
		/** @type {import('./harness/matrix.js').Matrix} */
		const ran = JSON.parse(await readFile(file, 'utf8'));
		for (const [build, cases] of Object.entries(ran)) {
			matrix[build] ??= {};
			for (const [name, cell] of Object.entries(cases)) {
				const given = Object.fromEntries(Object.entries(cell).filter(([, signs]) => signs !== ''));
				matrix[build][name] = { ...(matrix[build][name] ?? { plain: '', sockmux: '' }), ...given };
			}
		}
	}
	await writeMatrix(matrix);
}

/** @param {World} world */
async function recordNative(world) {
	const programs = await compileNative();
	if (!programs) throw new Error('gcc is missing: install it (Debian: apt-get install gcc)');
	try {
		/** @type {Record<string, string[]>} */
		const native = {};
		const jobs = [];
		for (const program of [programs.cases, programs.loop]) {
			for (const name of await caseNames(program)) jobs.push({ program, name });
		}
		for (const { name } of jobs) native[name] = [];
		await eachOf(jobs, 4, async ({ program, name }) => {
			native[name] = await runNative(program, name, world.base);
		});
		await writeNative(native);
		console.log(`${jobs.length} cases recorded`);
	} finally {
		await programs.stop();
	}
}

/** @param {World} world */
async function runAll(world) {
	const native = await readNative();
	const matrix = await readMatrix();
	/** @type {import('./harness/matrix.js').Matrix} */
	const ran = {};
	const ways = /** @type {('plain' | 'sockmux')[]} */ (values.way.split(','));
	const chosen = pairs(native, { builds: values.build?.split(','), cases: values.case?.split(',') });
	const jobs = chosen.flatMap((pair) => ways.map((way) => ({ ...pair, way })));
	await eachOf(jobs, Number(values['at-once']), async ({ build, name, way }) => {
		const lines = native[name];
		const { cell, all } = await runCell(world, { build, name }, way, lines, { tries: way === 'plain' ? 1 : Number(values.tries) });
		const before = matrix[build.name]?.[name]?.[way];
		console.log(`${build.name} ${name} ${way} ${cell}${before === undefined || before === cell ? '' : ` (recorded: ${before})`}`);
		if (values.show) {
			console.log(lines.map((line) => `\tnative: ${line}`).join('\n'));
			console.log(all.map((line) => `\t${line}`).join('\n'));
		}
		for (const place of [ran, matrix]) {
			place[build.name] ??= {};
			place[build.name][name] = Object.assign(place[build.name][name] ?? { plain: '', sockmux: '' }, { [way]: cell });
		}
		// After each cell, so that a run that is stopped is not lost.
		if (values.json) await writeFile(values.json, JSON.stringify(ran));
	});
	for (const way of ways) {
		const cells = Object.values(ran).flatMap((cases) => Object.values(cases).map((cell) => cell[way]));
		console.log(`${way}: ${cells.filter((cell) => !cell.includes('-')).length} of ${cells.length} cells as native`);
	}
	if (values.record) await writeMatrix(matrix);
}
