// Compares this working tree with a commit in one run: `make bench-compare BASE=REF`.
// docs/PERFORMANCE.md says how to read its table.
//
//   node bench/compare/compare.mjs --base REF [--families "FAMILY native-FAMILY ..."] [--rounds N] [--bound X] [--rivals KIND,...] [-- OPTION...]
//
// --bound ends with 1 where a figure is worse than the base's by more than that factor. Options
// behind -- go to bench/browser/run.mjs.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { families } from '../browser/families.mjs';
import { alternateTrees } from './native.mjs';
import { optionsOf } from './options.mjs';
import { compare } from './table.mjs';
import { build, checkout } from './tree.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const out = join(root, 'bench/out');

/** Where each tree's native benchmark is built. */
const NATIVE = 'bin/bench-native';

/**
 * The commit's tree, as long as it is there.
 * @type {Awaited<ReturnType<typeof checkout>> | undefined}
 */
let base;
/** What runs at the moment. @type {import('node:child_process').ChildProcess | undefined} */
let running;

/** Ends a build. What runs ends itself, with its own children. */
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
	process.on(signal, () => {
		interrupted.abort();
		running?.kill(signal);
	});
}

/** The families of bench/native. */
async function nativeFamilies() {
	const { stdout } = await promisify(execFile)('go', ['run', '.', '-list'], { cwd: join(root, 'bench/native') });
	return stdout.trim().split('\n');
}

/** Runs a program of a benchmark in the foreground. */
async function run(folder, command, ...args) {
	interrupted.signal.throwIfAborted();
	running = spawn(command, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
	const [code, signal] = await once(running, 'exit');
	running = undefined;
	if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ended with ${signal ?? code}`);
}

/** @param {import('./options.mjs').Options} options */
async function measure({ base: ref, browser, native, rounds, rivals, rest }) {
	base = await checkout(root, ref);
	console.log(`base: ${base.name}`);
	console.log('building the base');
	await build('the base', { folder: base.path, signal: interrupted.signal }, 'make', 'bin/bench-sockmux', 'bin/bench-peers');
	const measurements = [];
	if (browser.length > 0) {
		const file = join(out, 'compare-browser.json');
		await rm(file, { force: true });
		await run(root, process.execPath, 'bench/browser/run.mjs', '--base', base.path, '--rivals', rivals, '--rounds', `${rounds}`, '--only', browser.join(), '--out', file, ...rest);
		measurements.push(...JSON.parse(await readFile(file, 'utf8')).measurements);
	}
	if (native.length > 0) {
		const trees = { sockmux: root, base: base.path };
		for (const [kind, tree] of Object.entries(trees)) await build(kind === 'base' ? 'the base' : 'this tree', { folder: join(tree, 'bench/native'), signal: interrupted.signal }, 'go', 'build', '-o', join(tree, NATIVE), '.');
		measurements.push(...await alternateTrees(trees, rounds, async (tree, kind, file) => {
			console.log(`native, ${kind === 'base' ? 'base' : 'now'}:`);
			await run(join(tree, 'bench/native'), join(tree, NATIVE), '-rounds', '1', '-rivals', '', '-only', native.join(), '-out', file);
		}, out));
	}
	return measurements;
}

/** @param {number | undefined} bound @param {import('../browser/report.mjs').Measurement[]} measurements */
async function print(measurements, bound) {
	const { lines, worse, alone } = compare(measurements, bound ?? 1);
	await writeFile(join(out, 'compare.md'), `${lines.join('\n')}\n`);
	console.log(`\n${lines.join('\n')}`);
	if (alone.length > 0) console.log(`\nnot in both trees: ${alone.join('; ')}`);
	if (bound === undefined) return;
	for (const name of worse) console.log(`worse than ${bound} times the base: ${name}`);
	if (worse.length > 0) process.exitCode = 1;
}

try {
	const { values, positionals } = parseArgs({
		options: { base: { type: 'string' }, families: { type: 'string' }, rounds: { type: 'string' }, bound: { type: 'string' }, rivals: { type: 'string' } },
		allowPositionals: true,
	});
	const options = optionsOf(values, positionals, { browser: Object.keys(families), native: await nativeFamilies() });
	await print(await measure(options), options.bound);
} catch (error) {
	console.error(`bench-compare: ${error.message}`);
	process.exitCode = 2;
} finally {
	await base?.remove();
}
