// The import object of a program's wasm: its functions by their names in C, and its memory.

/** Where an import stands. @typedef {{ module: Record<string, any>, key: string }} Slot */

/**
 * The import names are short ones in optimized builds; the functions keep the names of Emscripten's library, which are
 * those of C behind an underscore.
 * @param {any} imports
 * @param {(name: string) => boolean} wanted
 * @returns {Map<string, Slot>}
 */
export function findFunctions(imports, wanted) {
	/** @type {Map<string, Slot>} */
	const slots = new Map();
	for (const module of modulesOf(imports)) {
		for (const key of Object.keys(module)) {
			const value = module[key];
			if (typeof value !== 'function') continue;
			for (const name of [key, value.name, value.name.slice(1)]) if (wanted(name) && !slots.has(name)) slots.set(name, { module, key });
		}
	}
	return slots;
}

/** @param {any} imports @returns {WebAssembly.Memory | undefined} */
export function findMemory(imports) {
	for (const module of modulesOf(imports)) {
		for (const key of Object.keys(module)) if (module[key] instanceof WebAssembly.Memory) return module[key];
	}
	return undefined;
}

/**
 * The offset tables of dynamic linking are left alone: they are proxies that invent what they are asked for.
 * @param {any} imports
 * @returns {Record<string, any>[]}
 */
function modulesOf(imports) {
	if (typeof imports !== 'object' || imports === null) return [];
	return Object.keys(imports).filter((name) => !name.startsWith('GOT.')).map((name) => imports[name])
		.filter((module) => typeof module === 'object' && module !== null);
}
