// Makes an instance of the Go program from the compiled wasm.

import { MODULE } from '../wire/generated/boundary.js';
import { clock, isSnapshot, restore } from './restore.js';

/** @typedef {import('../wire/generated/boundary.js').Exports} Exports */

/**
 * One instance of the Go program, not yet running.
 * @typedef {object} Program
 * @property {Exports} exports
 * @property {() => void} run  starts it; returns when all of its goroutines wait
 * @property {() => void} resume
 * @property {() => void} stop  drops its timers: it runs no more
 */

/**
 * Makes an instance.
 * @callback Start
 * @param {import('../wire/generated/boundary.js').Imports} imports  what Go calls
 * @param {(code: number) => void} onexit  called when the program has ended, perhaps while Go runs
 * @returns {Promise<Program>}
 */

/**
 * @param {WebAssembly.Module | Promise<WebAssembly.Module>} module
 * @param {import('./go.js').GoClass} Go  the class of wasm_exec.js
 * @param {Pick<typeof WebAssembly, 'instantiate'>} [native]  the browser's own, where the page may have replaced it
 * @returns {Start}
 */
export function programFrom(module, Go, native = WebAssembly) {
	return async (imports, onexit) => {
		const go = new Go();
		go.exit = onexit;
		const begin = performance.now();
		const { gojs } = go.importObject;
		const instance = await native.instantiate(await module, {
			gojs: { ...gojs, 'runtime.nanotime1': clock(go, () => performance.now() - begin) }, [MODULE]: /** @type {any} */ (imports),
		});
		return {
			exports: /** @type {any} */ (instance.exports),
			run() {
				if (isSnapshot(instance)) {
					restore(go, instance, Go.scope);
					return;
				}
				// Go's script asks the global object which class the instance must be of.
				const replaced = globalThis.WebAssembly;
				globalThis.WebAssembly = /** @type {typeof WebAssembly} */ (native);
				try {
					void go.run(instance);
				} finally {
					globalThis.WebAssembly = replaced;
				}
			},
			resume: () => go._resume(),
			stop() {
				for (const timer of go._scheduledTimeouts.values()) clearTimeout(timer);
			},
		};
	};
}
