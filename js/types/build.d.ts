// Files that the build makes, and names that it defines.

declare module '*/build/wasm_exec.js';

declare module '*/build/go.js' {
	export { Go } from '*/src/tunnel/go.js';
}

declare module '*.txt' {
	const text: string;
	export default text;
}

declare const SOCKMUX_VERSION: string | undefined;
declare const SOCKMUX_WASM: string | undefined;
declare const SOCKMUX_WASM_INTEGRITY: string | undefined;
