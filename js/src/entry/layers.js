// The layers beside the facade: what must be in place from the first moment. The rest of
// each is a part (parts.js) that only pages with such programs load.

import { createRule } from '../facade/rule.js';
import { recognizeThreads } from '../sockfs/threads/threads.js';
import { installSockfsHook } from '../sockfs/install.js';
import { serveLater } from '../blocking/earlier.js';
import { recognizeWorkers } from '../blocking/recognize.js';
import { recognizeWebR } from '../webr/install.js';
import { rememberBlobs } from '../workers/blobs.js';
import { loadPartNow, once } from './parts.js';
import { installWorkerHook } from '../workers/hook.js';
import { startWorker } from '../workers/starter.js';

/** @typedef {import('../api/sockmux.js').Layer} Layer */
/** @typedef {import('./opener.js').Parts} Parts */

const report = (/** @type {string} */ text) => console.warn(`sockmux: ${text}`);

/**
 * @param {Parameters<import('../api/sockmux.js').InstallLayer>[0]} given
 * @returns {Parts}
 */
function partsOf(given) {
	const { match, origin } = given.config;
	return { ...given, report, rule: createRule(match, { origin, report: (error) => console.error('sockmux: match:', error) }) };
}

/**
 * Sockets of the page's dedicated workers.
 * @param {Parameters<import('../api/sockmux.js').InstallLayer>[0]} given
 */
function workers(given) {
	const { config } = given;
	let removed = false;
	const load = once(async () => {
		/** @type {import('./part/blocking.js').BlockingPartOf} */
		const partOf = await config.part('blocking');
		const part = partOf(partsOf(given));
		if (removed) part.remove();
		return part;
	});
	const say = (/** @type {[note: string, about?: string | Blob]} */ ...note) => load().then(({ say: tell }) => tell(...note), ({ message }) => report(message));
	const serve = (/** @type {'webr' | 'others'} */ kind) => (/** @type {Worker} */ worker) => serveLater(worker, async () => (await load())[kind], report);
	const recognizers = [recognizeWebR({ on: config.webr, serve: serve('webr'), prelude: config.files.webrWorker.url, say })];
	if (config.blocking) recognizers.push(recognizeWorkers({ serve: serve('others'), prelude: config.files.blockingWorker.url, say }));
	return {
		recognizers,
		attach: async (/** @type {any} */ webR) => (await load()).attach(webR),
		remove() {
			removed = true;
			load.made?.remove();
		},
	};
}

/**
 * Sockets of Emscripten programs: in this thread, in their own threads and in workers.
 * @param {Parameters<import('../api/sockmux.js').InstallLayer>[0]} given
 * @returns {Layer}
 */
function programs(given) {
	const { config, scope } = given;
	const blobs = rememberBlobs(scope.URL);
	const others = workers(given);
	const { recognizers } = others;
	/** @type {ReturnType<typeof installSockfsHook> | null} */
	let hook = null;
	if (config.sockfs) {
		const threads = scope.crossOriginIsolated ? recognizeThreads((wanted, first) => startWorker(wanted, { prelude: config.files.pthread.url, onknown: (why) => why === null && first })) : null;
		const load = once(async () => {
			/** @type {import('./part/sockfs.js').HelperOf} */
			const helperOf = await config.part('sockfs');
			return helperOf(partsOf(given), threads);
		});
		const loadNow = () => loadPartNow(scope, config.files.sockfs, config.pinned)(partsOf(given), threads);
		hook = installSockfsHook({ load, loadNow, scope, report });
		if (threads) recognizers.unshift(threads.recognize);
	}
	const restore = installWorkerHook(scope, blobs, recognizers);
	return {
		attach: others.attach,
		made: hook?.made,
		remove() {
			restore();
			blobs.stop();
			others.remove();
			hook?.remove();
		},
	};
}

/** @type {readonly import('../api/sockmux.js').InstallLayer[]} */
export const layers = [programs];
