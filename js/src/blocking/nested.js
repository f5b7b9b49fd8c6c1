// Workers that a worker of the page starts. Each gets the same script in front, and a port to the
// page: the worker between may block, and then passes nothing on.

import { recognizeThreads } from '../sockfs/threads/threads.js';
import { rememberBlobs } from '../workers/blobs.js';
import { installWorkerHook } from '../workers/hook.js';
import { startWorker } from '../workers/starter.js';

/**
 * What a worker that a worker has started is. It stands in front of the base in its name, with a
 * space: no URL begins so.
 */
const PLACE = /^(?:(nested|thread) )?/;

/**
 * Reports what takeBase() has found.
 * @param {string} taken
 * @returns {{ base: string, place: 'page' | 'nested' | 'thread' }}
 */
export function readBase(taken) {
	const [mark, place = 'page'] = /** @type {any} */ (PLACE.exec(taken));
	return { base: taken.slice(mark.length), place };
}

/**
 * Brings the layer into the workers that this one starts, those of the program's threads among them.
 * @param {any} scope  this worker's global object
 * @param {object} options
 * @param {string} options.prelude  absolute URL of the script that runs here
 * @param {import('./line.js').Line} options.line  to the page
 * @param {import('../workers/hook.js').Recognizer} options.leave  starts those that stay as they are, too
 * @param {() => boolean} options.on  whether the layer is in this worker
 * @param {SharedArrayBuffer} options.changes  the signal of this worker's sockets, for threads
 * @returns {import('../sockfs/threads/threads.js').Threads | null}  null: this worker can start none
 */
export function serveNested(scope, { prelude, line, leave, on, changes }) {
	if (!scope.Worker || !scope.crossOriginIsolated) return null;
	/**
	 * Starts a worker. refused: the browser refuses those from blobs, and it has started from its own URL.
	 * @param {import('../workers/hook.js').Wanted} wanted
	 * @param {'nested' | 'thread'} place
	 */
	const start = (wanted, place) => {
		const { blob, base } = wanted;
		const own = blob && scope.URL.createObjectURL(blob);
		let refused = false;
		const worker = startWorker({ ...wanted, base: `${place} ${base}` }, {
			prelude,
			own: own ?? base,
			onknown(why) {
				refused = why !== null;
				if (own) scope.URL.revokeObjectURL(own);
			},
		});
		if (refused) return { worker, refused };
		// This worker has the same policy and runs the same script. So nothing waits until that is
		// known: this worker may block meanwhile.
		Reflect.deleteProperty(worker, 'postMessage');
		// A module says twice that it has started. Nothing of this is for the program.
		worker.addEventListener('message', (event) => event.data?.sockmux && event.stopImmediatePropagation());
		return { worker, refused };
	};
	const threads = recognizeThreads((wanted, first) => {
		const { worker, refused } = start(wanted, 'thread');
		if (!refused) worker.postMessage(first);
		return worker;
	}, changes);
	let last = 0;
	/** @type {import('../workers/hook.js').Recognizer} */
	const recognize = (wanted) => {
		const { blob, base } = wanted;
		if (!on() || (!blob && !base)) return null;
		const thread = threads.recognize(wanted);
		if (thread) return thread;
		const { worker, refused } = start(wanted, 'nested');
		if (refused) return worker;
		const id = ++last;
		const { port1, port2 } = new MessageChannel();
		line.post({ op: 'nested', id, port: port1 }, [port1]);
		worker.postMessage({ sockmux: { port: port2 } }, [port2]);
		const { terminate } = worker;
		worker.terminate = () => {
			Reflect.apply(terminate, worker, []);
			line.post({ op: 'terminated', id });
		};
		return worker;
	};
	installWorkerHook(scope, rememberBlobs(scope.URL), [leave, recognize]);
	return threads;
}
