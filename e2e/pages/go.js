// Runs a Go program in the page. What it prints goes to the console.

const page = /** @type {any} */ (globalThis);

/**
 * @param {string} url  of the wasm
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<number>} its exit code
 */
page.runGo = async (url, args, env) => {
	const go = new page.Go();
	go.argv = [url, ...args];
	go.env = env;
	let code = 0;
	go.exit = (/** @type {number} */ status) => {
		code = status;
	};
	const { instance } = await WebAssembly.instantiateStreaming(fetch(url), go.importObject);
	await go.run(instance);
	return code;
};
