// Starts the program of HTTP and TLS: in a worker, or where there is none in this thread.

import { compileWasm } from '../engine/wasm.js';
import { taskQueue } from '../engine/tasks.js';
import { fetchPart, loadPart } from '../entry/parts.js';
import { WORKER_NAME } from './host.js';

/** @typedef {import('./client.js').Started} Started */

const REFUSED = 'the worker could not be started: worker-src of the Content-Security-Policy must have blob:';

/**
 * Starts it in a worker of the page. Where there are none, as in shared workers, it runs in this thread.
 * @param {Record<'https' | 'httpsWorker', import('../entry/parts.js').File>} files
 * @param {typeof Worker | undefined} NativeWorker  the browser's own
 * @param {any} scope
 * @returns {Promise<Started>}
 */
export async function startHttps({ https, httpsWorker }, NativeWorker, scope) {
	if (!NativeWorker) return startHere(() => compileWasm(https), await loadPart(scope, httpsWorker), taskQueue());
	const [module, text] = await Promise.all([compileWasm(https), fetchPart(httpsWorker)]);
	// Workers must come from the page's own origin, and a blob does.
	const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
	const worker = new NativeWorker(url, { name: WORKER_NAME });
	const port = /** @type {import('./host.js').Port} */ (/** @type {unknown} */ (worker));
	/** @type {Started} */
	const started = { port, stop: () => worker.terminate() };
	try {
		await new Promise((resolve, reject) => {
			worker.onerror = (event) => {
				event.preventDefault?.();
				reject(new Error(event.message ? `the worker failed: ${event.message}` : REFUSED));
			};
			begin(port, module).then(resolve, reject);
		});
	} catch (error) {
		worker.terminate();
		throw error;
	} finally {
		URL.revokeObjectURL(url);
	}
	worker.onerror = (event) => {
		event.preventDefault?.();
		started.onfailure?.(`the worker failed: ${event.message}`);
	};
	return started;
}

/**
 * Resolves when the program runs.
 * @param {import('./host.js').Port} port
 * @param {WebAssembly.Module} module
 */
const begin = (port, module) => new Promise((resolve, reject) => {
	port.onmessage = ({ data }) => (data.ready ? resolve(undefined) : reject(new Error(data.failed)));
	port.postMessage({ module });
});

/**
 * Starts it in this thread.
 * @param {() => Promise<WebAssembly.Module>} compile
 * @param {(port: import('./host.js').Port) => void} serveAt
 * @param {import('../engine/tasks.js').Schedule} schedule
 * @returns {Promise<Started>}
 */
export async function startHere(compile, serveAt, schedule) {
	const module = await compile();
	let stopped = false;
	/** @type {import('./host.js').Port} */
	const page = { postMessage: (data) => schedule(() => !stopped && program.onmessage?.({ data })), onmessage: null };
	/** @type {import('./host.js').Port} */
	const program = { postMessage: (data) => schedule(() => !stopped && page.onmessage?.({ data })), onmessage: null };
	serveAt(program);
	await begin(page, module);
	return {
		port: page,
		stop() {
			stopped = true;
		},
	};
}
