// The layers beside the facade: what must be in place from the first moment. The rest of
// each is a part (parts.js) that only pages with such programs load.

import { createRule } from '../facade/rule.js';
import { recognizeThreads } from '../sockfs/threads/threads.js';
import { installSockfsHook } from '../sockfs/install.js';
import { serveLater } from '../blocking/earlier.js';
import { recognizeWebR } from '../webr/install.js';
import { loadPartNow, once } from './parts.js';
import { installWorkerHook } from '../workers/hook.js';

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
 * Sockets of webR's workers.
 * @param {Parameters<import('../api/sockmux.js').InstallLayer>[0]} given
 * @returns {Layer}
 */
function webr(given) {
	const { config, scope } = given;
	let removed = false;
	const load = once(async () => {
		/** @type {import('./part/webr.js').WebRPartOf} */
		const partOf = await config.part('webr');
		const part = partOf(partsOf(given));
		if (removed) part.bridges.close();
		return part;
	});
	const serve = (/** @type {Worker} */ started) => serveLater(started, load().then(({ bridges }) => bridges), report);
	const say = (/** @type {string} */ note) => load().then(({ textOf }) => report(textOf(note)), ({ message }) => report(message));
	const found = config.webr && recognizeWebR({ serve, prelude: config.files.worker.url, scope, say });
	const restore = installWorkerHook(scope, found ? [found.recognize] : []);
	return {
		attach: async (webR) => (await load()).attach(webR),
		remove() {
			restore();
			if (found) found.stop();
			removed = true;
			load.made?.bridges.close();
		},
	};
}

/**
 * Sockets of Emscripten programs in this thread.
 * @param {Parameters<import('../api/sockmux.js').InstallLayer>[0]} given
 * @returns {Layer}
 */
function sockfs(given) {
	const { config, scope } = given;
	if (!config.sockfs) return { remove() {} };
	const threads = recognizeThreads(scope, config.files.pthread.url);
	const load = once(async () => {
		/** @type {import('./part/sockfs.js').HelperOf} */
		const helperOf = await config.part('sockfs');
		return helperOf(partsOf(given), threads);
	});
	const loadNow = () => loadPartNow(scope, config.files.sockfs, config.pinned)(partsOf(given), threads);
	const hook = installSockfsHook({ load, loadNow, scope, report });
	const restore = installWorkerHook(scope, threads ? [threads.recognize] : []);
	return {
		made: hook.made,
		remove() {
			restore();
			threads?.stop();
			hook.remove();
		},
	};
}

/** @type {readonly import('../api/sockmux.js').InstallLayer[]} */
export const layers = [webr, sockfs];
