// The workers of a page's pthreads: which they are, how ours comes in, and what memory they have.

import { rememberBlobs, scriptUrl } from '../../workers/blobs.js';
import { standIn, startWorker } from '../../workers/starter.js';

/**
 * Bytes of each memory: what cells.js puts there needs fewer. That file is no part of the
 * main script.
 */
export const MEMORY_BYTES = 1024;

/**
 * What the page knows of its threads.
 * @typedef {object} Threads
 * @property {SharedArrayBuffer} common
 * @property {Map<number, SharedArrayBuffer>} cells  of each thread, by its number
 * @property {import('../../workers/hook.js').Recognizer} recognize
 * @property {() => void} stop
 */

/**
 * Recognizes the workers of pthreads. Emscripten from 3.1.58 on names them; before, a
 * worker named after its script NAME.worker.js shows itself by its first message, and
 * gives way to one with our script in front.
 * @param {any} scope  the page's global object
 * @param {string} prelude  absolute URL of the built entry/part-pthread.js
 * @returns {Threads | null}  null: the page is not isolated, so it can have no threads
 */
export function recognizeThreads(scope, prelude) {
	if (!scope.crossOriginIsolated) return null;
	const memory = () => new SharedArrayBuffer(MEMORY_BYTES);
	const common = memory();
	/** @type {Threads['cells']} */
	const cells = new Map();
	const blobs = rememberBlobs(scope.URL);
	let last = 0;
	/** URLs of workers that have shown themselves. @type {Set<string>} */
	const shown = new Set();
	/** @type {Threads['recognize']} */
	const start = (url, options, Native) => {
		const blob = blobs.get(`${url}`);
		const base = scriptUrl(`${url}`, scope.location.href);
		// Unknown blobs may be revoked before our script imports them.
		if (!blob && !/^http/.test(base)) return null;
		const isModule = options?.type === 'module';
		const bring = (/** @type {string} */ from) => (isModule ? `import${JSON.stringify(from)};` : `importScripts(${JSON.stringify(from)});`);
		const id = ++last;
		const own = memory();
		cells.set(id, own);
		const worker = startWorker({
			scope,
			Native,
			script: [bring(prelude), blob ?? bring(base)],
			fallback: blob ?? url,
			own: blob ? '' : base,
			// Our script reads the base here, before the program's own runs, and takes it
			// out of the name.
			options: blob ? options : { ...options, name: `${options?.name ?? ''}\n${base}` },
			onknown: (why) => why === null && { sockmux: { op: 'thread', id, common, cells: own } },
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
		stop: blobs.stop,
		recognize(url, options, Native) {
			if (shown.has(`${url}`) || /^em-pthread(-\d+)?$/.test(`${options?.name}`)) return start(url, options, Native);
			if (!/\.worker\.js(\?|$)/.test(`${url}`)) return null;
			const worker = new Native(url, options);
			worker.postMessage = (/** @type {[any, any?]} */ ...args) => {
				Reflect.deleteProperty(worker, 'postMessage');
				const { cmd, wasmModule, wasmMemory } = args[0] ?? {};
				if (cmd !== 'load' || !wasmModule || !wasmMemory) return worker.postMessage(...args);
				shown.add(`${url}`);
				worker.terminate();
				const other = start(url, options, Native) ?? new Native(url, options);
				standIn(worker, other);
				worker.terminate = () => other.terminate();
				other.postMessage(...args);
			};
			return worker;
		},
	};
}
