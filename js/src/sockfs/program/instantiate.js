// Sees the import object of a program before its wasm is instantiated: the last moment at which
// a system call can be replaced.

import { modulesOf, valuesOf, watchInstantiation } from './watch.js';

/**
 * A program about to be instantiated.
 * @typedef {object} Instance
 * @property {any} imports  its import object
 * @property {Map<string, ImportSlot>} calls  its imports that matter to sockets, by their names in C ("__syscall_poll")
 * @property {() => Int32Array} heap32  its memory; valid from the instantiation on, and as it is at that moment only
 * @property {() => Record<string, any> | undefined} exports  what its wasm exports, from the instantiation on
 */

/** Where an import stands. @typedef {{ module: Record<string, any>, key: string }} ImportSlot */

/**
 * Calls back with every program that has sockets, before it is instantiated, until the function
 * that it returns is called.
 * @param {any} scope
 * @param {(instance: Instance) => unknown} found
 * @returns {() => void}
 */
export function onInstantiate(scope, found) {
	return watchInstantiation(scope, (native, args, sync) => {
		const { instance, made } = inspect(args[1]);
		found(instance);
		const result = native(...args);
		return sync ? made(result) : result.then(made);
	});
}

/**
 * @param {any} imports  the import object of a program that is about to be instantiated
 * @returns {{ instance: Instance, made: (result: any) => any }}  made must be called with what the instantiation gives, and returns it
 */
export function inspect(imports) {
	let memory = findMemory(imports);
	let heap = new Int32Array(0);
	/** @type {Record<string, any> | undefined} */
	let exports;
	return {
		instance: {
			imports,
			calls: findCalls(imports),
			heap32() {
				const { buffer } = /** @type {WebAssembly.Memory} */ (memory);
				if (heap.buffer !== buffer) heap = new Int32Array(buffer);
				return heap;
			},
			exports: () => exports,
		},
		made(result) {
			exports = (result.instance ?? result).exports;
			memory ??= findMemory({ exports });
			return result;
		},
	};
}

/** Imports that matter, beside all whose names begin with __syscall. */
const NAMES = new Set(['fd_read', 'fd_write', 'fd_close', 'getaddrinfo', 'getnameinfo', '_emscripten_lookup_name', 'sockmux_shutdown', 'sockmux_setsockopt', '_try_shutdown']);

/** @param {string} name */
const matters = (name) => name.startsWith('__syscall') || NAMES.has(name);

/**
 * The import names are short ones in optimized builds; the functions keep the names of
 * Emscripten's library, which are those of C behind an underscore.
 * @param {any} imports
 */
function findCalls(imports) {
	/** @type {Map<string, ImportSlot>} */
	const calls = new Map();
	for (const module of modulesOf(imports)) {
		for (const [key, value] of valuesOf(module)) {
			if (typeof value !== 'function') continue;
			const name = matters(key) ? key : value.name.replace(/^_/, '');
			if (matters(name) && !calls.has(name)) calls.set(name, { module, key });
		}
	}
	return calls;
}

/**
 * Returns the memory among what a program imports, or exports.
 * @param {any} modules  by their names
 * @returns {WebAssembly.Memory | undefined}
 */
export function findMemory(modules) {
	for (const module of modulesOf(modules)) {
		for (const [, value] of valuesOf(module)) if (value instanceof WebAssembly.Memory) return value;
	}
	return undefined;
}
