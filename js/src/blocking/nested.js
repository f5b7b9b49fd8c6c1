// Workers that a worker of the page starts. Each gets the same script in front, and a port to the
// page: the worker between may block, and then passes nothing on.

import { THREAD_NAME, THREAD_SCRIPT } from '../sockfs/threads/threads.js';
import { rememberBlobs } from '../workers/blobs.js';
import { installWorkerHook } from '../workers/hook.js';
import { startWorker } from '../workers/starter.js';

/** In front of the base in a nested worker's name. No URL begins so. */
const MARK = 'nested ';

/**
 * Reports what takeBase() has found.
 * @param {string} taken
 * @returns {{ base: string, nested: boolean }}
 */
export function readBase(taken) {
	const nested = taken.startsWith(MARK);
	return { base: nested ? taken.slice(MARK.length) : taken, nested };
}

/**
 * Brings the layer into the workers that this one starts. Those of threads stay as they are.
 * @param {any} scope  this worker's global object
 * @param {object} options
 * @param {string} options.prelude  absolute URL of the script that runs here
 * @param {import('./line.js').Line} options.line  to the page
 * @param {import('../workers/hook.js').Recognizer} options.leave  starts those that stay as they are, too
 * @param {() => boolean} options.on  whether the layer is in this worker
 */
export function serveNested(scope, { prelude, line, leave, on }) {
	if (!scope.Worker || !scope.crossOriginIsolated) return;
	let last = 0;
	/** @type {import('../workers/hook.js').Recognizer} */
	const recognize = (wanted) => {
		const { given, options, blob, base } = wanted;
		if (!on() || (!blob && !base) || THREAD_NAME.test(`${options?.name}`) || THREAD_SCRIPT.test(`${given}`)) return null;
		const own = blob && scope.URL.createObjectURL(blob);
		let refused = false;
		const worker = startWorker({ ...wanted, base: MARK + base }, {
			prelude,
			own: own ?? base,
			onknown(why) {
				refused = why !== null;
				if (own) scope.URL.revokeObjectURL(own);
			},
		});
		if (refused) return worker;
		// This worker has the same policy and runs the same script. So nothing waits until that is
		// known: this worker may block meanwhile.
		Reflect.deleteProperty(worker, 'postMessage');
		// A module says twice that it has started. Nothing of this is for the program.
		worker.addEventListener('message', (event) => event.data?.sockmux && event.stopImmediatePropagation());
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
}
