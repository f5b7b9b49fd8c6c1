// Sees the import object of a program before its wasm is instantiated: the last moment at which a system call can be replaced.

/**
 * A program about to be instantiated.
 * @typedef {object} Instance
 * @property {Map<string, ImportSlot>} calls  its system calls for sockets, by their names in C ("__syscall_poll")
 * @property {() => Int32Array} heap32  its memory; valid from the instantiation on, and as it is at that moment only
 */

/** Where an import stands. @typedef {{ module: Record<string, any>, key: string }} ImportSlot */

/**
 * Calls back with every program that has sockets, until the function that it returns is called. A program waits for the promise that it gets back.
 * @param {any} scope
 * @param {(instance: Instance) => unknown} found
 * @returns {() => void}
 */
export function onInstantiate(scope, found) {
	const { WebAssembly } = scope;
	const { instantiate, instantiateStreaming } = WebAssembly;
	/** The function with a look at the import object first. @param {(...args: any[]) => Promise<any>} native */
	const looking = (native) => (/** @type {any[]} */ ...args) => {
		const calls = findCalls(args[1]);
		if (!calls.has('__syscall_connect')) return native.apply(WebAssembly, args);
		const memory = { current: findMemory(args[1]) };
		const begin = () => native.apply(WebAssembly, args).then((result) => {
			memory.current ??= findMemory({ exports: (result.instance ?? result).exports });
			return result;
		});
		const wait = found({ calls, heap32: heapOf(memory) });
		return wait instanceof Promise ? wait.then(begin) : begin();
	};
	const ours = looking(instantiate);
	const oursStreaming = instantiateStreaming && looking(instantiateStreaming);
	WebAssembly.instantiate = ours;
	if (oursStreaming) WebAssembly.instantiateStreaming = oursStreaming;
	return () => {
		if (WebAssembly.instantiate === ours) WebAssembly.instantiate = instantiate;
		if (WebAssembly.instantiateStreaming === oursStreaming) WebAssembly.instantiateStreaming = instantiateStreaming;
	};
}

/**
 * The import names are short ones in optimised builds; the functions keep the names of Emscripten's library, which are those of C behind an
 * underscore.
 * @param {any} imports
 */
function findCalls(imports) {
	/** @type {Map<string, ImportSlot>} */
	const calls = new Map();
	for (const module of modulesOf(imports)) {
		for (const [key, value] of Object.entries(module)) {
			if (typeof value !== 'function') continue;
			const name = key.startsWith('__syscall') ? key : value.name.replace(/^_(?=__syscall)/, '');
			if (name.startsWith('__syscall') && !calls.has(name)) calls.set(name, { module, key });
		}
	}
	return calls;
}

/**
 * @param {any} modules
 * @returns {WebAssembly.Memory | undefined}
 */
function findMemory(modules) {
	for (const module of modulesOf(modules)) {
		const memory = Object.values(module).find((value) => value instanceof WebAssembly.Memory);
		if (memory) return memory;
	}
	return undefined;
}

/** Proxies (dynamic linking has them) are left alone: they would invent what they are asked for. @param {any} imports @returns {Record<string, any>[]} */
function modulesOf(imports) {
	if (typeof imports !== 'object' || imports === null) return [];
	return Object.values(imports).filter((module) => typeof module === 'object' && module !== null && !(module instanceof Set));
}

/** @param {{ current: WebAssembly.Memory | undefined }} memory */
function heapOf(memory) {
	let heap = new Int32Array(0);
	return () => {
		const buffer = /** @type {WebAssembly.Memory} */ (memory.current).buffer;
		if (heap.buffer !== buffer) heap = new Int32Array(buffer);
		return heap;
	};
}
