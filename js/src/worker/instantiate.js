// Sees the import object of a program before its wasm is instantiated: the last moment at which a system call can be replaced.

/**
 * Calls back once, with the module of imports that holds the system calls of the first program that has sockets.
 * @param {any} scope
 * @param {(env: Record<string, any>) => void} found
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
		if (WebAssembly.instantiate === wrapped) WebAssembly.instantiate = instantiate;
		if (WebAssembly.instantiateStreaming === wrappedStreaming) WebAssembly.instantiateStreaming = instantiateStreaming;
		found(env);
	};
	const wrapped = (/** @type {any[]} */ ...args) => {
		look(args[1]);
		return instantiate.apply(WebAssembly, args);
	};
	const wrappedStreaming = (/** @type {any[]} */ ...args) => {
		look(args[1]);
		return instantiateStreaming.apply(WebAssembly, args);
	};
	WebAssembly.instantiate = wrapped;
	if (instantiateStreaming) WebAssembly.instantiateStreaming = wrappedStreaming;
}
