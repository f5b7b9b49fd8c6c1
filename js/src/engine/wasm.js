// Fetches and compiles the wasm.

/** The browser's own: a program of -sWASM=0 puts one into its place that knows no wasm. */
export const native = globalThis.WebAssembly;

/**
 * Fetches the wasm and compiles it. Rejects with an error that names the file.
 * @param {{ url: string, integrity?: string }} file
 * @returns {Promise<WebAssembly.Module>}
 */
export const compileWasm = (file) => compile(file).catch(({ message }) => {
	throw new Error(`${file.url}: ${message}`);
});

/** @param {{ url: string, integrity?: string }} file */
async function compile({ url, integrity }) {
	const response = await fetch(url, { integrity });
	if (!response.ok) throw new Error(`the server answered ${response.status}`);
	// Streaming refuses any other type; a server that does not know .wasm costs time, not function.
	// Safari has it from version 15.
	if (native.compileStreaming && response.headers.get('Content-Type') === 'application/wasm') return native.compileStreaming(response);
	return native.compile(await response.arrayBuffer());
}
