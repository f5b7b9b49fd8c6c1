// Runs one build of a C program (cases-program.js has the query). What it prints goes to the console.

(() => {
	const { get, options, address } = globalThis.caseProgram(location.search, console.log);

	function load(/** @type {string} */ src) {
		return new Promise((resolve, reject) => {
			const script = document.createElement('script');
			Object.assign(script, { src, onload: resolve, onerror: () => reject(new Error(`${src} does not load`)) });
			document.head.append(script);
		});
	}

	/** Runs the program in a worker, which this page knows nothing of, or in a worker of a worker. */
	function start(/** @type {WorkerOptions} */ type, nested = false) {
		const script = `cases-worker.${type.type === 'module' ? 'mjs' : 'js'}${location.search}`;
		const worker = nested ? new Worker('nested/outer.js') : new Worker(script, type);
		if (nested) worker.postMessage([['start', `../${script}`, type]]);
		worker.onmessage = ({ data }) => console.log(data);
		worker.onerror = ({ message }) => console.log(`! uncaught ${message}`);
	}

	async function run() {
		if (get('kind') === 'worker') return start({});
		if (get('kind') === 'worker-es6') return start({ type: 'module' });
		if (get('kind') === 'nested') return start({}, true);
		if (get('kind') === 'nested-es6') return start({ type: 'module' }, true);
		if (get('kind') === 'es6') {
			const { default: create } = await import(`./${address}.mjs`);
			await create(options);
			return;
		}
		if (get('kind') === 'classic') globalThis.Module = options;
		await load(`${address}.js`);
		if (get('kind') === 'modularize') await globalThis.Module(options);
	}

	addEventListener('load', () => run().catch((error) => console.log(`! ${error}`)));
})();
