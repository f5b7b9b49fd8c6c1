// Watches for programs with sockets that are instantiated in this thread. This is in the page
// from its first moment on, so it is small: what looks closer is instantiate.js.

import { ENTRY } from './entry.js';

/**
 * Instantiates a program: the page's own call, or one in its place.
 * @callback Start
 * @param {(...args: any[]) => any} native  the function of WebAssembly; for its constructor, one that constructs
 * @param {any[]} args
 * @param {boolean} sync  whether the page waits for no promise
 * @returns {any}  what the page gets
 */

/**
 * Replaces the page's ways to instantiate, for programs with sockets, until the
 * function that it returns is called.
 * @param {any} scope
 * @param {Start} start
 * @param {() => void} [other]  called with every other program
 * @returns {() => void}
 */
export function watchInstantiation(scope, start, other = () => {}) {
	const { WebAssembly } = scope;
	/** @type {(() => void)[]} */
	const undo = [];
	const replace = (/** @type {string} */ key, /** @type {(before: any) => any} */ make) => {
		const before = WebAssembly[key];
		if (!before) return;
		const ours = make(before);
		WebAssembly[key] = ours;
		undo.push(() => {
			if (WebAssembly[key] === ours) WebAssembly[key] = before;
		});
	};
	const look = (/** @type {(...args: any[]) => any} */ native, /** @type {any[]} */ args, sync = false) => {
		if (hasSockets(args[1])) return start(native, args, sync);
		// Go's programs have sockets of another kind; one of them is the tunnel's own.
		if (!args[1]?.gojs) other();
		return native(...args);
	};
	for (const key of ['instantiate', 'instantiateStreaming']) {
		replace(key, (before) => (/** @type {any[]} */ ...args) => look(before.bind(WebAssembly), args));
	}
	// A proxy keeps the prototype, instanceof and the name.
	replace('Instance', (before) => new Proxy(before, {
		construct: (target, args, self) => look((...given) => Reflect.construct(target, given, self), args, true),
	}));
	return () => undo.forEach((restore) => restore());
}

/**
 * The name in C, which is the import's unless it was shortened; the function in
 * Emscripten's library has one more underscore.
 */
const hasSockets = (/** @type {any} */ imports) => modulesOf(imports).some((module) => valuesOf(module).some(
	([key, value]) => typeof value === 'function' && ENTRY.test(key.startsWith('__') ? key : value.name),
));

/**
 * The modules of an import object. Dynamic linking gives a program the modules GOT.mem and
 * GOT.func, proxies that make an entry of what is read. The program cannot resolve an entry
 * that it did not ask for, and aborts.
 * @param {any} imports
 * @returns {Record<string, any>[]}
 */
export function modulesOf(imports) {
	return valuesOf(imports).flatMap(([name, module]) => (typeof module === 'object' && module !== null && !name.startsWith('GOT.') ? [module] : []));
}

/**
 * What an object holds itself. Its descriptors are read: a proxy's `get`, which may invent a
 * value and remember it, stays uncalled.
 * @param {any} object
 * @returns {[string, any][]}
 */
export function valuesOf(object) {
	if (typeof object !== 'object' || object === null) return [];
	return Object.keys(object).flatMap((key) => {
		const property = Object.getOwnPropertyDescriptor(object, key);
		return property && 'value' in property ? [/** @type {[string, any]} */ ([key, property.value])] : [];
	});
}
