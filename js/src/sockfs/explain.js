// Why the layer stays out of a program: the cause, and what would let it in.

/**
 * What was seen of the page's programs until the first socket passed the facade.
 * @typedef {object} Seen
 * @property {boolean} wasm  the socket was made below a function of wasm
 * @property {boolean} others  programs were instantiated whose imports name no system call for sockets
 * @property {boolean} [started]  programs were instantiated whose imports do, and whose SOCKFS was not found
 */

/**
 * @param {Seen} seen
 * @returns {string}
 */
export function explain({ wasm, others, started = false }) {
	return `an Emscripten program runs without sockmux's layer, so it knows no reasons of errors and no half-close: ${cause(wasm, others, started)}`;
}

/** @param {boolean} wasm @param {boolean} others @param {boolean} started */
function cause(wasm, others, started) {
	if (!wasm) return 'it was built without WebAssembly. Link it with -sWASM=1';
	if (started) return 'the names of its SOCKFS were shortened, as the closure compiler does, and it waits, has threads or listens to events of sockets. Link it with --closure 0';
	if (others) return 'the names of its imports were shortened, as the closure compiler does from -O3 on. Link it with -O2 or --closure 0';
	return 'it was started before sockmux. Put the script element of sockmux before the program\'s';
}
