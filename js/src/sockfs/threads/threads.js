// The workers of pthreads, of a page or of a worker: which they are, how ours comes in, and what
// memory they have.

import { standIn } from '../../workers/starter.js';

/**
 * Bytes of each memory: what cells.js puts there needs fewer. That file is no part of the
 * main script.
 */
export const MEMORY_BYTES = 1024;

/** The name of a thread's worker, from Emscripten 3.1.58 on. */
const THREAD_NAME = /^em-pthread(-\d+)?$/;
/** Before, its script is NAME.worker.js; other workers may be called so, too. */
const THREAD_SCRIPT = /\.worker\.js(\?|$)/;

/**
 * The first message to a thread's worker.
 * @typedef {object} ThreadMessage
 * @property {'thread'} op
 * @property {number} id
 * @property {SharedArrayBuffer} common  of all threads
 * @property {SharedArrayBuffer} cells  of this one
 * @property {SharedArrayBuffer | undefined} changes  see Common
 */

/**
 * What the program's main thread knows of its threads.
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
 * @param {(wanted: import('../../workers/hook.js').Wanted, first: { sockmux: ThreadMessage }) => Worker} launch  starts a worker
 *   with thread.js in front, which gets that message ahead of the program's
 * @param {SharedArrayBuffer} [changes]  see Common
 * @returns {Threads}
 */
export function recognizeThreads(launch, changes) {
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
		const worker = launch(wanted, { sockmux: { op: 'thread', id, common, cells: own, changes } });
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
