// Sees the import object of a program before its wasm is instantiated: the last moment at which a system call can be replaced.

/**
 * Calls back once, with the module of imports that holds the system calls of the first program that has sockets.
 * @param {any} scope
 * @param {(env: Record<string, any>) => void} found
 * @returns {() => void} stops looking
 */
export function onInstantiate(scope, found) {
	const { WebAssembly } = scope;
	const { instantiate, instantiateStreaming } = WebAssembly;
	let done = false;
	const look = (/** @type {any} */ imports) => {
		if (done || typeof imports !== 'object' || imports === null) return;
		const env = Object.values(imports).find((module) => typeof module?.__syscall_connect === 'function');
		if (!env) return;
		done = true;
		restore();
		found(env);
	};
	/** The function with a look at the import object first. @param {(...args: any[]) => any} native */
	const looking = (native) => (/** @type {any[]} */ ...args) => {
		look(args[1]);
		return native.apply(WebAssembly, args);
	};
	const ours = looking(instantiate);
	const oursStreaming = instantiateStreaming && looking(instantiateStreaming);
	const restore = () => {
		if (WebAssembly.instantiate === ours) WebAssembly.instantiate = instantiate;
		if (WebAssembly.instantiateStreaming === oursStreaming) WebAssembly.instantiateStreaming = instantiateStreaming;
	};
	WebAssembly.instantiate = ours;
	if (oursStreaming) WebAssembly.instantiateStreaming = oursStreaming;
	return restore;
}
