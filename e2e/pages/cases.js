// Runs a program of fixtures/emscripten/built: run({ build, args }). Its output is in `printed`.
globalThis.printed = [];
globalThis.ended = null;

globalThis.run = async ({ build, args }) => {
	const print = (line) => globalThis.printed.push(`${line}`);
	const options = {
		arguments: args,
		print,
		printErr: print,
		onAbort: (what) => { globalThis.ended = `abort: ${what}`; },
		onExit: (code) => { globalThis.ended = `exit ${code}`; },
	};
	globalThis.addEventListener('error', (event) => { globalThis.ended ??= `error: ${event.message}`; });
	globalThis.addEventListener('unhandledrejection', ({ reason }) => {
		if (reason?.name !== 'ExitStatus') globalThis.ended ??= `rejected: ${reason?.message ?? reason}`;
	});
	const base = `/fixtures/emscripten/built/${build}`;
	if (/-es6-/.test(build)) {
		const { default: create } = await import(`${base}.mjs`);
		await create(options);
		return;
	}
	if (!/-modularize-/.test(build)) globalThis.Module = options;
	const script = document.createElement('script');
	script.src = `${base}.js`;
	await new Promise((resolve, reject) => {
		script.onload = resolve;
		script.onerror = () => reject(new Error(`${script.src} could not be loaded`));
		document.head.append(script);
	});
	if (/-modularize-/.test(build)) await globalThis.Module(options);
};
