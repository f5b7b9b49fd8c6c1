// Sees the import object of a program before its wasm is instantiated: the last moment at which a system call can be replaced.

/**
 * A program about to be instantiated.
 * @typedef {object} Instance
 * @property {Map<string, ImportSlot>} calls  its system calls for sockets, by their names in C ("__syscall_poll")
 * @property {any} imports  the whole import object
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
		const wait = found({ calls, imports: args[1], heap32: heapOf(memory) });
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
		for (const [key, value] of valuesOf(module)) {
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
		for (const [, value] of valuesOf(module)) if (value instanceof WebAssembly.Memory) return value;
	}
	return undefined;
}

/**
 * Dynamic linking gives a program the modules GOT.mem and GOT.func, proxies that make an entry
 * of what is read. The program cannot resolve an entry that it did not ask for, and aborts.
 */
const isOffsetTable = (/** @type {string} */ name) => name.startsWith('GOT.');

/** @param {any} imports @returns {Record<string, any>[]} */
function modulesOf(imports) {
	return valuesOf(imports).flatMap(([name, module]) => {
		const usable = typeof module === 'object' && module !== null && !isOffsetTable(name);
		return usable ? [module] : [];
	});
}

/**
 * What an object holds itself. Its descriptors are read: a proxy's `get`, which may invent a
 * value and remember it, stays uncalled.
 * @param {any} object
 * @returns {[string, any][]}
 */
function valuesOf(object) {
	if (typeof object !== 'object' || object === null) return [];
	/** @type {[string, any][]} */
	const values = [];
	for (const key of Object.keys(object)) {
		const property = Object.getOwnPropertyDescriptor(object, key);
		if (property && 'value' in property) values.push([key, property.value]);
	}
	return values;
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
