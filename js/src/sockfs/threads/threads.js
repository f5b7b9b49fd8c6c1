// The workers of a page's pthreads: which they are, how ours comes in, and what memory they have.

import { standIn, startWorker } from '../../workers/starter.js';

/**
 * Bytes of each memory: what cells.js puts there needs fewer. That file is no part of the
 * main script.
 */
export const MEMORY_BYTES = 1024;

/** The name of a thread's worker, from Emscripten 3.1.58 on. */
export const THREAD_NAME = /^em-pthread(-\d+)?$/;
/** Before, its script is NAME.worker.js; other workers may be called so, too. */
export const THREAD_SCRIPT = /\.worker\.js(\?|$)/;

/**
 * What the page knows of its threads.
 * @typedef {object} Threads
 * @property {SharedArrayBuffer} common
 * @property {Map<number, SharedArrayBuffer>} cells  of each thread, by its number
 * @property {import('../../workers/hook.js').Recognizer} recognize
 */

/**
 * Recognizes the workers of pthreads. Emscripten from 3.1.58 on names them; before, a
 * worker named after its script NAME.worker.js shows itself by its first message, and
 * gives way to one with our script in front.
 * The page must be isolated; others can have no threads.
 * @param {string} prelude  absolute URL of the built entry/part-pthread.js
 * @returns {Threads}
 */
export function recognizeThreads(prelude) {
	const memory = () => new SharedArrayBuffer(MEMORY_BYTES);
	const common = memory();
	/** @type {Threads['cells']} */
	const cells = new Map();
	let last = 0;
	/** URLs of workers that have shown themselves. @type {Set<string>} */
	const shown = new Set();
	/** @type {Threads['recognize']} */
	const start = (wanted) => {
		// Unknown blobs may be revoked before our script imports them.
		if (!wanted.blob && !wanted.base) return null;
		const id = ++last;
		const own = memory();
		cells.set(id, own);
		const worker = startWorker(wanted, { prelude, onknown: (why) => why === null && { sockmux: { op: 'thread', id, common, cells: own } } });
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
		recognize(wanted) {
			const { given: url, options, Native } = wanted;
			if (shown.has(`${url}`) || THREAD_NAME.test(`${options?.name}`)) return start(wanted);
			if (!THREAD_SCRIPT.test(`${url}`)) return null;
			const worker = new Native(url, options);
			worker.postMessage = (/** @type {[any, any?]} */ ...args) => {
				Reflect.deleteProperty(worker, 'postMessage');
				const { cmd, wasmModule, wasmMemory } = args[0] ?? {};
				if (cmd !== 'load' || !wasmModule || !wasmMemory) return worker.postMessage(...args);
				shown.add(`${url}`);
				worker.terminate();
				const other = start(wanted) ?? new Native(url, options);
				standIn(worker, other);
				worker.terminate = () => other.terminate();
				other.postMessage(...args);
			};
			return worker;
		},
	};
}
