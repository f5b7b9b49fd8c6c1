// Sees the import object of a program before its wasm is instantiated: the last moment at which
// a system call can be replaced.

/**
 * A program about to be instantiated.
 * @typedef {object} Instance
 * @property {Map<string, ImportSlot>} calls  its system calls for sockets, by their names in C ("__syscall_poll")
 * @property {any} imports  the whole import object
 * @property {() => Int32Array} heap32  its memory; valid from the instantiation on, and as it is at that moment only
 */

/** Where an import stands. @typedef {{ module: Record<string, any>, key: string }} ImportSlot */

/**
 * Instantiates the program in place of the page's call. Given to programs whose imports need it.
 * @callback Start
 * @param {(...args: any[]) => any} native  the function of WebAssembly that was called; for its constructor, one that constructs
 * @param {any[]} args
 * @returns {any}  what the page gets
 */

/**
 * Calls back with every program that has sockets, until the function that it returns is called.
 * A program waits for the promise that it gets back, but for one that is instantiated by
 * `new WebAssembly.Instance` (`sync`).
 * @param {any} scope
 * @param {(instance: Instance, sync: boolean) => unknown} found  may return a Start, or a promise of one
 * @returns {() => void}
 */
export function onInstantiate(scope, found) {
	const { WebAssembly } = scope;
	const { instantiate, instantiateStreaming, Instance } = WebAssembly;
	/**
	 * The function with a look at the import object first.
	 * @param {(...args: any[]) => any} native
	 * @param {boolean} sync
	 */
	const looking = (native, sync) => (/** @type {any[]} */ ...args) => {
		const calls = findCalls(args[1]);
		if (!calls.has('__syscall_connect')) return native(...args);
		const memory = { current: findMemory(args[1]) };
		const remember = (/** @type {any} */ result) => {
			memory.current ??= findMemory({ exports: (result.instance ?? result).exports });
			return result;
		};
		const begin = (/** @type {unknown} */ start) => {
			const result = typeof start === 'function' ? start(native, args) : native(...args);
			return sync ? remember(result) : result.then(remember);
		};
		const started = found({ calls, imports: args[1], heap32: heapOf(memory) }, sync);
		return started instanceof Promise ? started.then(begin) : begin(started);
	};
	const undo = [
		replace(WebAssembly, 'instantiate', looking(instantiate.bind(WebAssembly), false)),
		instantiateStreaming && replace(WebAssembly, 'instantiateStreaming', looking(instantiateStreaming.bind(WebAssembly), false)),
		// A proxy keeps the prototype, instanceof and the name.
		Instance && replace(WebAssembly, 'Instance', new Proxy(Instance, {
			construct: (target, args, self) => looking((...given) => Reflect.construct(target, given, self), true)(...args),
		})),
	];
	return () => undo.forEach((restore) => restore?.());
}

/** @param {any} object @param {string} key @param {unknown} value */
function replace(object, key, value) {
	const before = object[key];
	object[key] = value;
	return () => {
		if (object[key] === value) object[key] = before;
	};
}

/** Imports that matter, beside all whose names begin with __syscall. */
const NAMES = new Set(['fd_read', 'fd_write', 'fd_close', 'getaddrinfo', '_emscripten_lookup_name', 'sockmux_shutdown', 'sockmux_setsockopt']);

/** @param {string} name */
const matters = (name) => name.startsWith('__syscall') || NAMES.has(name);

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
			// The library puts an underscore before the name in C.
			const name = matters(key) ? key : value.name.replace(/^_/, '');
			if (matters(name) && !calls.has(name)) calls.set(name, { module, key });
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
