// Starts Pyodide in a worker: #classic or #module. run() gives what a program prints.

(() => {
	const worker = new Worker(location.hash === '#module' ? 'python-worker.mjs' : 'python-worker.js', location.hash === '#module' ? { type: 'module' } : {});
	/** The page writes a signal's number here; Pyodide looks. */
	const signals = new Uint8Array(globalThis.crossOriginIsolated ? new SharedArrayBuffer(1) : 1);
	/** @type {Map<number, (printed: string) => void>} */
	const waiting = new Map();
	let last = 0;
	worker.onmessage = ({ data: [id, printed] }) => waiting.get(id)?.(printed);
	Object.assign(globalThis, {
		worker,
		interrupt: () => void (signals[0] = 2),
		run: (/** @type {string} */ code) => new Promise((resolve) => {
			waiting.set(++last, resolve);
			worker.postMessage([last, code, signals]);
		}),
	});
})();
