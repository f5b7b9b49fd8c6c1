// Starts PHP, in a page or in a worker. Without Suspending php-wasm takes its ASYNCIFY build.
globalThis.startPHP = async ({ asyncify, ca }) => {
	if (asyncify) {
		delete WebAssembly.Suspending;
		delete WebAssembly.promising;
	}
	const { createPHP } = await import('/built/php/entry.js');
	const php = await createPHP({ websocket: {} });
	php.writeFile('/ca.pem', ca);
	globalThis.runPHP = async (code) => (await php.run({ code: `<?php ${code}` })).text;
};
