// Runs C programs with plain Emscripten and a relay, and with sockmux, beside what they print natively:
//
//	node emscripten-matrix.js [--build NAME,...] [--case NAME,...] [--way plain,sockmux]
//	     [--binary FILE] [--show] [--tries N] [--at-once N] [--json FILE]
//	     [--record] [--native]
//
// A line a cell: "+" for each line as native, "-" for each that is not. --show prints the lines.
// --record keeps the cells in fixtures/emscripten/matrix.json, --native those of a native run in
// native.json. --binary is another build of the server, which brings its own script.

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { caseNames, compileNative, runNative, startCases } from './harness/cases.js';
import { eachOf, pairs, readMatrix, readNative, runCell, writeMatrix, writeNative } from './harness/matrix.js';

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
} });

const world = await startCases({ binary: values.binary });
try {
	if (values.native) await recordNative();
	else await runAll();
} finally {
	await world.stop();
}

async function recordNative() {
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

async function runAll() {
	const native = await readNative();
	const matrix = await readMatrix();
	/** @type {import('./harness/matrix.js').Matrix} */
	const ran = {};
	const ways = /** @type {('plain' | 'sockmux')[]} */ (values.way.split(','));
	const chosen = pairs(native, { builds: values.build?.split(','), cases: values.case?.split(',') });
	const jobs = chosen.flatMap((pair) => ways.map((way) => ({ ...pair, way })));
	await eachOf(jobs, Number(values['at-once']), async ({ build, name, way }) => {
		const lines = native[name];
		const { cell, all } = await runCell(world, { build, name }, way, lines, { tries: Number(values.tries) });
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
	});
	for (const way of ways) {
		const cells = Object.values(ran).flatMap((cases) => Object.values(cases).map((cell) => cell[way]));
		console.log(`${way}: ${cells.filter((cell) => !cell.includes('-')).length} of ${cells.length} cells as native`);
	}
	if (values.record) await writeMatrix(matrix);
	if (values.json) await writeFile(values.json, JSON.stringify(ran));
}
