// Runs the C programs of fixtures/emscripten/cases three ways: natively, in the page as plain
// Emscripten with a relay, and with sockmux. A result is the list of lines "label value"
// that a case printed.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.js';
import { startRelay } from './relay.js';
import { startServices } from './services.js';
import { startSite } from './site.js';
import { startSockmux } from './sockmux.js';

const FOLDER = fileURLToPath(new URL('../fixtures/emscripten/', import.meta.url));
/** Longer than the longest case waits for its own deadline (20 s). */
const CASE_TIMEOUT = 30_000;

/** Sources of the program "cases" and of the program "loop". */
const SOURCES = { cases: ['main', 'connect', 'io', 'names', 'options', 'poll'], loop: ['loop', 'main'] };

/** The case that the program "loop" is. */
export const LOOP = 'loop';

/** Every build, by the name of its files. */
export const BUILDS = [
	'cases-asyncify-3', 'cases-pthread-3', 'cases-asyncify-6', 'cases-jspi-6', 'cases-jspi-modularize-6', 'cases-jspi-es6-6',
	'cases-pthread-6', 'cases-pthread-modularize-6', 'cases-pthread-es6-6',
	'loop-3', 'loop-modularize-3', 'loop-6', 'loop-modularize-6', 'loop-es6-6', 'loop-closure-6', 'loop-sync-6', 'loop-pthread-6',
];

/** Names of all cases of the program "cases", as its sources declare them. */
export const CASES = SOURCES.cases.flatMap((name) => [...readFileSync(join(FOLDER, `cases/${name}.c`), 'utf8').matchAll(/^CASE\((\w+)\)/gm)].map(([, found]) => found));

/** The cases that a build runs. @param {string} build */
export const casesOf = (build) => (build.startsWith('loop') ? [LOOP] : CASES);

/** @typedef {{ [name: string]: string[] }} Results  the lines by case */

/** What a program printed, as lines of a result. How it ended is one, where it did not end by itself. @param {string[]} printed */
function resultOf(printed) {
	return printed.filter((line) => line.startsWith('R ')).map((line) => line.slice(2));
}

/**
 * Compiles the cases for this machine and runs them.
 * @param {string[]} names
 * @returns {Promise<Results>}
 */
export async function runNatively(names) {
	const folder = await mkdtemp(join(tmpdir(), 'sockmux-cases-'));
	const services = await startServices();
	try {
		/** @type {Results} */
		const results = {};
		const built = new Set();
		for (const name of names) {
			const program = name === LOOP ? 'loop' : 'cases';
			const file = join(folder, program);
			if (!built.has(program)) {
				const sources = SOURCES[program].map((source) => join(FOLDER, `cases/${source}.c`));
				await output('cc', ['-O1', '-w', ...(program === 'loop' ? ['-DNO_MAIN'] : []), '-o', file, ...sources]);
				built.add(program);
			}
			results[name] = resultOf((await output(file, [name, String(services.base)])).split('\n'));
		}
		return results;
	} finally {
		await services.stop();
		await rm(folder, { recursive: true });
	}
}

/** What a program prints; it may fail. @param {string} file @param {string[]} args @returns {Promise<string>} */
function output(file, args) {
	return new Promise((resolve, reject) => {
		const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
		let text = '';
		child.stdout.setEncoding('utf8').on('data', (more) => { text += more; });
		child.on('error', reject).on('close', () => resolve(text));
	});
}

/**
 * A browser with the services, and with a relay or sockmux beside it.
 * @param {'plain' | 'sockmux'} way
 */
export async function startWay(way) {
	/** @type {{ stop: () => Promise<unknown> }[]} */
	const stops = [];
	const keep = (/** @type {any} */ part) => {
		stops.push(part);
		return part;
	};
	const stop = async () => {
		for (const part of stops.reverse()) await part.stop();
	};
	try {
		const services = keep(await startServices());
		/** @type {Record<string, string>} */
		const words = {};
		const site = keep(await startSite({ words }));
		if (way === 'plain') words.RELAY = keep(await startRelay()).origin;
		else {
			words.SERVER = keep(await startSockmux([
				'--allow-origin', site.origin, '--allow', '127.0.0.1:*', '--allow', '[::1]:*', '--allow', 'localhost:*',
			])).origin;
		}
		const browser = await launch();
		keep({ stop: () => browser.close() });
		const page = way === 'plain' ? 'cases-plain.html' : 'cases.html';
		return { stop, run: (/** @type {string} */ build, /** @type {string} */ name) => runInPage(browser, `${site.origin}/${page}`, build, [name, String(services.base)]) };
	} catch (error) {
		await stop();
		throw error;
	}
}

/**
 * Runs one case in a page of its own.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {string} build
 * @param {string[]} args
 * @returns {Promise<{ lines: string[], log: string[] }>}  log: all that was printed, the console and how the program ended
 */
async function runInPage(browser, url, build, args) {
	const context = await browser.newContext();
	/** @type {string[]} */
	const log = [];
	try {
		const page = await context.newPage();
		page.on('console', (message) => void log.push(`console: ${message.text()}`));
		page.on('pageerror', (error) => void log.push(`uncaught: ${error.message}`));
		await page.goto(url);
		await page.evaluate((what) => void /** @type {any} */ (globalThis).run(what).catch((/** @type {Error} */ error) => {
			/** @type {any} */ (globalThis).ended = `run: ${error.message}`;
		}), { build, args });
		await page.waitForFunction(() => {
			const { printed, ended } = /** @type {any} */ (globalThis);
			return printed.includes('END') || ended;
		}, undefined, { timeout: CASE_TIMEOUT, polling: 50 }).catch(() => void log.push('no end in time'));
		const { printed, ended } = await page.evaluate(() => ({ printed: /** @type {any} */ (globalThis).printed, ended: /** @type {any} */ (globalThis).ended }));
		if (ended) log.push(ended);
		return { lines: resultOf(printed), log: [...printed, ...log] };
	} finally {
		await context.close();
	}
}

/**
 * The lines of a case that are as native. A line counts only with all of its label and
 * value; a label that occurs more than once counts by its place among those.
 * @param {string[]} native
 * @param {string[]} got
 * @returns {Set<string>}  keys of the native lines that are there
 */
export function rightLines(native, got) {
	const keyed = (/** @type {string[]} */ lines) => {
		/** @type {Map<string, number>} */
		const seen = new Map();
		return lines.map((line) => {
			const label = labelOf(line);
			const nth = (seen.get(label) ?? 0) + 1;
			seen.set(label, nth);
			return `${line}#${nth}`;
		});
	};
	const there = new Set(keyed(got));
	return new Set(keyed(native).filter((key) => there.has(key)));
}

/** A line's label: what stands before its value. @param {string} line */
const labelOf = (line) => line.replace(/ (-?\d+( E\w+)?|\S+)$/, '');

/**
 * Runs jobs, at most `width` at once.
 * @template T
 * @param {(() => Promise<T>)[]} jobs
 * @param {number} width
 */
export async function inParallel(jobs, width) {
	let next = 0;
	const work = async () => {
		while (next < jobs.length) await jobs[next++]();
	};
	await Promise.all(Array.from({ length: width }, work));
}
