// Runs one case of a C program in one build: natively, with plain Emscripten and websockify, or with
// sockmux's script tag.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { launch } from './chromium.js';
import { startServices, SPAN } from './services.js';
import { startSite } from './site.js';
import { startSockmux } from './sockmux.js';
import { until } from './until.js';
import { startWebsockify } from './websockify.js';

/** @typedef {import('./builds.js').Build} Build */
/** @typedef {'native' | 'plain' | 'sockmux'} Way */

const SOURCES = fileURLToPath(new URL('../fixtures/emscripten/cases/', import.meta.url));

/**
 * A case that does not end within this time stands still: the longest waits of the cases
 * themselves are 20 s.
 */
const CASE_TIMEOUT = 22_000;

const run = promisify(execFile);

/**
 * Compiles the programs.
 * @returns {Promise<{ cases: string, loop: string, stop: () => Promise<void> } | null>} null where there is no gcc
 */
export async function compileNative() {
	const folder = await mkdtemp(join(tmpdir(), 'sockmux-cases-'));
	const stop = () => rm(folder, { recursive: true });
	const gcc = (/** @type {string} */ name, /** @type {string[]} */ sources) =>
		run('gcc', ['-O1', '-w', '-o', join(folder, name), ...sources], { cwd: SOURCES });
	try {
		const sources = (await readdir(SOURCES)).filter((file) => file.endsWith('.c') && file !== 'loop.c');
		await gcc('cases', sources);
		await gcc('loop', ['-DNO_MAIN', 'loop.c', 'main.c']);
	} catch (error) {
		await stop();
		if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null;
		throw error;
	}
	return { cases: join(folder, 'cases'), loop: join(folder, 'loop'), stop };
}

/**
 * Compiles fixtures/emscripten/listening.c.
 * @returns {Promise<{ path: string, stop: () => Promise<void> } | null>} null where there is no gcc
 */
export async function compileServers() {
	const folder = await mkdtemp(join(tmpdir(), 'sockmux-servers-'));
	const path = join(folder, 'listening');
	const stop = () => rm(folder, { recursive: true });
	try {
		await run('gcc', ['-O1', '-w', '-o', path, '../listening.c', 'main.c'], { cwd: SOURCES });
	} catch (error) {
		await stop();
		if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null;
		throw error;
	}
	return { path, stop };
}

/**
 * The lines of a native run.
 * @param {string} program  a path
 * @param {string} name
 * @param {number} base
 */
export async function runNative(program, name, base) {
	const { stdout } = await run(program, [name, String(base)], { timeout: CASE_TIMEOUT });
	return results(stdout.split('\n'));
}

/** The names of all cases. @param {string} program  a path */
export async function caseNames(program) {
	const { stdout } = await run(program, []);
	return stdout.trim().split('\n').sort();
}

/** The results among all that a program printed. @param {string[]} lines */
function results(lines) {
	return lines.filter((line) => line.startsWith('R ')).map((line) => line.slice(2).trimEnd());
}

/**
 * A browser, the services, and sockmux; websockify, once a case asks for it.
 * @param {{ binary?: string, flags?: string[], listen?: boolean }} [options]  binary: another build of the server, with its
 *   script; flags: more of the server's; listen: the page lets programs listen
 */
export async function startCases({ binary, flags = [], listen = false } = {}) {
	/** @type {{ stop: () => Promise<unknown> }[]} */
	const parts = [];
	const keep = async (/** @type {Promise<any>} */ part) => {
		parts.push(await part);
		return part;
	};
	const stop = async () => {
		for (const part of parts.reverse()) await part.stop();
	};
	try {
		const services = await keep(startServices());
		/** @type {ReturnType<typeof startWebsockify> | null} */
		let websockify = null;
		/** @type {Record<string, string>} */
		const words = {};
		const site = await keep(startSite({ words }));
		const sockmux = await keep(startSockmux([
			'--allow-origin', site.origin,
			'--allow', `127.0.0.0/8:${services.base}-${services.base + SPAN - 1}`,
			'--allow', `[::1]:${services.base}-${services.base + SPAN - 1}`,
			...flags,
		], binary));
		words.SERVER = sockmux.origin;
		const pool = pagePool();
		parts.push(pool);
		/**
		 * @param {Build} build
		 * @param {string} name
		 * @param {Exclude<Way, 'native'>} way
		 */
		const runCase = async (build, name, way) => {
			const query = new URLSearchParams({ build: build.name, kind: build.kind, case: name, base: String(services.base) });
			if (way === 'plain') query.set('relay', (await (websockify ??= keep(startWebsockify(services.base, SPAN)))).origin);
			return pool.run(`${site.origin}/cases${way === 'plain' ? '' : listen ? '-listen' : '-sockmux'}.html?${query}`);
		};
		return { base: services.base, runCase, logs: sockmux.logs, stop };
	} catch (error) {
		await stop();
		throw error;
	}
}

/**
 * A browser that ends by itself is started again so often: a program that breaks it must
 * not hide the others.
 */
const RESTARTS = 5;

/** Pages that are used again: a new one costs more than most cases. */
function pagePool() {
	/** @type {import('playwright-core').Page[]} */
	let idle = [];
	/** @type {Promise<import('playwright-core').Browser> | null} */
	let browser = null;
	let starts = 0;
	const started = async () => {
		if (browser && !(await browser).isConnected()) browser = null;
		if (!browser) {
			if (starts++ > RESTARTS) throw new Error(`the browser ended by itself ${RESTARTS} times`);
			idle = [];
			browser = launch();
		}
		return browser;
	};
	/**
	 * Opens an address and returns what the program prints.
	 * @param {string} url
	 * @returns {Promise<{ results: string[], all: string[] }>}
	 */
	const inPage = async (url) => {
		const running = await started();
		const page = idle.pop() ?? await (await running.newContext()).newPage();
		/** @type {string[]} */
		const all = [];
		const state = { ended: false, stuck: false };
		page.on('console', (message) => {
			const text = message.text();
			all.push(text);
			if (text === '| END' || text.startsWith('! ')) state.ended = true;
		});
		page.on('pageerror', (error) => {
			all.push(`! uncaught ${error.message}`);
			state.ended = true;
		});
		page.on('crash', () => {
			state.ended = true;
			state.stuck = true;
		});
		// The page of a program that never returns to it does not finish loading.
		await page.goto(url, { timeout: CASE_TIMEOUT }).catch((error) => {
			if (error.name !== 'TimeoutError') throw error;
		});
		await until(() => state.ended, url, CASE_TIMEOUT).catch(() => {
			all.push('! no end in time');
			state.stuck = true;
		});
		if (state.stuck) await page.context().close();
		else {
			// What the page says late belongs to this run, not to the next one.
			await page.goto('about:blank');
			page.removeAllListeners();
			idle.push(page);
		}
		return { results: results(all.map((line) => (line.startsWith('| ') ? line.slice(2) : ''))), all };
	};
	return {
		async run(/** @type {string} */ url) {
			try {
				// A page that the case before has left busy takes no other address: a new one does. So does a new browser, behind one
				// that ended between two cases.
				return await inPage(url).catch((error) => (/ERR_ABORTED|has been closed/.test(error.message) ? inPage(url) : Promise.reject(error)));
			} catch (error) {
				if (!browser || (await browser).isConnected()) throw error;
				return { results: [], all: ['! the browser ended'] };
			}
		},
		async stop() {
			if (browser) await (await browser).close();
		},
	};
}
