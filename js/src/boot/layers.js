// The layers beside the facade, with what each needs. The worker's half is a script of its own, here as text.

import workerSource from '../../build/prelude.txt';
import { openNative } from '../facade/native.js';
import { createRule } from '../facade/rule.js';
import { installSockfsHook } from '../sockfs/install.js';
import { createOpener } from '../sockfs/opener.js';
import { attach } from '../webr/attach.js';
import { installWorkerHook } from '../webr/install.js';
import { Bridges } from '../webr/workers.js';

/** @typedef {import('./sockmux.js').Layer} Layer */

const report = (/** @type {string} */ text) => console.warn(`sockmux: ${text}`);

/**
 * Opens what the rule gives the tunnel, and leaves the rest to the browser.
 * @param {Parameters<import('./sockmux.js').InstallLayer>[0]} parts
 */
function opener({ tunnel, config, Native }) {
	return createOpener({
		tunnel,
		rule: createRule(config.match, { origin: config.origin, report: (error) => console.error('sockmux: match:', error) }),
		openNative: (url, handlers) => openNative(Native, url, handlers),
		timeoutMs: config.timeoutMs,
	});
}

/**
 * Sockets of webR's workers.
 * @param {Parameters<import('./sockmux.js').InstallLayer>[0]} parts
 * @returns {Layer}
 */
function webr(parts) {
	const { config, scope } = parts;
	const bridges = new Bridges({ open: opener(parts), report });
	const restore = config.webr ? installWorkerHook({ bridges, workerSource, scope, report }) : () => {};
	return {
		attach: (webR) => attach({ bridges, workerSource, scope }, webR),
		remove() {
			restore();
			bridges.close();
		},
	};
}

/**
 * Sockets of Emscripten programs in this thread.
 * @param {Parameters<import('./sockmux.js').InstallLayer>[0]} parts
 * @returns {Layer}
 */
function sockfs(parts) {
	const { config, scope } = parts;
	return { remove: config.sockfs ? installSockfsHook({ open: opener(parts), scope, report }) : () => {} };
}

/** @type {readonly import('./sockmux.js').InstallLayer[]} */
export const layers = [webr, sockfs];
