// The functions in the import object of a program's wasm, by their names in C.

import { modulesOf, valuesOf } from './watch.js';

/** @typedef {import('./instantiate.js').ImportSlot} ImportSlot */

/**
 * The import names are short ones in optimized builds; the functions keep the names of
 * Emscripten's library, which are those of C behind an underscore.
 * @param {any} imports
 * @param {(name: string) => boolean} wanted
 * @returns {Map<string, ImportSlot>}
 */
export function findFunctions(imports, wanted) {
	/** @type {Map<string, ImportSlot>} */
	const slots = new Map();
	for (const module of modulesOf(imports)) {
		for (const [key, value] of valuesOf(module)) {
			if (typeof value !== 'function') continue;
			for (const name of [key, value.name, value.name.slice(1)]) if (wanted(name) && !slots.has(name)) slots.set(name, { module, key });
		}
	}
	return slots;
}
