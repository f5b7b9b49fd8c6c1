// What the build knows. Outside of a build (unit tests) there are stand-ins.

/* global SOCKMUX_VERSION, SOCKMUX_WASM, SOCKMUX_WASM_INTEGRITY -- set by esbuild, see js.mk */

export const BUILD = Object.freeze({
	version: typeof SOCKMUX_VERSION === 'string' ? SOCKMUX_VERSION : 'dev',
	/** Path of the wasm below the server's prefix; its name holds its hash. */
	wasm: typeof SOCKMUX_WASM === 'string' ? SOCKMUX_WASM : 'sockmux.wasm',
	/** SRI string of that file. */
	integrity: typeof SOCKMUX_WASM_INTEGRITY === 'string' ? SOCKMUX_WASM_INTEGRITY : undefined,
});
