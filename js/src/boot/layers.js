// The layers beside the facade, with what each needs. The worker's half is a script of its own, here as text.

import workerSource from '../../build/prelude.txt';
import { openNative } from '../facade/native.js';
import { createRule } from '../facade/rule.js';
import { attach } from '../webr/attach.js';
import { installWorkerHook } from '../webr/install.js';
import { Bridges } from '../webr/workers.js';

/** @typedef {import('./sockmux.js').Layer} Layer */

const report = (/** @type {string} */ text) => console.warn(`sockmux: ${text}`);

/**
 * Sockets of webR's workers.
 * @param {Parameters<import('./sockmux.js').InstallLayer>[0]} parts
 * @returns {Layer}
 */
function webr({ tunnel, config, scope, Native }) {
	const bridges = new Bridges({
		tunnel,
		rule: createRule(config.match, { origin: config.origin, report: (error) => console.error('sockmux: match:', error) }),
		openNative: (url, handlers) => openNative(Native, url, handlers),
		report,
	});
	const restore = config.webr ? installWorkerHook({ bridges, workerSource, scope, report }) : () => {};
	return {
		attach: (webR) => attach({ bridges, workerSource, scope }, webR),
		remove() {
			restore();
			bridges.close();
		},
	};
}

/** @type {readonly import('./sockmux.js').InstallLayer[]} */
export const layers = [webr];
