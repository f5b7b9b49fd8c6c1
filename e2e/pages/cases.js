// Runs one build of a C program: ?build=NAME&kind=KIND&case=NAME&base=PORT, and with
// relay=URL it dials websockify. What the program prints goes to the console.

(() => {
	const query = new URLSearchParams(location.search);
	const get = (/** @type {string} */ name) => query.get(name) ?? '';
	const print = (/** @type {unknown} */ line) => console.log(`| ${line}`);
	const address = `fixtures/emscripten/built/${get('build')}`;
	const options = {
		arguments: [get('case'), get('base')],
		print,
		printErr: (/** @type {unknown} */ line) => console.log(`? ${line}`),
		onAbort: (/** @type {unknown} */ what) => console.log(`! abort ${what}`),
		onExit: (/** @type {unknown} */ status) => console.log(`! exit ${status}`),
	};

	/** Plain SOCKFS dials ws://HOST:PORT/ itself; websockify has a token for each port. */
	function dialRelay(/** @type {string} */ relay) {
		const Plain = globalThis.WebSocket;
		globalThis.WebSocket = class extends Plain {
			constructor(/** @type {string} */ url, /** @type {string[]} */ protocols) {
				super(`${relay}/?token=${new URL(url.replace(/^ws/, 'http')).port}`, protocols);
			}
		};
	}

	function load(/** @type {string} */ src) {
		return new Promise((resolve, reject) => {
			const script = document.createElement('script');
			Object.assign(script, { src, onload: resolve, onerror: () => reject(new Error(`${src} does not load`)) });
			document.head.append(script);
		});
	}

	/** Runs the program in a worker, which this page knows nothing of. */
	function start(/** @type {WorkerOptions} */ type) {
		const worker = new Worker(`cases-worker.${type.type === 'module' ? 'mjs' : 'js'}?${query}`, type);
		worker.onmessage = ({ data }) => console.log(data);
		worker.onerror = ({ message }) => console.log(`! uncaught ${message}`);
	}

	async function run() {
		if (get('kind') === 'worker') return start({});
		if (get('kind') === 'worker-es6') return start({ type: 'module' });
		if (get('kind') === 'es6') {
			const { default: create } = await import(`./${address}.mjs`);
			await create(options);
			return;
		}
		if (get('kind') === 'classic') globalThis.Module = options;
		await load(`${address}.js`);
		if (get('kind') === 'modularize') await globalThis.Module(options);
	}

	if (get('relay')) dialRelay(get('relay'));
	addEventListener('load', () => run().catch((error) => console.log(`! ${error}`)));
})();
