// Watches for Emscripten programs in the page's own thread. What helps them is a part of its own, loaded with the first such program.

import { onInstantiate } from './instantiate.js';

/** @typedef {ReturnType<typeof import('./helper.js').createHelper>} Helper */

/**
 * Helps every program that is instantiated from now on, until the function that it returns is called. The first one waits for the helper;
 * where that cannot be had, programs keep SOCKFS's own sockets.
 * @param {object} options
 * @param {() => Promise<Helper>} options.load  makes the helper, once
 * @param {any} options.scope  the page's global object
 * @param {(text: string) => void} options.report  tells the user, one line
 * @returns {() => void}
 */
export function installSockfsHook({ load, scope, report }) {
	if (!scope.WebAssembly?.instantiate) return () => undefined;
	let removed = false;
	/** @type {Helper | null} */
	let helper = null;
	const stop = onInstantiate(scope, (instance) => {
		if (helper) return helper.help(instance);
		return load().then((made) => {
			helper = made;
			if (removed) made.remove();
			else made.help(instance);
		}, (error) => {
			report(`the layer for Emscripten programs could not be loaded, so SOCKFS's own sockets are used, which know no errors: ${error.message}`);
		});
	});
	return () => {
		removed = true;
		stop();
		helper?.remove();
	};
}
