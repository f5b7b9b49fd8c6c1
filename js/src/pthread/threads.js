// The workers of a page's pthreads: which they are, how ours comes in, and what memory they have.

import { standIn, startWorker } from '../webr/starter.js';

/** Bytes of each memory: what cells.js puts there needs fewer. That file is no part of the main script. */
export const MEMORY_BYTES = 1024;

/**
 * What the page knows of its threads.
 * @typedef {object} Threads
 * @property {SharedArrayBuffer} common
 * @property {Map<number, SharedArrayBuffer>} cells  of each thread, by its number
 * @property {import('../boot/workers.js').Recognizer} recognize
 */

/**
 * Recognizes the workers of pthreads. Emscripten from 3.1.58 on names them; before, a worker named after its script
 * NAME.worker.js shows itself by its first message, and gives way to one with our script in front.
 * @param {any} scope  the page's global object
 * @param {string} prelude  absolute URL of the built pthread/main.js
 * @returns {Threads | null}  null: the page is not isolated, so it can have no threads
 */
export function recognizeThreads(scope, prelude) {
	if (!scope.crossOriginIsolated) return null;
	const memory = () => new SharedArrayBuffer(MEMORY_BYTES);
	const common = memory();
	/** @type {Threads['cells']} */
	const cells = new Map();
	let last = 0;
	/** URLs of workers that have shown themselves. @type {Set<string>} */
	const shown = new Set();
	/** @type {Threads['recognize']} */
	const start = (url, options, Native) => {
		const base = new URL(`${url}`, scope.location.href).href;
		const bring = options?.type === 'module' ? (/** @type {string} */ text) => `import${text};` : (/** @type {string} */ text) => `importScripts(${text});`;
		const id = ++last;
		const own = memory();
		cells.set(id, own);
		const worker = startWorker({
			scope,
			Native,
			script: [prelude, base].map((from) => bring(JSON.stringify(from))),
			fallback: url,
			options,
			onknown: (why) => why === null && { sockmux: { op: 'thread', id, base, common, cells: own } },
		});
		const { terminate } = worker;
		worker.terminate = () => {
			cells.delete(id);
			Reflect.apply(terminate, worker, []);
		};
		return worker;
	};
	return {
		common,
		cells,
		recognize(url, options, Native) {
			if (shown.has(`${url}`) || /^em-pthread/.test(`${options?.name}`)) return start(url, options, Native);
			if (!/\.worker\.js(\?|$)/.test(`${url}`)) return null;
			const worker = new Native(url, options);
			worker.postMessage = (/** @type {[any, any?]} */ ...args) => {
				Reflect.deleteProperty(worker, 'postMessage');
				const { cmd, wasmModule, wasmMemory } = args[0] ?? {};
				if (cmd !== 'load' || !wasmModule || !wasmMemory) return worker.postMessage(...args);
				shown.add(`${url}`);
				worker.terminate();
				const other = /** @type {Worker} */ (start(url, options, Native));
				standIn(worker, other);
				worker.terminate = () => other.terminate();
				other.postMessage(...args);
			};
			return worker;
		},
	};
}
