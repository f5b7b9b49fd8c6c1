// Files that the build makes, and names that it defines.

declare module '*/build/wasm_exec.js';

declare module '*/build/go.js' {
	export { Go } from '*/src/engine/go.js';
}

declare const SOCKMUX_VERSION: string | undefined;
declare const SOCKMUX_FILES: import('../src/entry/build.js').BuiltFiles | undefined;
declare const SOCKMUX_HTTPS_FILES: import('../src/entry/build.js').HttpsFiles | undefined;

declare module '*/build/rlibrary.js' {
	/** Files of R packages by their paths. */
	const library: Record<string, string>;
	export default library;
}
