// Loads the Go program: fetches and compiles the wasm once, and makes an instance whenever one is wanted.

/** @typedef {import('./boundary.js').Exports} Exports */

/**
 * One instance of the Go program, not yet running.
 * @typedef {object} Program
 * @property {Exports} exports
 * @property {() => void} run  starts it; returns when all of its goroutines wait
 * @property {() => void} resume
 */

/**
 * Makes an instance. Rejects with an error that says which file could not be loaded.
 * @callback Start
 * @param {WebAssembly.ModuleImports} imports  what Go calls as module "sockmux"
 * @param {(code: number) => void} onexit  called when the program has ended, perhaps while Go runs
 * @returns {Promise<Program>}
 */

/**
 * @param {{ url: string, integrity?: string, Go: new () => import('./go.js').GoProgram }} options
 *   URL of the wasm and its SRI string; the class of wasm_exec.js
 * @returns {Start}
 */
export function programFrom({ url, integrity, Go }) {
	/** @type {Promise<WebAssembly.Module> | null} */
	let module = null;
	return async (imports, onexit) => {
		module ??= compile(url, integrity);
		let compiled;
		try {
			compiled = await module;
		} catch (error) {
			module = null; // the next start fetches again
			throw error;
		}
		const go = new Go();
		go.exit = onexit;
		const instance = await WebAssembly.instantiate(compiled, { ...go.importObject, sockmux: imports });
		return {
			exports: /** @type {any} */ (instance.exports),
			run: () => void go.run(instance),
			resume: () => go._resume(),
		};
	};
}

/**
 * @param {string} url
 * @param {string} [integrity]
 */
async function compile(url, integrity) {
	const response = await fetch(url, { integrity, credentials: 'omit' });
	if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
	// Streaming refuses any other type; a server that does not know .wasm costs time, not function.
	if (response.headers.get('Content-Type') === 'application/wasm') return WebAssembly.compileStreaming(response);
	return WebAssembly.compile(await response.arrayBuffer());
}
