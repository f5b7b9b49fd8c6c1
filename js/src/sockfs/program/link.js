// Instantiates a program whose imports are functions of ours in wasm. Their types must be those
// that the program asks for, and no script can ask which: 32-bit programs use i32 for all of
// them; others are linked again, without the wasm.

/**
 * @param {any} WebAssembly
 * @param {(...args: any[]) => any} native  a function of WebAssembly, or one that constructs an instance
 * @param {any[]} args
 * @param {() => void} withoutWasm  takes the wasm out of the imports
 * @returns {any}  what the native function gives
 */
export function linked(WebAssembly, native, [source, ...rest], withoutWasm) {
	const mismatch = (/** @type {unknown} */ error) => {
		if (!(error instanceof WebAssembly.LinkError)) throw error;
		withoutWasm();
	};
	const link = (/** @type {any} */ module) => {
		/** @type {any} */
		let result;
		try {
			result = native(module, ...rest);
		} catch (error) {
			mismatch(error);
			return native(module, ...rest);
		}
		return result instanceof Promise ? result.catch((error) => {
			mismatch(error);
			return native(module, ...rest);
		}) : result;
	};
	if (!isStream(source)) return link(source);
	// A response can be read once only, so the module is compiled before.
	return WebAssembly.compileStreaming(source, rest[1]).then((/** @type {any} */ module) => {
		native = (...given) => WebAssembly.instantiate(...given).then((/** @type {any} */ instance) => ({ module, instance }));
		return link(module);
	});
}

/** @param {any} source */
const isStream = (source) => typeof source?.then === 'function' || (typeof Response === 'function' && source instanceof Response);
