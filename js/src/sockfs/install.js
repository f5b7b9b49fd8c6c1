// Watches for Emscripten programs in the page's own thread. What is put into them is a part of
// its own, loaded with the first such program.

import { watchInstantiation } from './program/watch.js';

/** @typedef {ReturnType<typeof import('./helper.js').createHelper>} Helper */

/**
 * Puts the layer into every program that is instantiated from now on, until the function that
 * it returns is called. The first one waits for the part; where that cannot be had, programs
 * keep SOCKFS's own sockets.
 * @param {object} options
 * @param {() => Promise<Helper>} options.load  makes the helper, once
 * @param {() => Helper} options.loadNow  the same at once, for a program that does not wait; throws where that is impossible
 * @param {any} options.scope  the page's global object
 * @param {(text: string) => void} options.report  tells the user, one line
 * @returns {{ made: () => void, remove: () => void }}  made must be called when a socket passes the facade
 */
export function installSockfsHook({ load, loadNow, scope, report }) {
	if (!scope.WebAssembly?.instantiate) return { made() {}, remove() {} };
	let removed = false;
	/** @type {Helper | null} */
	let helper = null;
	const ready = (/** @type {Helper} */ made) => {
		helper = made;
		if (removed) made.remove();
	};
	let silent = false;
	let others = 0;
	const failed = (/** @type {any} */ error) => {
		silent = true;
		report(`an Emscripten program runs without sockmux's layer: ${error.message}`);
	};
	const stop = watchInstantiation(scope, (native, args, sync) => {
		const begin = () => (helper && !removed ? helper.start(native, args, sync) : native(...args));
		if (helper) return begin();
		if (!sync) return load().then(ready, failed).then(begin);
		try {
			ready(loadNow());
		} catch (error) {
			failed(error);
		}
		return begin();
	}, () => void others++);
	return {
		// A program with the layer makes no WebSocket for a connection, so another one
		// has no layer.
		made() {
			const wasm = `${new Error().stack}`.includes('wasm-function');
			if (silent || !(wasm || scope.SOCKFS)) return;
			silent = true;
			load().then((part) => {
				ready(part);
				part.explain({ wasm, others: others > 0 });
			}, failed);
		},
		remove() {
			removed = true;
			stop();
			helper?.remove();
		},
	};
}
