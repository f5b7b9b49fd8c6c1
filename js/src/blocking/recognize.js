// Brings the layer into the page's dedicated workers: any may start an Emscripten program, and
// nothing shows it before. So a script of ours comes before each worker's own.

import { startWorker } from '../workers/starter.js';

/**
 * @param {object} options
 * @param {string} options.prelude  absolute URL of the built entry/part-blocking-worker.js
 * @param {(worker: Worker) => void} options.serve  called with every worker
 * @param {(note: string, about?: string | Blob) => void} options.say  tells the user
 * @returns {import('../workers/hook.js').Recognizer}
 */
export const recognizeWorkers = ({ prelude, serve, say }) => (wanted) => {
	const { scope, blob, base } = wanted;
	// Unknown blobs may be revoked before our script imports them.
	if (!blob && !base) return null;
	if (!scope.crossOriginIsolated) {
		say('programs', blob ?? base);
		return null;
	}
	const own = blob && scope.URL.createObjectURL(blob);
	const worker = startWorker(wanted, {
		prelude,
		own,
		onknown(why) {
			if (own) scope.URL.revokeObjectURL(own);
			if (why) say(why);
		},
	});
	serve(worker);
	return worker;
};
