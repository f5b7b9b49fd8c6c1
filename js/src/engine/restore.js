// The page's half of a snapshot. js/snapshot runs the Go program at build time until all of its
// goroutines wait, and writes memory and registers into the wasm: a copy need not run what Go and
// its packages do at their start. Such a wasm has no export `run`.

/** @typedef {import('./go.js').GoProgram} GoProgram */

/** What Go's clock shows at the snapshot, in milliseconds. In a copy it goes on from there. */
const SNAPSHOT_MS = 1000;

/**
 * Returns the JavaScript values that the program refers to by number in the snapshot. The first
 * seven are those of wasm_exec.js, the others what package syscall asks of the global object at
 * its start, in that order. js/snapshot refuses a program with others.
 * @param {GoProgram} go
 * @param {Record<string, any>} scope  the global object of wasm_exec.js
 * @returns {unknown[]}
 */
export function valuesOf(go, scope) {
	const { Object: object, Array: array, process, path, fs, Uint8Array: bytes } = scope;
	return [NaN, 0, null, true, false, scope, go, object, array, process, path, fs, fs.constants, bytes];
}

/**
 * Makes Go's monotonic clock. Its time of day is another one, which is the system's.
 * @param {GoProgram} go
 * @param {() => number} elapsed  milliseconds since the program is there
 * @returns {(sp: number) => void}  the import runtime.nanotime1
 */
export function clock(go, elapsed) {
	return (sp) => {
		const { mem } = /** @type {any} */ (go);
		const nanoseconds = (SNAPSHOT_MS + elapsed()) * 1e6;
		mem.setUint32((sp >>> 0) + 8, nanoseconds, true);
		mem.setUint32((sp >>> 0) + 12, Math.floor(nanoseconds / 2 ** 32), true);
	};
}

/** Reports whether a program is one that runs already. @param {WebAssembly.Instance} instance */
export const isSnapshot = ({ exports }) => !exports.run && Boolean(exports.reseed);

/**
 * Puts a copy into the state that run() of wasm_exec.js leaves behind. What is random must be
 * drawn anew first of all: it is the same in all copies.
 * @param {GoProgram} go
 * @param {WebAssembly.Instance} instance
 * @param {Record<string, any>} scope
 */
export function restore(go, instance, scope) {
	const exports = /** @type {any} */ (instance.exports);
	const values = valuesOf(go, scope);
	Object.assign(go, {
		_inst: instance,
		mem: new DataView(exports.mem.buffer),
		_values: values,
		_goRefCounts: values.map(() => Infinity), // they stay as long as the program
		_ids: new Map(values.map((value, id) => [value, id])),
		_idPool: [],
		exited: false,
	});
	exports.reseed();
}
