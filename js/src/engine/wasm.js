// Fetches and compiles the wasm.

/** The browser's own: a program of -sWASM=0 puts one into its place that knows no wasm. */
export const native = globalThis.WebAssembly;

/**
 * Gives the compiled wasm: once fetched it is kept, and after a failure the next call
 * fetches again. Rejects with an error that names the file.
 * @param {{ url: string, integrity?: string }} file
 * @returns {() => Promise<WebAssembly.Module>}
 */
export function wasmFrom({ url, integrity }) {
	/** @type {Promise<WebAssembly.Module> | null} */
	let module = null;
	return () => {
		module ??= compile(url, integrity).catch((error) => {
			module = null;
			throw new Error(`${url}: ${error.message}`);
		});
		return module;
	};
}

/**
 * @param {string} url
 * @param {string} [integrity]
 */
async function compile(url, integrity) {
	const response = await fetch(url, { integrity });
	if (!response.ok) throw new Error(`the server answered ${response.status}`);
	// Streaming refuses any other type; a server that does not know .wasm costs time, not function.
	// Safari has it from version 15.
	if (native.compileStreaming && response.headers.get('Content-Type') === 'application/wasm') return native.compileStreaming(response);
	return native.compile(await response.arrayBuffer());
}
