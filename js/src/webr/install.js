// Brings the layer into webR's worker by itself: the page's Worker constructor puts it
// before webR's own script.

import { startWorker } from '../workers/starter.js';
import { isWebRText, isWebRUrl } from './recognize.js';

/** Smaller blobs are not read: webR's worker is a script of some 130 kB. */
const MIN_BYTES = 10_000;

/**
 * Recognizes webR's workers.
 * @param {object} options
 * @param {boolean} options.on  false: they are the native constructor's
 * @param {(worker: Worker) => void} options.serve  called with every worker of webR's
 * @param {string} options.prelude  absolute URL of the built entry/part-webr-worker.js
 * @param {(note: string) => void} options.say  tells the user: a key of NOTES (notes.js), or a text
 * @returns {import('../workers/hook.js').Recognizer}
 */
export function recognizeWebR({ on, serve, prelude, say }) {
	return (wanted) => {
		const { scope, Native, given, options, blob, base } = wanted;
		if (options?.type === 'module') return null;
		const isWebR = blob ? blob.size >= MIN_BYTES && isWebRText(readBlob(scope, `${given}`)) : isWebRUrl(base);
		if (!isWebR) return null;
		if (!on) return new Native(given, options);
		if (!scope.crossOriginIsolated) {
			say('isolated');
			return null;
		}
		const worker = startWorker(wanted, {
			prelude,
			onknown(why) {
				if (why !== null) say(why || 'blob');
			},
		});
		serve(worker);
		return worker;
	};
}

/**
 * The text of a blob, at once: a constructor cannot wait. Empty where the page's policy
 * forbids that.
 * @param {any} scope
 * @param {string} url
 */
function readBlob(scope, url) {
	try {
		const request = new scope.XMLHttpRequest();
		request.open('GET', url, false);
		request.send();
		return request.responseText;
	} catch {
		return '';
	}
}
